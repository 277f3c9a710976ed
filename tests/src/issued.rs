//! Every token and secret that the tests have been given, so that logs can be searched for them.

use std::sync::{Mutex, PoisonError};

static ISSUED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Remembers a value that must never be logged.
pub fn remember(value: &str) {
    ISSUED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(value.to_owned());
}

/// All values so far.
pub fn all() -> Vec<String> {
    ISSUED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
