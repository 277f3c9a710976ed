//! Functions that an operator invokes with a JSON document.

use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::Error;

use super::{Deadline, Serving};
use crate::app::App;

/// A command: which variables of the environment it uses, and what it answers.
#[derive(Clone, Copy)]
pub struct Command {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Answers a JSON document with another one.
    pub handler: for<'a> fn(&'a App, Value) -> LocalBoxFuture<'a, Result<Value, CommandError>>,
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum CommandError {
    /// What was asked for makes no sense; the text is for the operator.
    InvalidInput(String),
    /// What it is about does not exist.
    NotFound(&'static str),
    /// Something broke here; the log says what.
    Internal(Error),
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Internal(error)
    }
}

impl From<CommandError> for Diagnostic {
    fn from(error: CommandError) -> Self {
        let (error_type, error_message) = match error {
            CommandError::InvalidInput(message) => ("InvalidInput", message),
            CommandError::NotFound(message) => ("NotFound", message.to_owned()),
            CommandError::Internal(error) => {
                tracing::error!(error = error.chain(), "a command failed");
                (
                    "InternalError",
                    "something went wrong; the function's log says what".to_owned(),
                )
            }
        };
        Self {
            error_type: error_type.to_owned(),
            error_message,
        }
    }
}

/// Reads what a command is asked for, does it, and writes what it answers.
///
/// # Errors
/// [`CommandError::InvalidInput`] if the document is not what the command takes, or what `act` says.
pub async fn answer_to<I: DeserializeOwned, O: Serialize>(
    document: Value,
    act: impl AsyncFnOnce(I) -> Result<O, CommandError>,
) -> Result<Value, CommandError> {
    if !document.is_object() {
        return Err(CommandError::InvalidInput(
            "the event must be a JSON object".to_owned(),
        ));
    }
    let input =
        serde_json::from_value(document).map_err(|error| CommandError::InvalidInput(error.to_string()))?;
    let output = act(input).await?;
    serde_json::to_value(output).map_err(|error| CommandError::Internal(Error::unsendable("Invoke")(error)))
}

/// Serves a command until Lambda ends the process.
pub(super) fn serve(app: Arc<App>, command: Command) -> Serving {
    Box::pin(async move {
        let app = app.as_ref();
        let handler = service_fn(move |event: LambdaEvent<Value>| async move {
            let deadline = Deadline::of(app, &event.context);
            let answer = deadline.cut((command.handler)(app, event.payload), Duration::ZERO);
            answer.await.unwrap_or(Err(Error::OutOfTime.into()))
        });
        lambda_runtime::run(handler).await
    })
}
