//! Lambda function: `GET /api/integrations/webhooks/:id`.

use functions::{api::get_endpoint::handle, serve};
use shared::domain::token::Scope;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(Scope::Read, |app, caller, request| {
        Box::pin(handle(app, caller, request))
    })
    .await
}
