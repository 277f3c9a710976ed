//! Waiting for something to become true, never for time to pass.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longer than anything takes that works, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers something; panics with `what` when patience ends.
pub(crate) async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = probe().await {
            return found;
        }
        sleep(POLL).await;
    }
    panic!("{what}: not within {PATIENCE:?}")
}
