//! Lambda function: the events queue.

use functions::{queue::fan_out::handle, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::messages(handle).await
}
