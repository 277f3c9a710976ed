//! An endpoint's health, as its owner sees it change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use http::StatusCode;
use jiff::Timestamp;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::{Workspace, eventually, receivers};

use super::{test_delivery, wait_until_status};
use crate::promises::STACK;

/// An endpoint whose receiver answers with a status that can be changed.
struct Patient {
    workspace: Workspace,
    endpoint: String,
    answer: Arc<AtomicU16>,
    _receiver: Receiver,
}

impl Patient {
    async fn new() -> Self {
        let answer = Arc::new(AtomicU16::new(200));
        let receiver = receivers::answering(&answer).await;
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        Self {
            workspace,
            endpoint,
            answer,
            _receiver: receiver,
        }
    }

    async fn shown(&self) -> Value {
        self.workspace.get(&format!("/{}", self.endpoint)).await.body
    }

    /// Sends a test event, which has one attempt and which a disabled endpoint gets too.
    async fn attempt(&self, answer: u16, status: &str) {
        self.answer.store(answer, Ordering::SeqCst);
        let delivery = test_delivery(&self.workspace, &self.endpoint).await;
        wait_until_status(&self.workspace, &delivery, status).await;
    }

    async fn patch(&self, body: Value) -> Value {
        let answer = self.workspace.patch(&format!("/{}", self.endpoint), &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    /// The endpoint once its state is this one; the failure record is written after the delivery's.
    async fn becomes(&self, state: &str) -> Value {
        eventually(&format!("it is {state}"), async || {
            let shown = self.shown().await;
            (shown["health"]["state"] == state).then_some(shown)
        })
        .await
    }
}

/// Since when the state has lasted.
fn since(endpoint: &Value) -> Timestamp {
    let since = endpoint["health"]["since"].as_str().expect("a time");
    since.parse().expect("a time")
}

/// The second in which it is now, as answers show it.
fn this_second() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).expect("a time")
}

#[tokio::test]
async fn health_says_since_when_an_endpoint_has_been_well_failing_or_disabled() {
    let patient = Patient::new().await;
    let created = patient.shown().await;
    assert_eq!(
        created["health"],
        json!({ "state": "healthy", "since": created["created_at"] })
    );
    patient.attempt(200, "delivered").await;
    assert_eq!(patient.shown().await, created, "a success changes nothing");

    let before = this_second();
    patient.attempt(500, "failed").await;
    let failing = patient.becomes("failing").await;
    assert!(since(&failing) >= before);
    patient.attempt(500, "failed").await;
    assert_eq!(patient.shown().await, failing, "another failure neither");

    let before = this_second();
    patient.attempt(200, "delivered").await;
    let well = patient.becomes("healthy").await;
    assert!(since(&well) >= before);
    assert_eq!(well["updated_at"], created["updated_at"], "nobody changed it");
    let enabled_again = patient.patch(json!({ "enabled": true })).await;
    assert_eq!(enabled_again["health"], well["health"], "it was enabled before");

    patient.attempt(410, "failed").await;
    let gone = patient.becomes("disabled").await;
    assert_eq!(gone["disabled_reason"], "gone");
    assert!(since(&gone) >= since(&well));
    let disabled_again = patient.patch(json!({ "enabled": false })).await;
    assert_eq!(disabled_again["health"], gone["health"], "it was disabled before");
    patient.attempt(200, "delivered").await;
    assert_eq!(
        patient.shown().await["health"],
        gone["health"],
        "a test event enables nothing"
    );

    let before = this_second();
    let enabled = patient.patch(json!({ "enabled": true })).await;
    assert_eq!(enabled["health"]["state"], "healthy");
    assert!(since(&enabled) >= before);
}

#[tokio::test]
async fn an_endpoint_that_is_created_disabled_is_disabled_since_then() {
    let workspace = Workspace::new(&STACK).await;
    let body = json!({ "url": "https://hooks.example.com/", "events": ["*"], "enabled": false });

    let created = workspace.post("", &body).await.body;

    assert_eq!(
        created["health"],
        json!({ "state": "disabled", "since": created["created_at"] })
    );
}
