//! Functions that an operator invokes with a JSON document, and how much time an invocation has.

use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Serving;
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

/// Serves a function that is invoked with a JSON document and answers with one, until Lambda ends the process.
/// Fails if the environment is incomplete.
pub fn invoked<I, O>(handler: for<'a> fn(&'a App, I) -> LocalBoxFuture<'a, Result<O, Error>>) -> Serving
where
    I: DeserializeOwned + 'static,
    O: Serialize + 'static,
{
    Box::pin(async move {
        let app = super::start()?;
        let app = app.as_ref();
        lambda_runtime::run(service_fn(
            move |event: LambdaEvent<serde_json::Value>| async move {
                handler(app, serde_json::from_value(event.payload)?).await
            },
        ))
        .await
    })
}
