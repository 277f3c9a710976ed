//! The REST contract, a module per promise. Every answer is held against `openapi.yaml` on the way, by the library.

mod all_deliveries;
mod annotations;
mod bad_input;
mod concurrency;
mod deletion;
mod events;
mod health;
mod history;
mod isolation;
mod links;
mod openapi;
mod receivers_page;
mod retrying;
mod rotation;
mod schemathesis;
mod seed;
mod statistics;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::id::{DeliveryId, EventId};
use shared::domain::task::{Kind, Task};
use tests::workspace::ApiAnswer;
use tests::{Workspace, event_types, eventually};

/// Panics unless the answer is an error of this status with the body that all errors have.
pub(super) fn assert_problem(answer: &ApiAnswer, status: StatusCode, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json", "{what}");
    assert_eq!(answer.body["statusCode"], status.as_u16(), "{what}");
    assert_eq!(
        answer.body["error"],
        status.canonical_reason().unwrap_or_default(),
        "{what}"
    );
    assert_ne!(answer.body["message"].as_str().unwrap_or_default(), "", "{what}");
    let names_fields = answer.body.get("errors").is_some();
    assert_eq!(names_fields, status == StatusCode::UNPROCESSABLE_ENTITY, "{what}");
}

/// The fields that a 422 complains about, in its order.
pub(super) fn bad_fields(answer: &ApiAnswer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

/// The path of a delivery, made by a test event: it has one attempt.
async fn test_delivery(workspace: &Workspace, endpoint: &str) -> String {
    let answer = workspace
        .post(
            &format!("/{endpoint}/test"),
            &json!({ "event": event_types::one() }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let id = answer.body["id"].as_str().expect("an id");
    format!("/{endpoint}/deliveries/{id}")
}

/// Waits until the delivery of this path has `status`, and returns it with its attempts.
async fn wait_until_status(workspace: &Workspace, delivery: &str, status: &str) -> Value {
    eventually(&format!("{delivery} is {status}"), async || {
        let answer = workspace.get(delivery).await;
        (answer.body["status"] == status).then_some(answer.body)
    })
    .await
}

/// The message of a delivery whose event was accepted long ago.
fn late_delivery(workspace: &Workspace, endpoint: &str, accepted_at: Timestamp) -> String {
    let event = workspace.event("poster.scanned");
    let event_id: EventId = event.id.parse().expect("an event's id");
    let endpoint = endpoint.parse().expect("an endpoint's id");
    let task = Task {
        workspace: workspace.id.parse().expect("a workspace's id"),
        delivery: DeliveryId::derive(accepted_at, &event_id, &endpoint),
        endpoint,
        event_id,
        event: "poster.scanned".to_owned().try_into().expect("a name"),
        attempt: 1,
        kind: Kind::Automatic,
        manual_retry: None,
        body: Some(event.body),
    };
    serde_json::to_string(&task).expect("JSON")
}
