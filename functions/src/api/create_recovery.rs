//! `POST /:id/recoveries`: an endpoint gets back what failed, or what it missed.

use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use lambda_http::http::{StatusCode, header::HeaderValue, header::LOCATION};
use shared::Conflict;
use shared::clock;
use shared::domain::endpoint::Subscriptions;
use shared::domain::id::{EndpointId, RecoveryId};
use shared::domain::recovery::{Include, Recovery, Wanted};
use shared::domain::time;
use shared::domain::token::Scope;
use shared::queues::Turn;

use crate::app::App;
use crate::problem::{FieldErrors, Problem};
use crate::request::{self, both};
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// How long after the first turn is due its second message comes. Later than this function's time-out, so that the
/// message sees how the start ended.
const SECOND_MESSAGE_AFTER_SECONDS: u16 = 60;

/// Deliveries a second unless something else is asked for.
const DEFAULT_PER_SECOND: u16 = 20;

/// Most deliveries a second: two pages of them.
const MAX_PER_SECOND: u16 = 200;

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "OPERATOR_WORKSPACE",
        "POST_DEADLINE_SECONDS",
        "RECOVERIES_QUEUE_URL",
        "RETENTION_DAYS",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Retry),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Starts the recovery. Two messages bring its first turn: one that comes later is sent before the recovery is written,
/// so that it can't stand still if this function dies; the other comes when the turn is due, and then the first does
/// nothing.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let now = app.clock.now();
    let wanted = parse(app, caller, &request, now)?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    if !endpoint.enabled {
        return Err(Conflict::EndpointDisabled.into());
    }
    let wait = first_turn_in(app, wanted.include);
    let recovery_id = RecoveryId::new(now, clock::random_number());
    let recovery = Recovery::started(id, recovery_id, wanted, now, wait);
    let turn = Turn {
        workspace: caller.workspace.clone(),
        endpoint: recovery.endpoint.clone(),
        recovery: recovery.id.clone(),
        turn: recovery.progress.turn,
    };
    let (queue, due_in) = (&app.config.queues.recoveries, recovery.delay_seconds(now));
    let later = turn.outgoing(due_in + SECOND_MESSAGE_AFTER_SECONDS)?;
    app.queues.send_one(queue, later).await?;
    app.store.start_recovery(&caller.workspace, &recovery).await?;
    if let Err(error) = app.queues.send_one(queue, turn.outgoing(due_in)?).await {
        tracing::warn!(error = error.chain(), recovery.id = %recovery.id, "a recovery starts late");
    }
    let mut response = view::recovery(StatusCode::ACCEPTED, &recovery);
    let location = format!(
        "/api/integrations/webhooks/{}/recoveries/{}",
        recovery.endpoint, recovery.id
    );
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// What is missing is looked for when first attempts that are under way now must have been recorded.
fn first_turn_in(app: &App, include: Include) -> SignedDuration {
    match include {
        Include::Failed => SignedDuration::ZERO,
        Include::Missing => {
            let seconds = app.config.post_deadline.as_secs().saturating_mul(2);
            SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
        }
    }
}

fn parse(app: &App, caller: &Caller, request: &Request, now: Timestamp) -> Result<Wanted, Problem> {
    let mut fields = request::json_object(request)?;
    let since = fields.required("since", |value| instant(&value, now));
    let until = fields.optional("until", |value| instant(&value, now));
    let until = until.and_then(|until| match (&since, until) {
        (Ok(since), Some(until)) if until < *since => {
            Err(FieldErrors::one("until", "must not be before since"))
        }
        _ => Ok(until),
    });
    let events = fields.optional("events", request::events(app.catalogue(&caller.workspace)));
    let include = fields.optional("include", |value| include(&value));
    let per_second = fields.optional("per_second", |value| per_second(&value));
    let read = both(both(since, until), both(events, both(include, per_second)));
    let ((since, until), (events, (include, per_second))) = fields.finish(read)?;
    // Both bounds are inclusive at the seconds that are shown.
    Ok(Wanted {
        include: include.unwrap_or(Include::Failed),
        since: time::ceil_second(since),
        until: until.map_or(now, time::end_of_second),
        events: events.unwrap_or_else(Subscriptions::everything),
        per_second: per_second.unwrap_or(DEFAULT_PER_SECOND),
    })
}

fn instant(value: &serde_json::Value, now: Timestamp) -> Result<Timestamp, String> {
    let instant = value
        .as_str()
        .and_then(time::parse)
        .ok_or("must be an RFC 3339 time, such as 2026-06-07T10:30:05Z")?;
    if instant > now {
        return Err("must not be in the future".to_owned());
    }
    Ok(instant)
}

fn include(value: &serde_json::Value) -> Result<Include, String> {
    let known = [Include::Failed, Include::Missing];
    let include = known
        .into_iter()
        .find(|include| value.as_str() == Some(include.as_str()));
    include.ok_or_else(|| "must be failed or missing".to_owned())
}

fn per_second(value: &serde_json::Value) -> Result<u16, String> {
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number
        .filter(|number| (1..=MAX_PER_SECOND).contains(number))
        .ok_or(format!("must be a whole number from 1 to {MAX_PER_SECOND}"))
}
