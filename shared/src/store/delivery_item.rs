//! A delivery as it is stored: at most 1 KB on the happy path, which is one write unit.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::attribute::{Fields, Item, instant, item, key, number, optional_instant, text, time};
use crate::Error;
use crate::domain::delivery::{Attempt, Delivery, Failure, Status};
use crate::domain::event_type::EventName;
use crate::domain::id::{DeliveryId, EndpointId, EventId};
use crate::domain::response_headers::ResponseHeaders;

const TABLE: &str = "deliveries";

#[derive(Deserialize)]
struct DeliveryItem {
    endpoint: EndpointId,
    delivery: DeliveryId,
    event_id: EventId,
    event: EventName,
    #[serde(default)]
    test: bool,
    status: Status,
    attempt_count: u32,
    attempts: Vec<AttemptItem>,
    #[serde(default)]
    next_attempt_at: Option<i64>,
    #[serde(default)]
    planned_for: Option<String>,
    #[serde(default)]
    last_error: Option<Failure>,
    #[serde(default)]
    manual_retry: Option<String>,
}

#[derive(Deserialize)]
struct AttemptItem {
    at: i64,
    #[serde(default)]
    http_status: Option<u16>,
    duration_ms: u64,
    #[serde(default)]
    failure: Option<Failure>,
    #[serde(default)]
    response_body: Option<String>,
    #[serde(default)]
    response_headers: ResponseHeaders,
    #[serde(default)]
    retry_after_seconds: Option<u32>,
}

/// Attributes that a record may have or not; an update removes those that it does not have.
pub(super) const OPTIONAL: [&str; 5] = [
    "next_attempt_at",
    "planned_for",
    "last_error",
    "manual_retry",
    "undelivered",
];

/// The key of a delivery in the sparse index, by its status; `None` once it is delivered.
pub(super) fn undelivered_key(status: Status, id: &DeliveryId) -> Option<String> {
    (status != Status::Delivered).then(|| format!("{}#{id}", status.as_str()))
}

/// The key of a delivery.
pub(super) fn delivery_key(endpoint: &EndpointId, id: &DeliveryId) -> Item {
    key([("endpoint", endpoint.as_str()), ("delivery", id.as_str())])
}

/// The delivery that an item is about, by its sort key.
pub(super) fn delivery_id(item: &Item) -> Option<DeliveryId> {
    item.get("delivery")?.as_s().ok()?.parse().ok()
}

/// Writes a delivery.
pub(super) fn fields(delivery: &Delivery, expires_at: i64) -> Fields {
    let attempts = delivery
        .attempts
        .iter()
        .map(|attempt| AttributeValue::M(item(attempt_fields(attempt))));
    let mut fields = vec![
        ("endpoint", text(delivery.endpoint.as_str())),
        ("delivery", text(delivery.id.as_str())),
        ("event_id", text(delivery.event_id.as_str())),
        ("event", text(delivery.event.as_str())),
        ("status", text(delivery.status.as_str())),
        ("attempt_count", number(&delivery.attempt_count)),
        ("attempts", AttributeValue::L(attempts.collect())),
        ("expires_at", number(&expires_at)),
    ];
    let undelivered = undelivered_key(delivery.status, &delivery.id);
    let optional = [
        ("test", delivery.test.then_some(AttributeValue::Bool(true))),
        ("next_attempt_at", delivery.next_attempt_at.map(time)),
        ("planned_for", delivery.planned_for.as_deref().map(text)),
        (
            "last_error",
            delivery.last_error.map(|error| text(error.as_str())),
        ),
        ("manual_retry", delivery.manual_retry.as_deref().map(text)),
        ("undelivered", undelivered.map(AttributeValue::S)),
    ];
    fields.extend(present(optional));
    fields
}

fn attempt_fields(attempt: &Attempt) -> Fields {
    let mut fields = vec![
        ("at", time(attempt.at)),
        ("duration_ms", number(&attempt.duration_ms)),
    ];
    let headers = attempt.response_headers.by_name().iter();
    let headers: Item = headers.map(|(name, value)| (name.clone(), text(value))).collect();
    let seconds = attempt.retry_after_seconds;
    let optional = [
        ("http_status", attempt.http_status.map(|status| number(&status))),
        ("failure", attempt.failure.map(|failure| text(failure.as_str()))),
        ("response_body", attempt.response_body.as_deref().map(text)),
        (
            "response_headers",
            (!headers.is_empty()).then_some(AttributeValue::M(headers)),
        ),
        ("retry_after_seconds", seconds.map(|seconds| number(&seconds))),
    ];
    fields.extend(present(optional));
    fields
}

fn present<const N: usize>(
    fields: [(&'static str, Option<AttributeValue>); N],
) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let fields = fields.into_iter();
    fields.filter_map(|(name, value)| value.map(|value| (name, value)))
}

/// Reads a delivery.
pub(super) fn from_item(item: Item) -> Result<Delivery, Error> {
    let item: DeliveryItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    Ok(Delivery {
        endpoint: item.endpoint,
        id: item.delivery,
        event_id: item.event_id,
        event: item.event,
        test: item.test,
        status: item.status,
        attempt_count: item.attempt_count,
        attempts: item.attempts.into_iter().map(attempt).collect::<Result<_, _>>()?,
        next_attempt_at: optional_instant(TABLE, item.next_attempt_at)?,
        planned_for: item.planned_for,
        last_error: item.last_error,
        manual_retry: item.manual_retry,
    })
}

fn attempt(item: AttemptItem) -> Result<Attempt, Error> {
    Ok(Attempt {
        at: instant(TABLE, item.at)?,
        http_status: item.http_status,
        duration_ms: item.duration_ms,
        failure: item.failure,
        response_body: item.response_body,
        response_headers: item.response_headers,
        retry_after_seconds: item.retry_after_seconds,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::task::Kind;
    use crate::domain::testing;

    #[test]
    fn a_delivery_comes_back_as_it_was_stored() {
        let delivery = Delivery {
            endpoint: "whe_1".parse().unwrap(),
            id: "del_1".parse().unwrap(),
            event_id: "evt_1".parse().unwrap(),
            event: "a.b".to_owned().try_into().unwrap(),
            test: true,
            status: Status::Pending,
            attempt_count: 1,
            attempts: vec![Attempt::interrupted(Timestamp::UNIX_EPOCH)],
            next_attempt_at: Some(Timestamp::UNIX_EPOCH),
            planned_for: Some("h".to_owned()),
            last_error: Some(Failure::Interrupted),
            manual_retry: Some("n".to_owned()),
        };

        let item = item(fields(&delivery, 7));

        assert!(OPTIONAL.iter().all(|name| item.contains_key(*name)));
        assert_eq!(from_item(item).unwrap(), delivery);
    }

    /// DynamoDB counts the bytes of names and values; its JSON has all of them and more.
    #[test]
    fn the_largest_record_is_far_below_the_400_kb_that_an_item_may_have() {
        let long = [b'x'; 1024];
        let attempt = Attempt {
            http_status: Some(503),
            response_body: Some("\u{fffd}".repeat(1024 / 3)),
            response_headers: ResponseHeaders::of(|_| Some(&long)),
            retry_after_seconds: Some(86_400),
            ..Attempt::interrupted(Timestamp::UNIX_EPOCH)
        };
        let task = testing::task(1, Kind::Manual);
        let record = Delivery::pending(&task);
        let record = (0..100).fold(record, |record, _| record.after(attempt.clone(), Kind::Manual));

        let item = serde_dynamo::Item::from(item(fields(&record, 7)));
        let bytes = serde_json::to_string(&item).unwrap().len();

        assert!((45_000..60_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn what_is_delivered_is_not_in_the_sparse_index() {
        let id = "del_1".parse().unwrap();

        assert_eq!(undelivered_key(Status::Delivered, &id), None);
        assert_eq!(
            undelivered_key(Status::Failed, &id).as_deref(),
            Some("failed#del_1")
        );
    }
}
