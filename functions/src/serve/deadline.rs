//! How much time an invocation has.

use std::time::{Duration, Instant};

use lambda_runtime::Context;

use crate::app::App;

/// When an invocation is cut off.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that Lambda sets, an instant of the wall clock in milliseconds.
    #[must_use]
    pub fn of(app: &App, context: &Context) -> Self {
        let now = u64::try_from(app.clock.now().as_millisecond()).unwrap_or(0);
        Self(Instant::now() + Duration::from_millis(context.deadline.saturating_sub(now)))
    }

    /// How much time is left.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
