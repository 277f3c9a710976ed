//! Lambda function: `GET /api/integrations/webhooks/:id`.

use functions::{api::get_endpoint, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(get_endpoint::route()).await
}
