//! Lambda function: `POST /api/integrations/webhooks`.

use functions::{api::create_endpoint, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(create_endpoint::route()).await
}
