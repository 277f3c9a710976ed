//! Lambda function: `GET /api/integrations/webhooks/:id/deliveries/:delivery_id`.

use functions::{api::get_delivery, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(get_delivery::route()).await
}
