//! The entry of every function: logging, the environment, and what surrounds each invocation.
//!
//! A function is a constant that says which variables of the environment it uses and what it does. Everything here
//! returns boxed futures made by plain functions, so that handlers of one signature fit into one table.

mod batch;
mod command;
mod deadline;
mod hand_back;
mod http;
mod message;
mod site;
mod stream;

use futures::future::LocalBoxFuture;
use lambda_runtime::Error;
use shared::config::Config;
use tracing_subscriber::filter::LevelFilter;

pub use batch::{ComeBack, Consumer};
pub use command::{Command, CommandError, answer_to};
pub use deadline::{Deadline, TO_ANSWER};
pub use hand_back::LONGEST_WAIT_SECONDS;
pub use http::{Answer, Caller, OpenRoute, Route};
#[cfg(test)]
pub use message::Attributes;
pub use message::{Batch, Message};
pub use site::Site;
pub use stream::{StreamReader, StreamRecord};

use crate::app::App;

/// A Lambda function.
#[derive(Clone, Copy)]
pub enum Function {
    /// Answers the requests of a route.
    Route(Route),
    /// Answers the requests of a route that needs no token.
    OpenRoute(OpenRoute),
    /// Handles the messages of queues.
    Consumer(Consumer),
    /// Follows the stream of the endpoints table.
    StreamReader(StreamReader),
    /// Answers an operator who invokes it.
    Command(Command),
    /// Answers requests from what is compiled in.
    Site(Site),
}

impl Function {
    /// The variables of the environment that it uses.
    #[must_use]
    pub fn variables(&self) -> &'static [&'static str] {
        match self {
            Self::Route(route) => route.variables,
            Self::OpenRoute(route) => route.variables,
            Self::Consumer(consumer) => consumer.variables,
            Self::StreamReader(reader) => reader.variables,
            Self::Command(command) => command.variables,
            Self::Site(site) => site.variables,
        }
    }
}

/// A function that serves until Lambda ends the process.
type Serving = LocalBoxFuture<'static, Result<(), Error>>;

/// Serves the function that this process is, until Lambda ends it. Lambda names it in `_HANDLER`, in custom runtimes too
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>).
///
/// # Errors
/// The table has no function of the handler's name, or the environment is incomplete.
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda names the handler in the environment, before any configuration is read"
)]
pub async fn run(functions: &'static [(&'static str, Function)]) -> Result<(), Error> {
    let handler = std::env::var("_HANDLER").unwrap_or_default();
    let Some((_, function)) = functions.iter().find(|(name, _)| *name == handler) else {
        let names: Vec<_> = functions.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there is no function {handler:?}; the template's Handler (_HANDLER) must be one of {}",
            names.join(", ")
        )
        .into());
    };
    start_logging();
    let app = || start(function.variables(), App::from_env);
    let serving = match *function {
        Function::Route(route) => http::serve(app()?, http::Access::WithToken(route)),
        Function::OpenRoute(route) => http::serve(app()?, http::Access::Open(route)),
        Function::Consumer(consumer) => batch::serve(app()?, consumer),
        Function::StreamReader(reader) => stream::serve(app()?, reader),
        Function::Command(command) => command::serve(app()?, command),
        Function::Site(site) => {
            site::serve(start(site.variables, |names| Ok(Config::from_env(names)?))?, site)
        }
    };
    serving.await
}

#[expect(
    clippy::disallowed_methods,
    reason = "logging starts first, with the level that Lambda's own setting names"
)]
fn start_logging() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    // With a `timestamp` in RFC 3339, which is the subscriber's own form: Lambda takes a line without one for INFO, and
    // drops it if only warnings are wanted (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
}

/// Reads the environment and sets up what the function needs, once per process.
fn start<T>(variables: &[&'static str], set_up: fn(&[&'static str]) -> Result<T, Error>) -> Result<T, Error> {
    set_up(variables)
        .inspect_err(|error| tracing::error!(error = error.to_string(), "the function can't start"))
}
