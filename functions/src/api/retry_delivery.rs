//! `POST /:id/deliveries/:delivery_id/retry`: one further attempt of a failed delivery.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::Conflict;
use shared::clock;
use shared::domain::delivery::Delivery;
use shared::domain::id::{DeliveryId, EndpointId};
use shared::domain::lane::Lane;
use shared::domain::task::{Kind, Task};
use shared::domain::token::Scope;
use shared::domain::wait::MAX_DELAY_SECONDS;
use shared::queues::Outgoing;

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// How long after the deadline of the attempt its second message comes.
const SECOND_MESSAGE_AFTER_SECONDS: u64 = 60;

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_QUEUE_URL",
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "POST_DEADLINE_SECONDS",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Retry),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Puts one further attempt on its way. Two messages make it: one that comes later is sent before the delivery is
/// made pending, so that it can't stay pending if this function dies; the other makes the attempt at once, and
/// `deliver` then skips the first. Of two retries at once only one names the record's retry, so the messages of
/// the other do nothing.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let delivery_id: DeliveryId = request::path_id(&request, "delivery_id")?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let delivery = app.store.delivery(&id, &delivery_id).await?;
    let manual_retry = clock::random_token();
    let Some(reopened) = delivery.clone().reopened(&manual_retry) else {
        return Err(Conflict::not_failed(&delivery).into());
    };
    if !endpoint.takes(Kind::Manual) {
        return Err(Conflict::EndpointDisabled.into());
    }
    let task = task(caller, &delivery, &manual_retry);
    let queue = app.config.queues.of_lane(Lane::of(&task, &endpoint));
    let later = SECOND_MESSAGE_AFTER_SECONDS + app.config.post_deadline.as_secs();
    let later = u16::try_from(later).unwrap_or(MAX_DELAY_SECONDS);
    app.queues.send_one(queue, Outgoing::task(&task, later)?).await?;
    let delivery = app.store.reopen_delivery(&reopened).await?;
    if let Err(error) = app.queues.send_one(queue, Outgoing::task(&task, 0)?).await {
        tracing::warn!(error = error.chain(), delivery.id = %delivery.id, "a retry starts late");
    }
    Ok(view::delivery(StatusCode::ACCEPTED, &delivery))
}

fn task(caller: &Caller, delivery: &Delivery, manual_retry: &str) -> Task {
    Task {
        workspace: caller.workspace.clone(),
        endpoint: delivery.endpoint.clone(),
        delivery: delivery.id.clone(),
        event_id: delivery.event_id.clone(),
        event: delivery.event.clone(),
        attempt: delivery.attempt_count + 1,
        kind: Kind::Manual,
        manual_retry: Some(manual_retry.to_owned()),
        body: None,
    }
}
