//! Clients of a stack's AWS services. Made anew for each test: their connections belong to its runtime.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Environment;
use local::aws_config;
use serde_json::Value;

use crate::SuiteStack;

impl SuiteStack {
    /// A queue client.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&aws_config(self))
    }

    /// A function client.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&aws_config(self))
    }

    /// A table client.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&aws_config(self))
    }

    /// A secrets client.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&aws_config(self))
    }

    /// The deployed name of a function of the template.
    pub fn function(&self, name: &str) -> &str {
        self.functions
            .get(name)
            .unwrap_or_else(|| panic!("the template has no {name}"))
    }

    /// Invokes a function by its name in the template and returns its answer; the error object if it failed.
    pub async fn invoke(&self, name: &str, event: &Value) -> Result<Value, Value> {
        invoke(&self.lambda(), self.function(name), event).await
    }

    /// Sets a variable of a function, by its name in the template. Its processes end, and new ones have the variable.
    pub async fn set_variable(&self, function: &str, name: &str, value: &str) {
        let (lambda, function) = (self.lambda(), self.function(function));
        let read = lambda.get_function_configuration().function_name(function);
        let environment = read.send().await.expect("the function exists").environment;
        let variables = environment.and_then(|environment| environment.variables);
        let mut variables = variables.unwrap_or_default();
        variables.insert(name.to_owned(), value.to_owned());
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = lambda.update_function_configuration().function_name(function);
        let update = update.environment(environment).send();
        update.await.expect("the function is changed");
    }

    /// Whether an endpoint has a signing secret.
    pub async fn has_secret(&self, endpoint: &str) -> bool {
        let name = format!("{}{endpoint}", self.secret_prefix);
        match self.secrets().describe_secret().secret_id(name).send().await {
            Ok(_) => true,
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_resource_not_found_exception(), "{error:?}");
                false
            }
        }
    }
}

/// Invokes a function by its deployed name and returns its answer; the error object if it failed.
pub async fn invoke(lambda: &aws_sdk_lambda::Client, deployed: &str, event: &Value) -> Result<Value, Value> {
    let request = lambda
        .invoke()
        .function_name(deployed)
        .payload(Blob::new(event.to_string()));
    let answer = request.send().await.expect("the function is invoked");
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    let payload = serde_json::from_slice(&payload).unwrap_or(Value::Null);
    match answer.function_error {
        None => Ok(payload),
        Some(_) => Err(payload),
    }
}
