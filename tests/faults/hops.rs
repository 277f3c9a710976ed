//! A wait without a schedule: in hops through the delay of the queue.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tests::{PATIENCE, Workspace, receivers};

use crate::faults::STACK;
use crate::faults::proxy::{self, Call, Effect, Fault};

/// Longer than `SchedulerThresholdSeconds`, so that a schedule is wanted.
const WAIT_SECONDS: u64 = 30;

/// As the proxy names the call, whose request holds the ARNs of both queues.
const CREATE_SCHEDULE: &str = "CreateSchedule RetriesQueue FailedAttemptsQueue";

/// What the queues and a busy machine add.
const LATE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn retries_come_in_time_while_the_scheduler_refuses_every_schedule() {
    let _turn = STACK.together().await;
    let refusals = [Effect::RefuseForQuota, Effect::Throttle];
    join_all(refusals.map(async |refusal| {
        let stage = Stage::set().await;
        let refused = stage.refuse_schedules(refusal);

        let (waited, attempts) = stage.deliver().await;

        assert!(refused.hits() > 0, "{refusal:?}");
        let wait = Duration::from_secs(WAIT_SECONDS);
        assert!((wait..wait + LATE).contains(&waited), "{refusal:?}: {waited:?}");
        assert_eq!(attempts, 2, "{refusal:?}");
        drop(refused);
        let again = Stage::set().await;
        let recording = proxy::record(std::slice::from_ref(&again.endpoint));
        again.deliver().await;
        let calls = recording.calls();
        assert!(
            is_called(&calls, CREATE_SCHEDULE),
            "afterwards waits are scheduled"
        );
        assert!(!is_called(&calls, "SendMessageBatch RetriesQueue"));
    }))
    .await;
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

#[tokio::test]
async fn a_task_that_comes_before_its_time_waits_for_the_rest() {
    let _turn = STACK.together().await;
    join_all(["RetriesQueue", "FailedAttemptsQueue"].map(async |queue| {
        let stage = Stage::set().await;
        // The schedule is never made, so that nothing but the early task makes the attempt.
        let refused = stage.refuse_schedules(Effect::FailBefore);
        let recording = proxy::record(std::slice::from_ref(&stage.endpoint));
        stage.workspace.send_event("poster.scanned").await;
        let task = tests::eventually("a task is to be scheduled", async || {
            recording
                .calls()
                .iter()
                .find(|call| call.name == CREATE_SCHEDULE)
                .map(task_of)
        })
        .await;
        // What `retry` still wants to schedule is made by then, or goes on being tried: both are harmless.
        STACK.queue(queue).send(&task).await;

        let received = stage
            .receiver
            .wait_for(2, PATIENCE)
            .await
            .expect("the retry arrives");

        let waited = received[1].at - received[0].at;
        assert!(
            waited >= Duration::from_secs(WAIT_SECONDS),
            "early on {queue}: {waited:?}"
        );
        drop(refused);
        let attempts = stage.attempts().await;
        assert_eq!(attempts, 2, "nothing is counted for an early task on {queue}");
    }))
    .await;
}

fn is_called(calls: &[Call], name: &str) -> bool {
    calls.iter().any(|call| call.name == name)
}

/// The task that a schedule would have sent.
fn task_of(call: &Call) -> String {
    let request: Value = serde_json::from_slice(&call.body).expect("a request");
    request["Target"]["Input"].as_str().expect("an input").to_owned()
}

/// An endpoint that asks for a time that takes a schedule.
struct Stage {
    workspace: Workspace,
    endpoint: String,
    receiver: local::receiver::Receiver,
}

impl Stage {
    async fn set() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::busy(WAIT_SECONDS).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        Self {
            workspace,
            endpoint,
            receiver,
        }
    }

    fn refuse_schedules(&self, effect: Effect) -> proxy::Injected {
        let fault = Fault::once(CREATE_SCHEDULE, std::slice::from_ref(&self.endpoint), effect);
        proxy::inject(fault.during(Duration::from_hours(1)))
    }

    /// How long the retry of an event took, and how many attempts are counted.
    async fn deliver(&self) -> (Duration, u64) {
        self.workspace.send_event("poster.scanned").await;
        let received = self.receiver.wait_for(2, PATIENCE).await;
        let received = received.expect("the retry arrives");
        (received[1].at - received[0].at, self.attempts().await)
    }

    async fn attempts(&self) -> u64 {
        tests::eventually("the delivery is recorded", async || {
            let deliveries = self.workspace.deliveries(&self.endpoint).await;
            let delivered = deliveries
                .iter()
                .find(|delivery| delivery["status"] == "delivered")?;
            delivered["attempt_count"].as_u64()
        })
        .await
    }
}
