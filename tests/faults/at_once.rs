//! The next attempt of a delivery that waits, made at once: what it had waited for comes later and does nothing, the
//! schedule goes on from it, and `retry-delivery` may die wherever it calls AWS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http::{Method, StatusCode};
use local::receiver::{Answer, Receiver};
use serde_json::Value;
use tests::{PATIENCE, Workspace, eventually, eventually_within};
use tokio::sync::Mutex;

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

/// Waits that the queue's delay offers, and one that takes a schedule (`SchedulerThresholdSeconds`).
const DELAYED: u64 = 10;
const SCHEDULED: u64 = 25;

/// A wait that is long enough for all deaths, one after the other, on a busy machine.
const LONG: u64 = 60;

/// The retry that comes late if the function died, after a minute and the deadline of an attempt, and a long wait.
const LATE: Duration = Duration::from_mins(4);

/// Who retries by hand: one test kills the function that the other asks.
static ASKING: Mutex<()> = Mutex::const_new(());

/// More than the tries of the SDK, so that a call hangs until its process dies.
const ALL_TRIES: usize = 8;

/// Where `retry-delivery` dies. Its calls are a message for later, the record, and a message for now.
const DEATHS: [(&str, usize, Effect); 6] = [
    ("SendMessageBatch RetriesQueue", 0, Effect::HangBefore),
    ("SendMessageBatch RetriesQueue", 0, Effect::HangAfter),
    ("BatchExecuteStatement DeliveriesTable", 0, Effect::HangBefore),
    ("BatchExecuteStatement DeliveriesTable", 0, Effect::HangAfter),
    ("SendMessageBatch RetriesQueue", 1, Effect::HangBefore),
    ("SendMessageBatch RetriesQueue", 1, Effect::HangAfter),
];

#[tokio::test]
async fn the_message_that_was_to_make_it_later_does_nothing_and_the_schedule_goes_on() {
    let _turn = STACK.together().await;
    let asking = ASKING.lock().await;
    let stages = join_all([DELAYED, SCHEDULED].map(async |wait| {
        let stage = Stage::set(wait).await;
        let answer = stage.workspace.post(&stage.retry_path(), &Value::Null).await;
        (wait, stage, answer)
    }));
    let stages = stages.await;
    drop(asking);

    join_all(stages.iter().map(async |(wait, stage, answer)| {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        // The third attempt is due after the second had been.
        stage.ends_after_three_attempts().await;
        let received = stage.receiver.received();
        assert_eq!(received.len(), 3, "waited for {wait} s");
        assert!(
            received[2].at - received[1].at >= Duration::from_secs(*wait),
            "the schedule goes on from the second attempt"
        );
        STACK.queue("RetriesQueue").wait_until_none(&stage.endpoint).await;
        assert_eq!(stage.receiver.received().len(), 3, "waited for {wait} s");
    }))
    .await;
}

#[tokio::test]
async fn one_attempt_is_counted_wherever_the_function_dies_and_the_schedule_goes_on() {
    let _turn = STACK.together().await;
    let asking = ASKING.lock().await;
    let stages = join_all(DEATHS.map(async |_| Stage::set(LONG).await)).await;
    for ((call, earlier, effect), stage) in DEATHS.iter().zip(&stages) {
        let keys = [stage.endpoint.clone()];
        let fault = Fault::once(call, &keys, *effect).after(*earlier).times(ALL_TRIES);
        let injected = proxy::inject(fault);
        let request = stage.workspace.request(Method::POST, &stage.retry_path());
        let asked = tokio::spawn(request.bearer_auth(&stage.workspace.token).send());
        eventually("it hangs", async || (injected.hits() > 0).then_some(())).await;
        assert!(!asked.is_finished(), "{call} {effect:?}: was not answered");
        let received = stage.receiver.received().len();
        assert_eq!(received, 1, "{call} {effect:?}: was not retried by the schedule");
        for process in STACK.processes_of("RetryDeliveryFunction") {
            process.kill();
        }
        asked.abort();
    }
    drop(asking);

    join_all(DEATHS.iter().zip(&stages).map(async |(death, stage)| {
        stage.ends_after_three_attempts().await;
        assert_eq!(stage.receiver.received().len(), 3, "{death:?}");
    }))
    .await;
}

/// An event whose first attempt has failed, at a receiver that asks for the same wait twice and then takes it.
struct Stage {
    workspace: Workspace,
    endpoint: String,
    delivery: String,
    receiver: Receiver,
}

impl Stage {
    async fn set(wait_seconds: u64) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let requests = AtomicUsize::new(0);
        let answer = move |_: &_| match requests.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Answer::status(503).header("retry-after", &wait_seconds.to_string()),
            _ => Answer::status(200),
        };
        let receiver = Receiver::start(answer).await.expect("a receiver");
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        workspace.send_event("poster.scanned").await;
        let delivery = eventually("a delivery that waits", async || {
            let deliveries = workspace.deliveries(&endpoint).await;
            let waits = |delivery: &&Value| delivery["next_attempt_at"].is_string();
            deliveries.iter().find(waits)?["id"].as_str().map(str::to_owned)
        });
        let delivery = delivery.await;
        Self {
            workspace,
            endpoint,
            delivery,
            receiver,
        }
    }

    fn retry_path(&self) -> String {
        format!("/{}/deliveries/{}/retry", self.endpoint, self.delivery)
    }

    async fn ends_after_three_attempts(&self) {
        let path = format!("/{}/deliveries/{}", self.endpoint, self.delivery);
        let delivered = eventually_within(PATIENCE.max(LATE), "a delivery", async || {
            let delivery = self.workspace.get(&path).await.body;
            (delivery["status"] == "delivered").then_some(delivery)
        });
        let delivered = delivered.await;
        assert_eq!(delivered["attempt_count"], 3);
        assert_eq!(delivered["attempts"].as_array().map(Vec::len), Some(3));
    }
}
