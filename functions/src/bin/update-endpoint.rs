//! Lambda function: `PATCH /api/integrations/webhooks/:id`.

use functions::{api::update_endpoint, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(update_endpoint::route()).await
}
