//! Lambda function: `POST /api/integrations/webhooks/:id/test`.

use functions::{api::send_test_event::handle, serve};
use shared::domain::token::Scope;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(Scope::Write, |app, caller, request| {
        Box::pin(handle(app, caller, request))
    })
    .await
}
