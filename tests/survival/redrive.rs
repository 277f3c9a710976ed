//! What is parked goes back to its queue, and what was put there by hand would keep it from that.

use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry;
use futures::future::join_all;
use serde_json::json;
use tests::queues::Queue;
use tests::{PATIENCE, Workspace, eventually, receivers};

use crate::survival::STACK;

/// The queues whose messages are parked, after so many receives.
const PARKED_FROM: [&str; 4] = [
    "EventsQueue",
    "FailedAttemptsQueue",
    "PurgesQueue",
    "RecoveriesQueue",
];
const RECEIVES: usize = 100;

/// What no function can read begins so.
const UNREADABLE: &str = "not readable";

#[tokio::test]
async fn everything_parked_goes_back_to_its_queue() {
    let _turn = STACK.alone().await;
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let event = workspace.event("poster.scanned");
    let unfanned = workspace.event("poster.scanned");
    let task = json!({
        "workspace": workspace.id, "endpoint": endpoint, "delivery": delivery_id(), "event_id": event.id,
        "event": "poster.scanned", "attempt": 1, "kind": "automatic", "body": event.body,
    });
    let purge = json!({ "workspace": workspace.id, "endpoint": endpoint });
    let turn =
        json!({ "workspace": workspace.id, "endpoint": endpoint, "recovery": "rec_expired", "turn": 1 });
    let parked = [
        unfanned.body.clone(),
        task.to_string(),
        purge.to_string(),
        turn.to_string(),
    ];

    let parking = PARKED_FROM.iter().zip(&parked).map(async |(name, body)| {
        let queue = STACK.queue(name);
        if *name != "EventsQueue" {
            queue.send(&format!("{UNREADABLE} {}", workspace.id)).await;
        }
        park(&queue, body).await;
    });
    join_all(parking).await;
    let unreadable = STACK.queue("UnreadableQueue");
    eventually("unreadable messages came in between", async || {
        (unreadable.messages(&workspace.id).await.len() == 3).then_some(())
    })
    .await;

    let task = redrive().await;

    assert_eq!(task.status(), Some("COMPLETED"), "{:?}", task.failure_reason());
    let received = receiver.wait_for(2, PATIENCE).await;
    let received = received.expect("the parked event and the parked attempt arrive");
    let ids: Vec<_> = received
        .iter()
        .map(|request| request.header("webhook-id"))
        .collect();
    assert!(
        ids.contains(&event.id.as_str()) && ids.contains(&unfanned.id.as_str()),
        "{ids:?}"
    );
    STACK.queue("PurgesQueue").wait_until_none(&endpoint).await;
    STACK.queue("RecoveriesQueue").wait_until_none(&endpoint).await;
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0);
    unreadable.empty().await;

    STACK.queue("ParkedQueue").send("put there by hand").await;
    let task = redrive().await;
    assert_eq!(task.failure_reason(), Some("CouldNotDetermineMessageSource"));
    STACK.queue("ParkedQueue").empty().await;
}

/// A delivery that was accepted just now.
fn delivery_id() -> String {
    let now = jiff::Timestamp::now();
    let (event, endpoint) = ("evt_1".parse(), "whe_1".parse());
    let (event, endpoint) = (event.expect("an id"), endpoint.expect("an id"));
    shared::domain::id::DeliveryId::derive(now, &event, &endpoint).to_string()
}

/// Receives a message as often as SQS allows, so that it is parked.
async fn park(queue: &Queue<'_>, body: &str) {
    queue.wait_until_none(UNREADABLE).await;
    let receive = async || {
        queue.send(body).await;
        for _ in 0..RECEIVES {
            queue.receive(body, 0).await;
        }
        eventually("the message is parked", async || {
            queue.sweep().await;
            (!STACK.queue("ParkedQueue").messages(body).await.is_empty()).then_some(())
        })
        .await;
    };
    queue.while_paused(receive).await;
}

/// Does what the runbook says, and returns how it ended.
async fn redrive() -> ListMessageMoveTasksResultEntry {
    let sqs = STACK.sqs();
    let source = STACK.queue("ParkedQueue").arn().await;
    let start = sqs.start_message_move_task().source_arn(&source);
    start.send().await.expect("a redrive");
    let tasks = sqs.list_message_move_tasks().source_arn(&source);
    let tasks = tasks.send().await.expect("the redrives");
    tasks.results.unwrap_or_default().remove(0)
}
