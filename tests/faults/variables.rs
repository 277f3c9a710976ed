//! The environment of a deployed function, changed for the time of a test.

use aws_sdk_lambda::types::Environment;

use crate::support::aws;

/// Sets a variable and returns what it was.
pub(crate) async fn set(function: &str, name: &str, value: &str) -> String {
    let lambda = aws::lambda();
    let deployed = aws::function(function);
    let current = lambda
        .get_function_configuration()
        .function_name(deployed)
        .send()
        .await;
    let environment = current
        .expect("the function exists")
        .environment
        .expect("it has variables");
    let mut variables = environment.variables.expect("it has variables");
    let before = variables.insert(name.to_owned(), value.to_owned());
    let changed = Environment::builder().set_variables(Some(variables)).build();
    let update = lambda
        .update_function_configuration()
        .function_name(deployed)
        .environment(changed);
    update.send().await.expect("the function takes variables");
    before.expect("the template sets it")
}
