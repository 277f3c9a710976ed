//! How many tests use a stack at once. libtest only knows how many run at once, and those that wait for their turn at one stack
//! would keep others from the other.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The places at a stack that are free.
#[derive(Debug)]
pub(super) struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place, until dropped; or none, for who needs none.
#[derive(Debug, Default)]
pub(super) struct Place(Option<Arc<Places>>);

impl Places {
    pub(super) fn new(free: usize) -> Self {
        Self {
            free: Mutex::new(free),
            freed: Condvar::new(),
        }
    }

    /// Waits for a place.
    pub(super) fn take(self: &Arc<Self>) -> Place {
        let waited = self.freed.wait_while(self.free(), |free| *free == 0);
        *waited.unwrap_or_else(PoisonError::into_inner) -= 1;
        Place(Some(Arc::clone(self)))
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = &self.0 {
            *places.free() += 1;
            places.freed.notify_one();
        }
    }
}
