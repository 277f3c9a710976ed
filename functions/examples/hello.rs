//! The least that a Lambda function in Rust can be: what the benchmark compares the start of the others with.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async {
        Ok::<&str, Error>("hello")
    }))
    .await
}
