//! Lambda function: the purges queue and the endpoints table's stream.

use functions::{queue::purge, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::stream_or_messages(purge::handle, purge::announce).await
}
