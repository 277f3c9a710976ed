//! `GET /:id/recoveries/:recovery_id`: one recovery, and how far it is.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::domain::id::{EndpointId, RecoveryId};
use shared::domain::token::Scope;

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &["DELIVERIES_TABLE", "ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Shows the recovery.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let recovery_id: RecoveryId = request::path_id(&request, "recovery_id")?;
    app.store.endpoint(&caller.workspace, &id).await?;
    let recovery = app.store.recovery(&id, &recovery_id).await?;
    Ok(view::recovery(StatusCode::OK, &recovery))
}
