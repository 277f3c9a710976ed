//! Lambda function: `GET /api/integrations/webhooks`.

use functions::{api::list_endpoints, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(list_endpoints::route()).await
}
