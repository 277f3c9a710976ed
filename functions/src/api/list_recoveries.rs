//! `GET /:id/recoveries`: an endpoint's recoveries, newest first.

use lambda_http::Request;
use shared::domain::id::EndpointId;
use shared::domain::token::Scope;

use crate::app::App;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &["DELIVERIES_TABLE", "ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Lists the recoveries.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let mut query = Query::of(&request);
    let page = query.take_page()?;
    query.finish()?;
    app.store.endpoint(&caller.workspace, &id).await?;
    let found = app.store.recoveries(&id, page.skip(), page.per_page).await?;
    Ok(view::recoveries(&found.recoveries, found.total, page))
}
