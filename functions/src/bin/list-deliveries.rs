//! Lambda function: `GET /api/integrations/webhooks/:id/deliveries`.

use functions::{api::list_deliveries, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(list_deliveries::route()).await
}
