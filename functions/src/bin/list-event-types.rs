//! Lambda function: `GET /api/integrations/webhooks/event-types`.

use functions::{api::list_event_types, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(list_event_types::route()).await
}
