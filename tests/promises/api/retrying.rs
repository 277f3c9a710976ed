//! Retrying a delivery by hand: one further attempt of a delivery that failed, or the next one of a delivery that waits.

use futures::future::join_all;
use http::StatusCode;
use local::receiver::{Answer, Receiver};
use serde_json::{Value, json};
use tests::workspace::ApiAnswer;
use tests::{Workspace, eventually, receivers};

use super::{assert_problem, test_delivery, wait_until_status};
use crate::promises::STACK;

async fn retry(workspace: &Workspace, delivery: &str) -> ApiAnswer {
    workspace
        .api(http::Method::POST, &format!("{delivery}/retry"), None)
        .await
}

async fn always_500() -> Receiver {
    receivers::always(Answer::status(500)).await
}

#[tokio::test]
async fn a_failed_delivery_is_retried_with_one_attempt_and_delivered() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::recovering(1).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = test_delivery(&workspace, &endpoint).await;
    let failed = wait_until_status(&workspace, &delivery, "failed").await;
    assert_eq!(failed["delivered_at"], Value::Null);

    let answer = retry(&workspace, &delivery).await;

    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.body["status"], "pending");
    assert_eq!(answer.body["id"], failed["id"]);
    let delivered = wait_until_status(&workspace, &delivery, "delivered").await;
    assert_eq!(delivered["attempt_count"], 2);
    assert_eq!(delivered["http_status"], 200);
    assert_eq!(delivered["last_error"], Value::Null);
    assert!(delivered["delivered_at"].is_string());
    let requests = receiver.received();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
}

#[tokio::test]
async fn a_retry_that_fails_leaves_the_delivery_failed_and_is_not_followed_by_others() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = always_500().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let path = format!("/{endpoint}");
    let event = workspace.send_event("poster.scanned").await;
    let exhausted = workspace.wait_for_delivery(&endpoint, &event, "failed").await;
    let attempts = exhausted["attempt_count"].as_u64().expect("a number");
    let delivery = format!("{path}/deliveries/{}", exhausted["id"].as_str().expect("an id"));
    assert_eq!(
        workspace.patch(&path, &json!({ "enabled": true })).await.status,
        StatusCode::OK
    );

    assert_eq!(retry(&workspace, &delivery).await.status, StatusCode::ACCEPTED);

    let failed = wait_until_status(&workspace, &delivery, "failed").await;
    assert_eq!(failed["attempt_count"], attempts + 1);
    assert_eq!(failed["next_attempt_at"], Value::Null);
    assert_eq!(failed["last_error"], "status");
    assert_eq!(
        failed["attempts"].as_array().map(Vec::len),
        Some(receiver.received().len())
    );
    // Another event's whole schedule passes: an automatic retry of the first would have come in that time.
    assert_eq!(
        workspace.patch(&path, &json!({ "enabled": true })).await.status,
        StatusCode::OK
    );
    let other = workspace.send_event("poster.scanned").await;
    workspace.wait_for_delivery(&endpoint, &other, "failed").await;
    let of_first = receiver
        .received()
        .into_iter()
        .filter(|request| request.header("webhook-id") == event.id);
    assert_eq!(of_first.count() as u64, attempts + 1);
}

/// The path of an event's delivery that waits for its next attempt, at a receiver that asked for time.
async fn waiting(workspace: &Workspace, endpoint: &str) -> String {
    let event = workspace.send_event("poster.scanned").await;
    let id = eventually("a delivery that waits", async || {
        let deliveries = workspace.deliveries(endpoint).await;
        let waits =
            |delivery: &&Value| delivery["event_id"] == *event.id && delivery["next_attempt_at"].is_string();
        deliveries.iter().find(waits)?["id"].as_str().map(str::to_owned)
    });
    format!("/{endpoint}/deliveries/{}", id.await)
}

#[tokio::test]
async fn a_delivery_that_waits_is_retried_at_once() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::busy(3600).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = waiting(&workspace, &endpoint).await;

    let answer = retry(&workspace, &delivery).await;

    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.body["status"], "pending");
    assert_eq!(answer.body["next_attempt_at"], Value::Null);
    assert_eq!(answer.body["attempt_count"], 1);
    let delivered = wait_until_status(&workspace, &delivery, "delivered").await;
    assert_eq!(delivered["attempt_count"], 2);
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn of_two_retries_of_a_waiting_delivery_at_once_one_is_refused() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::busy(3600).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = waiting(&workspace, &endpoint).await;

    let answers = join_all([retry(&workspace, &delivery), retry(&workspace, &delivery)]).await;

    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    let delivered = wait_until_status(&workspace, &delivery, "delivered").await;
    assert_eq!(delivered["attempt_count"], 2);
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_waiting_delivery_of_a_disabled_endpoint_is_not_retried() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::busy(3600).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = waiting(&workspace, &endpoint).await;
    let before = workspace.get(&delivery).await.body;
    workspace
        .patch(&format!("/{endpoint}"), &json!({ "enabled": false }))
        .await;

    let answer = retry(&workspace, &delivery).await;

    assert_problem(&answer, StatusCode::CONFLICT, "disabled");
    assert_eq!(workspace.get(&delivery).await.body, before);
}

#[tokio::test]
async fn what_is_delivered_or_under_way_is_not_retried() {
    let workspace = Workspace::new(&STACK).await;
    let hanging = receivers::always(Answer::hang()).await;
    let working = receivers::healthy().await;
    let to_hanging = workspace.create_endpoint(&hanging.url("/"), &["*"]).await.id;
    let to_working = workspace.create_endpoint(&working.url("/"), &["*"]).await.id;
    let delivered = test_delivery(&workspace, &to_working).await;
    wait_until_status(&workspace, &delivered, "delivered").await;
    let under_way = test_delivery(&workspace, &to_hanging).await;

    assert_problem(
        &retry(&workspace, &under_way).await,
        StatusCode::CONFLICT,
        "under way",
    );
    assert_problem(
        &retry(&workspace, &delivered).await,
        StatusCode::CONFLICT,
        "delivered",
    );

    assert_eq!(workspace.get(&delivered).await.body["attempt_count"], 1);
}

#[tokio::test]
async fn nothing_is_retried_on_a_disabled_endpoint_until_it_is_enabled() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::recovering(1).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let path = format!("/{endpoint}");
    let delivery = test_delivery(&workspace, &endpoint).await;
    let failed = wait_until_status(&workspace, &delivery, "failed").await;
    workspace.patch(&path, &json!({ "enabled": false })).await;

    assert_problem(
        &retry(&workspace, &delivery).await,
        StatusCode::CONFLICT,
        "disabled",
    );
    assert_eq!(workspace.get(&delivery).await.body, failed);

    workspace.patch(&path, &json!({ "enabled": true })).await;
    assert_eq!(retry(&workspace, &delivery).await.status, StatusCode::ACCEPTED);
    wait_until_status(&workspace, &delivery, "delivered").await;
}

#[tokio::test]
async fn two_retries_at_once_are_one_attempt_and_one_conflict() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::recovering(5).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let mut deliveries = Vec::new();
    for _ in 0..5 {
        deliveries.push(test_delivery(&workspace, &endpoint).await);
    }
    for delivery in &deliveries {
        wait_until_status(&workspace, delivery, "failed").await;
    }

    for delivery in &deliveries {
        let answers = join_all([retry(&workspace, delivery), retry(&workspace, delivery)]).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409]);
        let delivered = wait_until_status(&workspace, delivery, "delivered").await;
        assert_eq!(delivered["attempt_count"], 2);
    }

    assert_eq!(receiver.received().len(), 2 * deliveries.len());
}
