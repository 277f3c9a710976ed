//! Lambda function: `POST /api/integrations/webhooks`.

use functions::{api::create_endpoint::handle, serve};
use shared::domain::token::Scope;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(Scope::Write, |app, caller, request| {
        Box::pin(handle(app, caller, request))
    })
    .await
}
