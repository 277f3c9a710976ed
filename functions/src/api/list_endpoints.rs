//! `GET /`: the workspace's endpoints, oldest first.

use lambda_http::Request;

use crate::app::App;
use crate::request::Query;
use crate::serve::{Answer, Caller};
use crate::view;

/// Lists the endpoints.
pub async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let mut query = Query::of(&request);
    let page = query.take_page()?;
    query.finish()?;
    let endpoints = app.store.endpoints(&caller.workspace).await?;
    Ok(view::endpoints(&endpoints, page))
}
