//! `DELETE /:id`: deletes an endpoint. Its secret and history follow, because `purge` hears of every deletion
//! through the table's stream.

use lambda_http::Request;
use shared::domain::freshness::SETTLED_AFTER;
use shared::domain::token::Scope;

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{answer, request};

/// The route.
pub const ROUTE: Route = Route {
    variables: &["ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Scope::Write,
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Deletes the endpoint. Once this has answered, no attempt starts.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id = request::path_id(&request, "id")?;
    app.store.delete_endpoint(&caller.workspace, &id).await?;
    tokio::time::sleep(SETTLED_AFTER).await;
    Ok(answer::no_content())
}
