//! An endpoint that is known to be failing waits apart from the healthy ones.

use local::receiver::Answer;
use tests::{PATIENCE, Workspace, receivers};

use crate::faults::STACK;
use crate::faults::proxy::{self, Call};

const EVENTS: usize = 5;

#[tokio::test]
async fn new_events_for_a_failing_endpoint_are_queued_beside_the_retries_and_no_others() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let failing = receivers::always(Answer::status(500)).await;
    let healthy = receivers::healthy().await;
    let failing_id = workspace.create_endpoint(&failing.url("/"), &["*"]).await.id;
    let healthy_id = workspace.create_endpoint(&healthy.url("/"), &["*"]).await.id;
    workspace.send_event("poster.scanned").await;
    let known = failing.wait_for(2, PATIENCE).await;
    known.expect("a retry, so the first failure has been noted");
    let events: Vec<_> = (0..EVENTS).map(|_| workspace.event("poster.scanned")).collect();
    let ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
    let recording = proxy::record(&ids);

    for event in &events {
        workspace.send(&event.body).await;
    }

    for receiver in [&failing, &healthy] {
        let all_arrived = |received: &[local::receiver::Received]| {
            let arrived = |id: &String| received.iter().any(|request| request.header("webhook-id") == id);
            ids.iter().all(arrived)
        };
        let arrived = receiver.wait_until(PATIENCE, all_arrived).await;
        arrived.expect("every event arrives at both");
    }
    let calls = recording.calls();
    let queued = |queue: &str, endpoint: &String, event: &String| {
        let holds = |call: &Call, text: &String| call.holds_any(std::slice::from_ref(text));
        let name = format!("SendMessageBatch {queue}");
        calls
            .iter()
            .any(|call| call.name == name && holds(call, endpoint) && holds(call, event))
    };
    for event in &ids {
        assert!(queued("RetriesQueue", &failing_id, event));
        assert!(!queued("DeliveriesQueue", &failing_id, event));
        assert!(queued("DeliveriesQueue", &healthy_id, event));
        assert!(!queued("RetriesQueue", &healthy_id, event));
    }
}
