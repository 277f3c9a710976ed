//! Lambda function: the deliveries and retries queues.

use functions::{queue::deliver::handle, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::messages(handle).await
}
