//! `GET /:id`: one endpoint.

use lambda_http::Request;
use shared::domain::token::Scope;

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &["ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Shows the endpoint.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id = request::path_id(&request, "id")?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    Ok(view::endpoint(&endpoint))
}
