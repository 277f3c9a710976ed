//! A retry comes when it is due, by the queue's delay or by the scheduler.

use std::time::Duration;

use local::receiver::Answer;
use tests::{PATIENCE, Workspace, receivers};

use crate::faults::STACK;
use crate::faults::proxy::{self, Call};

/// Longer than this takes the scheduler (`SchedulerThresholdSeconds`).
const THRESHOLD: u64 = 10;

/// What of a wait may have passed before `retry` looks at it.
const MARGIN: u64 = 10;

#[tokio::test]
async fn a_short_wait_uses_the_delay_of_the_queue_and_no_schedule() {
    let (waited, calls) = retry_after(4).await;

    assert!(waited >= Duration::from_secs(4), "{waited:?}");
    let sent = calls
        .iter()
        .filter(|call| call.as_str() == "SendMessageBatch RetriesQueue");
    assert_eq!(sent.count(), 1, "{calls:?}");
    assert!(
        !calls.iter().any(|call| call.starts_with("CreateSchedule")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_long_wait_uses_one_schedule_and_no_delay() {
    let (waited, calls) = retry_after(THRESHOLD + MARGIN).await;

    assert!(waited >= Duration::from_secs(THRESHOLD + MARGIN), "{waited:?}");
    let scheduled = calls.iter().filter(|call| call.starts_with("CreateSchedule"));
    assert_eq!(scheduled.count(), 1, "{calls:?}");
    assert!(
        !calls.contains(&"SendMessageBatch RetriesQueue".to_owned()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_retry_does_not_wait_for_the_rest_of_its_batch() {
    let _turn = STACK.alone().await;
    let workspace = Workspace::new(&STACK).await;
    let failing = receivers::always(Answer::status(500)).await;
    let hanging = receivers::always(Answer::hang()).await;
    let receivers = [failing, hanging];
    let mut ids = Vec::new();
    for receiver in &receivers {
        ids.push(workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id);
    }
    let recording = proxy::record(&ids);

    workspace.send_event("poster.scanned").await;

    for receiver in &receivers {
        receiver.wait_for(2, PATIENCE).await.expect("a retry arrives");
    }
    let calls = recording.calls();
    let first = |action: &str, endpoint: &String| {
        let concerns = |call: &Call| call.holds_any(std::slice::from_ref(endpoint));
        let mut calls = calls.iter();
        calls.position(|call| call.name.starts_with(action) && concerns(call))
    };
    let read_both = calls.iter().any(|call| {
        let mut ids = ids.iter();
        call.name.starts_with("BatchGetItem") && ids.all(|id| call.holds_any(std::slice::from_ref(id)))
    });
    assert!(read_both, "one batch has both");
    let failure_is_followed_up = first("SendMessageBatch RetriesQueue", &ids[0]).expect("a retry");
    let hanging_is_recorded = first("BatchExecuteStatement", &ids[1]).expect("a record");
    assert!(failure_is_followed_up < hanging_is_recorded);
}

/// How long a receiver's retry took that asked for a time, and the AWS calls on the way.
async fn retry_after(seconds: u64) -> (Duration, Vec<String>) {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::busy(seconds).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let recording = proxy::record(std::slice::from_ref(&workspace.id));

    let event = workspace.send_event("poster.scanned").await;
    let received = receiver.wait_for(2, PATIENCE).await.expect("the retry arrives");

    let delivery = workspace.wait_for_delivery(&endpoint, &event, "delivered").await;
    assert_eq!(delivery["attempt_count"], 2);
    assert_eq!(received[0].body, received[1].body);
    let calls = recording.calls().into_iter().map(|call| call.name).collect();
    (received[1].at - received[0].at, calls)
}
