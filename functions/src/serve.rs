//! The entry of every function: logging, the environment, and what surrounds each invocation.

mod http;
mod invocation;
mod queue;

use std::sync::Arc;

use lambda_runtime::Error;
use tracing_subscriber::EnvFilter;

pub use http::{Answer, Caller, http};
pub use invocation::{Deadline, invoked};
pub use queue::{Message, messages, stream_or_messages};

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
