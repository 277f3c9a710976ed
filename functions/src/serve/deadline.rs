//! How much time an invocation has. Whatever AWS does, a function answers before Lambda cuts it off: its work is cut off
//! a little earlier, and then it says itself what is not done.

use std::time::{Duration, Instant};

use lambda_runtime::Context;
use tokio::time::timeout;

use crate::app::App;

/// What remains of an invocation when its work is cut off: time to answer.
pub const TO_ANSWER: Duration = Duration::from_millis(500);

/// When an invocation is cut off.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that Lambda sets, an instant of the wall clock in milliseconds.
    #[must_use]
    pub fn of(app: &App, context: &Context) -> Self {
        let now = u64::try_from(app.clock.now().as_millisecond()).unwrap_or(0);
        Self::after(Duration::from_millis(context.deadline.saturating_sub(now)))
    }

    /// A deadline that is so far away.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// How much time is left.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Does some work, and leaves time for what is to be done after it and for the answer. `None` if the work was cut off.
    pub async fn cut<T>(self, work: impl Future<Output = T>, afterwards: Duration) -> Option<T> {
        let time = self.left().saturating_sub(TO_ANSWER + afterwards);
        timeout(time, work).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_hangs_is_cut_off_before_lambda_does() {
        let (start, deadline) = (
            tokio::time::Instant::now(),
            Deadline::after(Duration::from_secs(10)),
        );

        assert_eq!(deadline.cut(pending::<()>(), Duration::from_secs(2)).await, None);

        let cut_after = start.elapsed().as_secs_f64();
        assert!((7.0..=7.5).contains(&cut_after), "{cut_after}");
    }

    #[tokio::test]
    async fn work_that_ends_in_time_is_done() {
        let deadline = Deadline::after(Duration::from_secs(10));

        assert_eq!(deadline.cut(ready(1), Duration::ZERO).await, Some(1));
    }
}
