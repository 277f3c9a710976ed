//! Functions that an operator invokes with a JSON document, and how much time an invocation has.

use std::time::{Duration, Instant};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// Serves a function that is invoked with a JSON document and answers with one.
///
/// # Errors
/// The environment is incomplete, or Lambda's Runtime API is not there.
pub async fn invoked<I, O, H>(handler: H) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    H: AsyncFn(&App, I) -> Result<O, Error>,
{
    let app = super::start()?;
    let (app, handler) = (app.as_ref(), &handler);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<serde_json::Value>| {
        let input = serde_json::from_value(event.payload)?;
        Box::pin(handler(app, input)).await
    }))
    .await
}
