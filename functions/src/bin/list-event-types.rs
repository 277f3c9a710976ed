//! Lambda function: `GET /api/integrations/webhooks/event-types`.

use functions::{api::list_event_types::handle, serve};
use shared::domain::token::Scope;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::http(Scope::Read, |app, caller, request| {
        Box::pin(handle(app, caller, request))
    })
    .await
}
