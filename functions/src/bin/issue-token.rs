//! Lambda function: issues an API token; invoked by an operator.

use functions::{operator::issue_token::handle, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::invoked(handle).await
}
