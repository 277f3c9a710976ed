//! What a receiver has received.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::watch;

use super::received::Received;

/// The requests so far, to look at and to wait for.
#[derive(Debug)]
pub(crate) struct Log {
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    connections: AtomicUsize,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            received: Mutex::default(),
            count: watch::Sender::new(0),
            connections: AtomicUsize::default(),
        }
    }
}

impl Log {
    pub(crate) fn add(&self, received: Received) {
        let mut all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(received);
        self.count.send_replace(all.len());
    }

    pub(crate) fn add_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) async fn wait_until(
        &self,
        within: Duration,
        condition: impl Fn(&[Received]) -> bool,
    ) -> Result<Vec<Received>> {
        let mut count = self.count.subscribe();
        let deadline = tokio::time::Instant::now() + within;
        loop {
            // Marked as seen before looking, so that nothing arrives unnoticed in between.
            count.borrow_and_update();
            if condition(&self.received.lock().unwrap_or_else(PoisonError::into_inner)) {
                return Ok(self.all());
            }
            if tokio::time::timeout_at(deadline, count.changed()).await.is_err() {
                bail!(
                    "not received within {within:?}; {} requests so far",
                    self.all().len()
                );
            }
        }
    }
}
