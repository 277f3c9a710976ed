//! Lambda function: the failed-attempts queue.

use functions::{queue::retry::handle, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::messages(handle).await
}
