//! Deliveries end when their endpoint does: gone, failing, disabled or deleted. No request follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use local::receiver::{Answer, Receiver};
use serde_json::{Value, json};
use tests::{PATIENCE, Workspace, eventually, eventually_within, receivers};

use crate::survival::STACK;

/// A wait that the queue's delay covers, and one that takes the scheduler.
const WAITS: [u64; 2] = [4, 15];

/// How much later the marker's retry is due than the one that must not come.
const MARGIN: u64 = 3;

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_receives_nothing_more() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::always(Answer::status(410)).await;
    let marker = receivers::healthy().await;
    let gone = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    let event = workspace.send_event("poster.scanned").await;
    let delivery = workspace.wait_for_delivery(&gone.id, &event, "failed").await;

    assert_eq!(delivery["http_status"], 410);
    assert_eq!(delivery["attempt_count"], 1);
    let endpoint = workspace.get(&format!("/{}", gone.id)).await.body;
    assert_eq!(endpoint["enabled"], false);
    assert_eq!(endpoint["disabled_reason"], "gone");
    workspace.create_endpoint(&marker.url("/"), &["*"]).await;
    workspace.send_event("poster.scanned").await;
    marker
        .wait_for(1, PATIENCE)
        .await
        .expect("the later event arrives");
    assert_eq!(workspace.deliveries(&gone.id).await.len(), 1);
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_is_disabled_until_its_owner_enables_it() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let healthy = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&healthy);
    let status = move || if state.load(Ordering::SeqCst) { 200 } else { 500 };
    let receiver = Receiver::start(move |_| Answer::status(status()))
        .await
        .expect("a receiver");
    let failing = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let path = format!("/{}", failing.id);

    let event = workspace.send_event("poster.scanned").await;
    let delivery = wait_for_delivery(&workspace, &failing.id, &event.id, "failed").await;

    assert_eq!(delivery["attempt_count"], 11);
    assert_eq!(delivery["last_error"], "status");
    assert_eq!(delivery["next_attempt_at"], Value::Null);
    assert_eq!(receiver.received().len(), 11);
    let endpoint = eventually("the endpoint is disabled", async || {
        let endpoint = workspace.get(&path).await.body;
        (endpoint["enabled"] == false).then_some(endpoint)
    });
    assert_eq!(endpoint.await["disabled_reason"], "failing");

    let enabled = workspace.patch(&path, &json!({ "enabled": true })).await;
    assert_eq!(enabled.body["disabled_reason"], Value::Null);
    let event = workspace.send_event("poster.scanned").await;
    receiver.wait_for(12, PATIENCE).await.expect("it receives again");
    healthy.store(true, Ordering::SeqCst);
    workspace
        .wait_for_delivery(&failing.id, &event, "delivered")
        .await;
    assert_eq!(workspace.get(&path).await.body["enabled"], true);
}

#[tokio::test]
async fn an_endpoint_disabled_while_retries_wait_receives_nothing_more() {
    let _turn = STACK.together().await;
    futures::future::join_all(WAITS.map(async |wait| {
        let stage = Stage::set(wait).await;

        let path = format!("/{}", stage.endpoint);
        let disabled = stage.workspace.patch(&path, &json!({ "enabled": false })).await;
        assert_eq!(disabled.status, StatusCode::OK);

        stage.wait_until_the_retry_is_overdue().await;
        let deliveries = stage.workspace.deliveries(&stage.endpoint).await;
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0]["status"], "failed", "{}", deliveries[0]);
        assert_eq!(deliveries[0]["last_error"], "endpoint_disabled");
        assert_eq!(deliveries[0]["attempt_count"], 1);
        assert_eq!(deliveries[0]["next_attempt_at"], Value::Null);
    }))
    .await;
}

#[tokio::test]
async fn an_endpoint_deleted_while_retries_wait_receives_nothing_more() {
    let _turn = STACK.together().await;
    futures::future::join_all(WAITS.map(async |wait| {
        let stage = Stage::set(wait).await;

        let path = format!("/{}", stage.endpoint);
        let deleted = stage.workspace.delete(&path).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);

        stage.wait_until_the_retry_is_overdue().await;
        let history = stage.workspace.get(&format!("{path}/deliveries")).await;
        assert_eq!(history.status, StatusCode::NOT_FOUND);
    }))
    .await;
}

/// Two endpoints that ask for time at their first request; the marker asks for a little more.
struct Stage {
    workspace: Workspace,
    endpoint: String,
    receiver: Receiver,
    marker: Receiver,
}

impl Stage {
    /// Returns when the retries of both wait.
    async fn set(wait_seconds: u64) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::busy(wait_seconds).await;
        let marker = receivers::busy(wait_seconds + MARGIN).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let other = workspace.create_endpoint(&marker.url("/"), &["*"]).await.id;
        workspace.send_event("poster.scanned").await;
        for id in [&endpoint, &other] {
            eventually("a retry that waits", async || {
                let deliveries = workspace.deliveries(id).await;
                deliveries
                    .first()
                    .filter(|delivery| delivery["next_attempt_at"].is_string())
                    .map(|_| ())
            })
            .await;
        }
        assert_eq!(receiver.received().len(), 1);
        Self {
            workspace,
            endpoint,
            receiver,
            marker,
        }
    }

    async fn wait_until_the_retry_is_overdue(&self) {
        let marked = self.marker.wait_for(2, PATIENCE).await;
        marked.expect("the marker's retry arrives");
        assert_eq!(self.receiver.received().len(), 1);
    }
}

/// Waits for a delivery that takes the whole schedule.
async fn wait_for_delivery(workspace: &Workspace, endpoint: &str, event: &str, status: &str) -> Value {
    eventually_within(
        Duration::from_mins(2),
        &format!("a delivery that is {status}"),
        async || {
            let deliveries = workspace.deliveries(endpoint).await;
            deliveries
                .into_iter()
                .find(|delivery| delivery["event_id"] == event && delivery["status"] == status)
        },
    )
    .await
}
