//! A receive that leads to no record costs nothing, and what is handed over twice is followed once.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use http::StatusCode;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::{PATIENCE, Workspace, event_types, eventually, receivers};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

/// The queues that `deliver` reads.
const QUEUES: [&str; 2] = ["DeliveriesQueue", "RetriesQueue"];

/// How long the stranger keeps what it received.
const HIDDEN_SECONDS: i32 = 1;

/// More than the tries of the SDK.
const ALL_TRIES: usize = 8;

/// A kind of attempt, and how many are counted and made when it was delivered.
const KINDS: [(&str, usize); 3] = [("automatic", 1), ("manual", 2), ("test", 1)];

#[tokio::test]
async fn a_message_that_a_stranger_received_costs_no_attempt() {
    let _turn = STACK.alone().await;
    let mut stages = Vec::new();
    for queue in QUEUES {
        for (kind, attempts) in KINDS {
            stages.push((queue, kind, attempts, Stage::set(kind).await));
        }
    }
    while_paused(async || {
        for (queue, kind, _, stage) in &stages {
            stage.ask_for(kind).await;
            if *queue == "RetriesQueue" {
                stage.move_to_the_retries().await;
            }
        }

        for (queue, _, _, stage) in &stages {
            STACK.queue(queue).receive(&stage.endpoint, HIDDEN_SECONDS).await;
        }
    })
    .await;

    for (queue, kind, attempts, stage) in &stages {
        let delivery = stage.delivered().await;
        assert_eq!(delivery["attempt_count"], *attempts, "{kind} on {queue}");
        assert_eq!(stage.receiver.received().len(), *attempts, "{kind} on {queue}");
    }
}

#[tokio::test]
async fn an_attempt_that_five_receives_did_not_get_recorded_is_interrupted() {
    let _turn = STACK.alone().await;
    let stage = Stage::set("automatic").await;
    while_paused(async || {
        stage.ask_for("automatic").await;

        for _ in 0..5 {
            STACK.queue("DeliveriesQueue").receive(&stage.endpoint, 0).await;
        }
    })
    .await;

    let delivery = stage.delivered().await;
    assert_eq!(delivery["attempt_count"], 2);
    let path = format!(
        "/{}/deliveries/{}",
        stage.endpoint,
        delivery["id"].as_str().unwrap_or_default()
    );
    let attempts = stage.workspace.get(&path).await.body["attempts"].clone();
    assert_eq!(attempts[0]["error"], "interrupted");
    assert_eq!(stage.receiver.received().len(), 1);
    let endpoint = stage.workspace.get(&format!("/{}", stage.endpoint)).await.body;
    assert_eq!(endpoint["health"]["state"], "healthy");
    assert_ne!(
        endpoint["health"]["since"], endpoint["created_at"],
        "it was failing until its second attempt"
    );
}

#[tokio::test]
async fn a_queue_is_read_again_after_a_test_that_failed() {
    let _turn = STACK.alone().await;
    let stage = Stage::set("automatic").await;

    let paused = AssertUnwindSafe(while_paused(async || panic!("on purpose")));
    let ended: Result<(), _> = paused.catch_unwind().await;

    assert!(ended.is_err());
    stage.ask_for("automatic").await;
    stage.delivered().await;
}

#[tokio::test]
async fn a_failed_attempt_that_is_handed_over_again_is_followed_by_one() {
    let _turn = STACK.alone().await;
    let stage = Stage::set_with("automatic", receivers::recovering(1).await).await;
    let keys = [stage.endpoint.clone()];
    let failed_attempts = STACK.queue("FailedAttemptsQueue");
    let recording = proxy::record(&keys);
    // Each try puts the message there, and `deliver` learns of none.
    let lost = Fault::once("SendMessageBatch FailedAttemptsQueue", &keys, Effect::DropAfter);
    let lost = proxy::inject(lost.times(ALL_TRIES));

    let hand_over = async || {
        stage.ask_for("automatic").await;
        eventually("the attempt is handed over again", async || {
            (lost.hits() == ALL_TRIES).then_some(())
        })
        .await;
        drop(lost);
    };
    failed_attempts.while_paused(hand_over).await;

    stage.delivered().await;
    failed_attempts.wait_until_none(&stage.endpoint).await;
    STACK
        .queue("DeliveriesQueue")
        .wait_until_none(&stage.endpoint)
        .await;
    STACK.queue("RetriesQueue").wait_until_none(&stage.endpoint).await;
    let retries = recording.calls();
    let retries = retries
        .iter()
        .filter(|call| call.name == "SendMessageBatch RetriesQueue");
    assert_eq!(retries.count(), 1);
    assert_eq!(stage.receiver.received().len(), 2);
}

/// What `deliver` is killed at, and how often the event has been posted when it is delivered.
const DEATHS: [(&str, Effect, usize); 4] = [
    // Posted and not recorded: the same attempt is made again.
    ("BatchExecuteStatement DeliveriesTable", Effect::HangBefore, 3),
    // Recorded and not handed over.
    ("BatchExecuteStatement DeliveriesTable", Effect::HangAfter, 2),
    ("SendMessageBatch FailedAttemptsQueue", Effect::HangBefore, 2),
    // Handed over and not acknowledged.
    ("SendMessageBatch FailedAttemptsQueue", Effect::HangAfter, 2),
];

#[tokio::test]
async fn one_attempt_is_counted_and_one_follows_whenever_deliver_is_killed() {
    let _turn = STACK.alone().await;
    let mut stages = Vec::new();
    for (call, effect, posts) in DEATHS {
        let stage = Stage::set_with("automatic", receivers::recovering(posts - 1).await).await;
        let fault = Fault::once(call, std::slice::from_ref(&stage.endpoint), effect);
        let injected = proxy::inject(fault);
        stage.ask_for("automatic").await;
        eventually("the call hangs", async || (injected.hits() == 1).then_some(())).await;
        for process in STACK.processes_of("DeliverFunction") {
            process.kill();
        }
        stages.push((call, effect, posts, stage));
    }

    for (call, effect, posts, stage) in &stages {
        let delivery = stage.delivered().await;
        assert_eq!(delivery["attempt_count"], 2, "{effect:?} of {call}");
        assert_eq!(stage.receiver.received().len(), *posts, "{effect:?} of {call}");
    }
}

/// Does something while `deliver` is stopped.
async fn while_paused<T>(act: impl AsyncFnOnce() -> T) -> T {
    let [first, retries] = QUEUES.map(|queue| STACK.queue(queue));
    first.while_paused(async || retries.while_paused(act).await).await
}

/// An endpoint about to receive an attempt.
struct Stage {
    workspace: Workspace,
    endpoint: String,
    receiver: Receiver,
    /// What is retried by hand.
    failed: Option<String>,
}

impl Stage {
    async fn set(kind: &str) -> Self {
        let failures = usize::from(kind == "manual");
        Self::set_with(kind, receivers::recovering(failures).await).await
    }

    async fn set_with(kind: &str, receiver: Receiver) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let mut stage = Self {
            workspace,
            endpoint,
            receiver,
            failed: None,
        };
        if kind == "manual" {
            stage.ask_for("test").await;
            let delivery = stage.delivery("failed").await;
            stage.failed = delivery["id"].as_str().map(str::to_owned);
        }
        stage
    }

    /// Puts an attempt of this kind on its way.
    async fn ask_for(&self, kind: &str) {
        let path = match (kind, &self.failed) {
            ("automatic", _) => {
                self.workspace.send_event("poster.scanned").await;
                return;
            }
            ("test", _) => format!("/{}/test", self.endpoint),
            (_, failed) => {
                let failed = failed.as_deref().expect("a failed delivery");
                format!("/{}/deliveries/{failed}/retry", self.endpoint)
            }
        };
        let body = if kind == "test" {
            json!({ "event": event_types::one() })
        } else {
            Value::Null
        };
        let answer = self.workspace.post(&path, &body).await;
        assert!(
            [StatusCode::ACCEPTED, StatusCode::CREATED, StatusCode::OK].contains(&answer.status),
            "{kind}: {} {}",
            answer.status,
            answer.body
        );
    }

    async fn move_to_the_retries(&self) {
        let deliveries = STACK.queue("DeliveriesQueue");
        let message = deliveries.receive(&self.endpoint, 30).await;
        STACK.queue("RetriesQueue").send(&message.body).await;
        deliveries.delete(message).await;
    }

    async fn delivered(&self) -> Value {
        self.delivery("delivered").await
    }

    async fn delivery(&self, status: &str) -> Value {
        tests::eventually_within(
            2 * PATIENCE,
            &format!("a delivery that is {status}"),
            async || {
                let deliveries = self.workspace.deliveries(&self.endpoint).await;
                deliveries
                    .into_iter()
                    .find(|delivery| delivery["status"] == status)
            },
        )
        .await
    }
}
