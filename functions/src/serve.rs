//! The entry of every function: logging, the environment, and what surrounds each invocation.
//!
//! Everything here returns boxed futures made by plain functions. An `async fn` would be compiled anew in each of the
//! binaries, with all that it awaits; so it is compiled once, in this library.

mod http;
mod invocation;
mod queue;

use std::sync::Arc;

use lambda_runtime::Error;
use tracing_subscriber::EnvFilter;

pub use http::{Answer, Caller, Route, http};
pub use invocation::{Deadline, invoked};
pub use queue::{Message, OnMessages, Serving, messages, stream_or_messages};

use crate::app::App;

/// Sets logging up and reads the environment, once per process.
fn start() -> Result<Arc<App>, Error> {
    // CloudWatch stamps the time itself; the level is Lambda's own setting.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_env_filter(
            EnvFilter::try_from_env("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    Ok(App::from_env()?)
}
