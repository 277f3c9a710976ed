//! Lambda function: `POST /api/integrations/webhooks/:id/test`.

use functions::{api::send_test_event, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(send_test_event::route()).await
}
