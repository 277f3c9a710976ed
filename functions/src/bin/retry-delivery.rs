//! Lambda function: `POST /api/integrations/webhooks/:id/deliveries/:delivery_id/retry`.

use functions::{api::retry_delivery, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(retry_delivery::route()).await
}
