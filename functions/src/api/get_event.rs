//! `GET /events/:event_id`: one event with its delivery at each endpoint that has one.

use lambda_http::Request;
use shared::domain::id::EventId;
use shared::domain::token::Scope;
use shared::store::RowKeys;

use crate::app::App;
use crate::problem::Problem;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "EVENTS_TABLE",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Shows the event. The ids of its deliveries follow from those of the endpoints, so there is one key to read for each.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EventId = request::path_id(&request, "event_id")?;
    let event = app.store.event(&caller.workspace, &id).await?;
    if !event.is_kept(app.clock.now()) {
        return Err(Problem::NotFound);
    }
    let endpoints = app.store.endpoints(&caller.workspace).await?;
    let possible: Vec<_> = endpoints
        .iter()
        .map(|endpoint| (&endpoint.id, event.delivery_at(&endpoint.id)))
        .collect();
    let mut keys = RowKeys::default();
    for (endpoint, delivery) in &possible {
        keys.add_delivery(endpoint, delivery);
    }
    let rows = app.store.read(keys).await?;
    let deliveries: Vec<_> = possible
        .iter()
        .filter_map(|(endpoint, delivery)| rows.delivery(endpoint, delivery))
        .collect();
    Ok(view::event(&event, &deliveries))
}
