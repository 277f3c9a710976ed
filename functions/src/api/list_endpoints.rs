//! `GET /`: the workspace's endpoints, oldest first.

use lambda_http::Request;
use shared::domain::token::Scope;

use crate::app::App;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// The route.
pub const ROUTE: Route = Route {
    variables: &["ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Lists the endpoints.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let mut query = Query::of(&request);
    let page = query.take_page()?;
    query.finish()?;
    let endpoints = app.store.endpoints(&caller.workspace).await?;
    Ok(view::endpoints(&endpoints, page))
}
