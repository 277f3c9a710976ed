//! `POST /:id/deliveries/:delivery_id/retry`: one further attempt of a delivery that failed, or the next one of a delivery
//! that waits, now.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::Conflict;
use shared::clock;
use shared::domain::id::{DeliveryId, EndpointId};
use shared::domain::lane::Lane;
use shared::domain::manual_retry::ManualRetry;
use shared::domain::task::Task;
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
        "RETRIES_QUEUE_URL",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Retry),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Puts one further attempt on its way. Two messages make it: one that comes later is sent before the record says that
/// the retry is under way, so that the delivery can't stay pending if this function dies; the other makes the attempt at
/// once, and `deliver` then skips the first. Of two retries at once only one names the record's retry, so the messages
/// of the other do nothing; nor does the message that was to make the next attempt later.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let delivery_id: DeliveryId = request::path_id(&request, "delivery_id")?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let delivery = app.store.delivery(&id, &delivery_id).await?;
    let retry =
        ManualRetry::of(&delivery, &clock::random_token(), app.clock.now()).map_err(Conflict::from)?;
    if !endpoint.takes(retry.kind) {
        return Err(Conflict::EndpointDisabled.into());
    }
    let task = Task::after(&retry.record, retry.kind, &caller.workspace);
    let queue = app.config.queues.of_lane(Lane::of(&task, &endpoint));
    let later = SECOND_MESSAGE_AFTER_SECONDS + app.config.post_deadline.as_secs();
    let later = u16::try_from(later).unwrap_or(MAX_DELAY_SECONDS);
    app.queues.send_one(queue, Outgoing::task(&task, later)?).await?;
    let delivery = app
        .store
        .begin_retry(retry.record, delivery.next_attempt_at)
        .await?;
    if let Err(error) = app.queues.send_one(queue, Outgoing::task(&task, 0)?).await {
        tracing::warn!(error = error.chain(), delivery.id = %delivery.id, "a retry starts late");
    }
    Ok(view::delivery(StatusCode::ACCEPTED, &delivery))
}
