//! What the unit tests of the domain are made of.

use jiff::Timestamp;

use super::annotations::{Description, Metadata};
use super::delivery::{Attempt, Delivery, Failure};
use super::endpoint::{Endpoint, Subscriptions};
use super::event_type::EventName;
use super::failure_record::FailureRecord;
use super::task::{Kind, Task};

/// The attempt with this number.
pub(crate) fn task(attempt: u32, kind: Kind) -> Task {
    Task {
        workspace: "ws_1".parse().unwrap(),
        endpoint: "whe_1".parse().unwrap(),
        delivery: "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
        event_id: "evt_1".parse().unwrap(),
        event: event_name(),
        attempt,
        kind,
        manual_retry: None,
        body: None,
    }
}

/// A name that is not in the catalogue.
pub(crate) fn event_name() -> EventName {
    "a.b".to_owned().try_into().unwrap()
}

/// Names that need not be in the catalogue, which is another one in each product.
pub(crate) fn subscriptions(names: &[&str]) -> Subscriptions {
    serde_json::from_value(serde_json::json!(names)).unwrap()
}

/// An endpoint that takes everything.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        workspace: "ws_1".parse().unwrap(),
        id: "whe_1".parse().unwrap(),
        url: "https://example.com".to_owned(),
        events: subscriptions(&["*"]),
        description: Description::default(),
        metadata: Metadata::default(),
        enabled: true,
        switched_at: None,
        disabled_reason: None,
        secret_version: "v".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        failures: FailureRecord::default(),
        recovery: None,
    }
}

/// One that takes nothing but tests.
pub(crate) fn disabled_endpoint() -> Endpoint {
    Endpoint {
        enabled: false,
        ..endpoint()
    }
}

/// An attempt that was answered with this status.
pub(crate) fn attempt(http_status: u16) -> Attempt {
    Attempt {
        http_status: Some(http_status),
        duration_ms: 5,
        failure: (http_status >= 300).then_some(Failure::Status),
        ..Attempt::interrupted(Timestamp::UNIX_EPOCH)
    }
}

/// The record of a task's delivery after attempts that were answered with these statuses.
pub(crate) fn record(task: &Task, statuses: &[u16]) -> Delivery {
    statuses.iter().fold(Delivery::pending(task), |record, status| {
        record.after(attempt(*status), task.kind)
    })
}
