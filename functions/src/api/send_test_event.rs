//! `POST /:id/test`: delivers the sample of an event type, once.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::Error;
use shared::clock;
use shared::domain::delivery::Delivery;
use shared::domain::event::Event;
use shared::domain::event_type::EventType;
use shared::domain::id::{DeliveryId, EndpointId, EventId};
use shared::domain::lane::Lane;
use shared::domain::task::{self, Kind, Task};
use shared::domain::token::Scope;
use shared::queues::Outgoing;

use crate::app::App;
use crate::problem::Problem;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_QUEUE_URL",
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "EVENTS_TABLE",
        "OPERATOR_WORKSPACE",
        "RETENTION_DAYS",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Retry),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Puts a test event on its way. The message goes before the record: should this function die in between,
/// `deliver` makes the record itself.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let event_type = parse(app, caller, &request)?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let now = app.clock.now();
    let event_id = EventId::new(now, clock::random_number());
    let event = Event::sample(event_type, &caller.workspace, &event_id, now)
        .map_err(Error::sample(event_type.name))?;
    let task = Task {
        workspace: caller.workspace.clone(),
        delivery: DeliveryId::derive(now, &event_id, &id),
        endpoint: id,
        event: event.name.clone(),
        event_id,
        attempt: 1,
        kind: Kind::Test,
        manual_retry: None,
        body: task::inline_body(&event.body),
    };
    app.store.put_event(&event, now).await?;
    let queue = app.config.queues.of_lane(Lane::of(&task, &endpoint));
    app.queues.send_one(queue, Outgoing::task(&task, 0)?).await?;
    let delivery = Delivery::pending(&task);
    app.store.put_delivery_if_absent(&delivery).await?;
    Ok(view::delivery(StatusCode::ACCEPTED, &delivery))
}

fn parse(app: &App, caller: &Caller, request: &Request) -> Result<&'static EventType, Problem> {
    let mut fields = request::json_object(request)?;
    let event_type = fields.required("event", request::event_type(app.catalogue(&caller.workspace)));
    fields.finish(event_type)
}
