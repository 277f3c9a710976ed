//! How things look in answers: the shapes of the API, made from domain types and from nothing else.

mod statistics;

use std::collections::BTreeMap;

use lambda_http::Body;
use lambda_http::http::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::domain::delivery::{Attempt, Delivery, Failure};
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::event::AcceptedEvent;
use shared::domain::health::{Health, State};
use shared::domain::recovery::Recovery;
use shared::domain::secret::Secret;
use shared::domain::time;
use shared::domain::token::Scope;

pub use statistics::statistics;

use crate::answer::json;
use crate::page::{CursorMeta, PageRequest};
use crate::serve::Caller;

#[derive(Serialize)]
struct EndpointView<'a> {
    id: &'a str,
    url: &'a str,
    events: &'a [String],
    description: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    enabled: bool,
    disabled_reason: Option<DisabledReason>,
    health: HealthView,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct HealthView {
    state: State,
    since: Option<String>,
}

#[derive(Serialize)]
struct DeliveryView<'a> {
    id: &'a str,
    /// Only where deliveries of several endpoints are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_id: Option<&'a str>,
    event: &'a str,
    event_id: &'a str,
    status: &'a str,
    attempt_count: u32,
    http_status: Option<u16>,
    created_at: Option<String>,
    delivered_at: Option<String>,
    next_attempt_at: Option<String>,
    last_error: Option<&'a str>,
    test: bool,
    /// Only where one delivery is shown; so is the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'a>>,
}

/// The event's bytes as they are; `null` once the event has expired.
type Payload<'a> = Option<&'a RawValue>;

#[derive(Serialize)]
struct AttemptView<'a> {
    at: String,
    http_status: Option<u16>,
    duration_ms: u64,
    error: Option<&'a str>,
    response_body: Option<&'a str>,
    response_headers: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct EventView<'a> {
    id: &'a str,
    event: &'a str,
    created_at: String,
    accepted_at: String,
    test: bool,
    payload: Payload<'a>,
    deliveries: Vec<DeliveryView<'a>>,
}

#[derive(Serialize)]
struct RecoveryView<'a> {
    id: &'a str,
    status: &'a str,
    include: &'a str,
    since: String,
    until: String,
    events: &'a [String],
    per_second: u16,
    total: Option<u64>,
    retried: u64,
    delivered: u64,
    failed: u64,
    started_at: String,
    finished_at: Option<String>,
}

#[derive(Serialize)]
struct TokenView<'a> {
    workspace_id: &'a str,
    scopes: &'a [Scope],
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct ListView<T, M> {
    data: Vec<T>,
    meta: M,
}

/// An endpoint, without its secret.
#[must_use]
pub fn endpoint(endpoint: &Endpoint) -> Response<Body> {
    json(StatusCode::OK, &endpoint_view(endpoint, None))
}

/// An endpoint with its new secret, which is shown this once.
#[must_use]
pub fn endpoint_with_secret(status: StatusCode, endpoint: &Endpoint, secret: &Secret) -> Response<Body> {
    json(status, &endpoint_view(endpoint, Some(secret)))
}

/// A page of endpoints.
#[must_use]
pub fn endpoints(endpoints: &[Endpoint], page: PageRequest) -> Response<Body> {
    let shown = endpoints
        .iter()
        .skip(page.skip())
        .take(page.per_page)
        .map(|endpoint| endpoint_view(endpoint, None));
    list(shown.collect(), endpoints.len(), page)
}

/// A delivery.
#[must_use]
pub fn delivery(status: StatusCode, delivery: &Delivery) -> Response<Body> {
    json(status, &delivery_view(delivery))
}

/// A page of deliveries.
#[must_use]
pub fn deliveries(deliveries: &[Delivery], total: usize, page: PageRequest) -> Response<Body> {
    list(deliveries.iter().map(delivery_view).collect(), total, page)
}

/// A page of deliveries of several endpoints, and the cursor of the next one.
#[must_use]
pub fn deliveries_across(deliveries: &[Delivery], next: Option<&str>, per_page: usize) -> Response<Body> {
    let data: Vec<_> = deliveries.iter().map(delivery_at_endpoint).collect();
    let meta = CursorMeta { next, per_page };
    json(StatusCode::OK, &ListView { data, meta })
}

/// A delivery with its attempts and the event's bytes as they are; `null` once the event has expired.
#[must_use]
pub fn delivery_with_attempts(delivery: &Delivery, payload: Option<&str>) -> Response<Body> {
    let attempts = delivery.attempts.iter().map(attempt_view).collect();
    let shown = DeliveryView {
        attempts: Some(attempts),
        payload: Some(payload.and_then(|payload| serde_json::from_str(payload).ok())),
        ..delivery_view(delivery)
    };
    json(StatusCode::OK, &shown)
}

/// An event with its deliveries.
#[must_use]
pub fn event(accepted: &AcceptedEvent, deliveries: &[&Delivery]) -> Response<Body> {
    let event = &accepted.event;
    let shown = EventView {
        id: event.id.as_str(),
        event: event.name.as_str(),
        created_at: time::format(event.created_at),
        accepted_at: time::format(accepted.accepted_at),
        test: accepted.test,
        payload: serde_json::from_str(&event.body).ok(),
        deliveries: deliveries
            .iter()
            .map(|delivery| delivery_at_endpoint(delivery))
            .collect(),
    };
    json(StatusCode::OK, &shown)
}

/// A recovery.
#[must_use]
pub fn recovery(status: StatusCode, recovery: &Recovery) -> Response<Body> {
    json(status, &recovery_view(recovery))
}

/// A page of recoveries.
#[must_use]
pub fn recoveries(recoveries: &[Recovery], total: usize, page: PageRequest) -> Response<Body> {
    list(recoveries.iter().map(recovery_view).collect(), total, page)
}

/// What the token of a request allows.
#[must_use]
pub fn token(caller: &Caller) -> Response<Body> {
    let shown = TokenView {
        workspace_id: caller.workspace.as_str(),
        scopes: &caller.scopes,
        expires_at: caller.expires_at.map(time::format),
    };
    json(StatusCode::OK, &shown)
}

fn recovery_view(recovery: &Recovery) -> RecoveryView<'_> {
    RecoveryView {
        id: recovery.id.as_str(),
        status: recovery.status.as_str(),
        include: recovery.wanted.include.as_str(),
        since: time::format(recovery.wanted.since),
        until: time::format(recovery.wanted.until),
        events: recovery.wanted.events.names(),
        per_second: recovery.wanted.per_second,
        total: recovery.counts.total,
        retried: recovery.counts.retried,
        delivered: recovery.counts.delivered,
        failed: recovery.counts.failed,
        started_at: time::format(recovery.started_at),
        finished_at: recovery.finished_at.map(time::format),
    }
}

fn endpoint_view<'a>(endpoint: &'a Endpoint, secret: Option<&Secret>) -> EndpointView<'a> {
    EndpointView {
        id: endpoint.id.as_str(),
        url: &endpoint.url,
        events: endpoint.events.names(),
        description: endpoint.description.text(),
        metadata: endpoint.metadata.entries(),
        enabled: endpoint.enabled,
        disabled_reason: endpoint.disabled_reason,
        health: health_view(Health::of(endpoint)),
        secret: secret.map(Secret::reveal),
        created_at: time::format(endpoint.created_at),
        updated_at: time::format(endpoint.updated_at),
    }
}

fn health_view(health: Health) -> HealthView {
    HealthView {
        state: health.state,
        since: health.since.map(time::format),
    }
}

fn delivery_view(delivery: &Delivery) -> DeliveryView<'_> {
    DeliveryView {
        id: delivery.id.as_str(),
        endpoint_id: None,
        event: delivery.event.as_str(),
        event_id: delivery.event_id.as_str(),
        status: delivery.status.as_str(),
        attempt_count: delivery.attempt_count,
        http_status: delivery.http_status(),
        created_at: delivery.id.accepted_at().map(time::format),
        delivered_at: delivery.delivered_at().map(time::format),
        next_attempt_at: delivery.next_attempt_at.map(time::format),
        last_error: delivery.last_error.map(Failure::as_str),
        test: delivery.test,
        attempts: None,
        payload: None,
    }
}

fn delivery_at_endpoint(delivery: &Delivery) -> DeliveryView<'_> {
    DeliveryView {
        endpoint_id: Some(delivery.endpoint.as_str()),
        ..delivery_view(delivery)
    }
}

fn attempt_view(attempt: &Attempt) -> AttemptView<'_> {
    AttemptView {
        at: time::format(attempt.at),
        http_status: attempt.http_status,
        duration_ms: attempt.duration_ms,
        error: attempt.failure.map(Failure::as_str),
        response_body: attempt.response_body.as_deref(),
        response_headers: Some(attempt.response_headers.by_name()).filter(|headers| !headers.is_empty()),
    }
}

fn list<T: Serialize>(data: Vec<T>, total: usize, page: PageRequest) -> Response<Body> {
    let meta = page.of(total);
    json(StatusCode::OK, &ListView { data, meta })
}
