//! Lambda function: `POST /api/integrations/webhooks/:id/rotate-secret`.

use functions::{api::rotate_secret, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(rotate_secret::route()).await
}
