//! A real HTTP receiver on 127.0.0.1 that records every request and answers as told, well or badly.
//!
//! The demo and `cargo local receive` use it, and the tests use it instead of a fake sender: one per test, on a port of
//! its own, which ends when it is dropped.

mod answer;
mod log;
mod received;
mod serve;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use answer::Answer;
pub use received::Received;

use log::Log;

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port and answers each request as `answer` says. Runs on the current runtime.
    pub async fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Result<Self> {
        Self::start_at(0, answer).await
    }

    /// Listens on this port, or on a free one if it is 0, and answers each request as `answer` says.
    pub async fn start_at(
        port: u16,
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let log = Arc::new(Log::default());
        let task = tokio::spawn(serve::serve(listener, Arc::clone(&log), Arc::new(answer)));
        Ok(Self { address, log, task })
    }

    /// A receiver that answers 200 to everything.
    pub async fn start_ok() -> Result<Self> {
        Self::start(|_| Answer::status(200)).await
    }

    /// The url of `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.log.all()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.log.connections()
    }

    /// Waits until at least `count` requests have arrived, and returns all that have.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Received>> {
        self.wait_until(within, |received| received.len() >= count).await
    }

    /// Waits until the requests so far satisfy `condition`, and returns them.
    pub async fn wait_until(
        &self,
        within: Duration,
        condition: impl Fn(&[Received]) -> bool,
    ) -> Result<Vec<Received>> {
        self.log.wait_until(within, condition).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}
