//! A delivery as it is stored: at most 1 KB on the happy path, which is one write unit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant};
use crate::Error;
use crate::domain::delivery::{Attempt, Delivery, Failure, Status};
use crate::domain::event_type::EventName;
use crate::domain::id::{DeliveryId, EndpointId, EventId};
use crate::domain::response_headers::ResponseHeaders;

const TABLE: &str = "deliveries";

#[derive(Serialize, Deserialize)]
struct DeliveryItem {
    endpoint: EndpointId,
    delivery: DeliveryId,
    event_id: EventId,
    event: EventName,
    #[serde(default, skip_serializing_if = "is_false")]
    test: bool,
    status: Status,
    attempt_count: u32,
    attempts: Vec<AttemptItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned_for: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_error: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manual_retry: Option<String>,
    /// The key of the sparse index; what is delivered has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undelivered: Option<String>,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct AttemptItem {
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
    #[serde(default, skip_serializing_if = "ResponseHeaders::is_empty")]
    response_headers: ResponseHeaders,
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
pub(super) fn to_item(delivery: &Delivery, expires_at: i64) -> Result<Item, Error> {
    let item = DeliveryItem {
        endpoint: delivery.endpoint.clone(),
        delivery: delivery.id.clone(),
        event_id: delivery.event_id.clone(),
        event: delivery.event.clone(),
        test: delivery.test,
        status: delivery.status,
        attempt_count: delivery.attempt_count,
        attempts: delivery.attempts.iter().map(attempt_item).collect(),
        next_attempt_at: delivery.next_attempt_at.map(Timestamp::as_millisecond),
        planned_for: delivery.planned_for.clone(),
        last_error: delivery.last_error,
        manual_retry: delivery.manual_retry.clone(),
        undelivered: undelivered_key(delivery.status, &delivery.id),
        expires_at,
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
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

fn attempt_item(attempt: &Attempt) -> AttemptItem {
    AttemptItem {
        at: attempt.at.as_millisecond(),
        http_status: attempt.http_status,
        duration_ms: attempt.duration_ms,
        failure: attempt.failure,
        response_body: attempt.response_body.clone(),
        response_headers: attempt.response_headers.clone(),
        retry_after_seconds: attempt.retry_after_seconds,
    }
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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
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

        let item = to_item(&delivery, 7).unwrap();

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

        let item = serde_dynamo::Item::from(to_item(&record, 7).unwrap());
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
