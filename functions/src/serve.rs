//! The entry of every function: logging, the environment, and what surrounds each invocation.
//!
//! Everything here returns boxed futures made by plain functions. An `async fn` would be compiled anew in each of the
//! binaries, with all that it awaits; so it is compiled once, in this library.

mod http;
mod invocation;
mod queue;

use std::sync::Arc;

use lambda_runtime::Error;
use tracing_subscriber::filter::LevelFilter;

pub use http::{Answer, Caller, Route, http};
pub use invocation::{Deadline, invoked};
pub use queue::{Message, OnMessages, Serving, messages, stream_or_messages};

use crate::app::App;

/// Sets logging up and reads the environment, once per process.
#[expect(
    clippy::disallowed_methods,
    reason = "logging starts first, with the level that Lambda's own setting names"
)]
fn start() -> Result<Arc<App>, Error> {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    // CloudWatch stamps the time itself.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_max_level(level)
        .init();
    Ok(App::from_env()?)
}
