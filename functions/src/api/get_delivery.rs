//! `GET /:id/deliveries/:delivery_id`: one delivery with its attempts and its payload.

use lambda_http::Request;
use shared::domain::id::{DeliveryId, EndpointId};
use shared::domain::token::Scope;

use crate::app::App;
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

/// Shows the delivery.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let delivery_id: DeliveryId = request::path_id(&request, "delivery_id")?;
    app.store.endpoint(&caller.workspace, &id).await?;
    let delivery = app.store.delivery(&id, &delivery_id).await?;
    let payload = app
        .store
        .event_body(&caller.workspace, &delivery.event_id)
        .await?;
    Ok(view::delivery_with_attempts(&delivery, payload.as_deref()))
}
