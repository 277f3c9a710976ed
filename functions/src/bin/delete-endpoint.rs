//! Lambda function: `DELETE /api/integrations/webhooks/:id`.

use functions::{api::delete_endpoint, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(delete_endpoint::route()).await
}
