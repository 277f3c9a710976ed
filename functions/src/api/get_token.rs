//! `GET /token`: what the token that asks may do, and until when.

use lambda_http::Request;

use crate::app::App;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// The route. A token needs no scope to be told which ones it has.
pub const ROUTE: Route = Route {
    variables: &["TOKENS_TABLE"],
    scope: None,
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Shows the token's grant, which was read to let the request in.
#[expect(clippy::unused_async, reason = "every handler has the same signature")]
async fn handle(_: &App, caller: &Caller, request: Request) -> Answer {
    Query::of(&request).finish()?;
    Ok(view::token(caller))
}
