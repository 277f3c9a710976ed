//! Clients of the stack's AWS services. Made anew for each test: their connections belong to its runtime.

use aws_sdk_lambda::primitives::Blob;
use local::aws_config;
use serde_json::Value;

use super::stack;

/// A queue client.
pub(crate) fn sqs() -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&aws_config(stack()))
}

/// A function client.
pub(crate) fn lambda() -> aws_sdk_lambda::Client {
    aws_sdk_lambda::Client::new(&aws_config(stack()))
}

/// A table client.
pub(crate) fn dynamodb() -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&aws_config(stack()))
}

/// A secrets client.
pub(crate) fn secrets() -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&aws_config(stack()))
}

/// The deployed name of `function`, which is a name in the template.
pub(crate) fn function(name: &str) -> &'static str {
    stack()
        .functions
        .get(name)
        .unwrap_or_else(|| panic!("the template has no {name}"))
}

/// Invokes a function by its name in the template and returns its answer; the error object if it failed.
pub(crate) async fn invoke(name: &str, event: &Value) -> Result<Value, Value> {
    let request = lambda()
        .invoke()
        .function_name(function(name))
        .payload(Blob::new(event.to_string()));
    let answer = request.send().await.expect("the function is invoked");
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    let payload = serde_json::from_slice(&payload).unwrap_or(Value::Null);
    match answer.function_error {
        None => Ok(payload),
        Some(_) => Err(payload),
    }
}
