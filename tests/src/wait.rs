//! Waiting for something to become true, never for time to pass.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longer than anything takes that works, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

const POLL: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers something; panics with `what` when patience ends.
pub async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, probe).await
}

/// The same for what takes longer.
pub async fn eventually_within<T>(
    longest: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + longest;
    while Instant::now() < deadline {
        if let Some(found) = probe().await {
            return found;
        }
        sleep(POLL).await;
    }
    panic!("{what}: not within {longest:?}")
}
