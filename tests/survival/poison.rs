//! Messages that are none, on every queue that a function reads.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use local::receiver::{Answer, Received, Receiver};
use serde_json::{Value, json};
use tests::{Workspace, eventually};

use crate::survival::STACK;

/// Malformed messages on each queue.
const POISON: usize = 100;

/// Events that have to get past them.
const EVENTS: usize = 50;

/// Those from which a malformed message goes to the unreadable queue; from the events queue it is rejected.
const UNREADABLE_ON: [&str; 5] = [
    "DeliveriesQueue",
    "RetriesQueue",
    "FailedAttemptsQueue",
    "PurgesQueue",
    "RecoveriesQueue",
];

/// Those that tasks are on.
const TASKS_ON: [&str; 3] = ["DeliveriesQueue", "RetriesQueue", "FailedAttemptsQueue"];

const LONGEST: Duration = Duration::from_mins(3);

#[tokio::test]
async fn malformed_messages_on_every_queue_are_set_aside_and_hold_up_no_good_one() {
    let _turn = STACK.alone().await;
    let workspace = Workspace::new(&STACK).await;
    assert_eq!(STACK.queue("UnreadableQueue").depth().await, 0);
    let errors = function_errors();
    let receiver = Receiver::start(refuse_first()).await.expect("a receiver");
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let deleted = workspace
        .create_endpoint(&receiver.url("/deleted"), &["*"])
        .await
        .id;
    let poison: Vec<String> = (0..POISON).map(malformed).collect();
    let events: Vec<String> = (0..EVENTS)
        .map(|_| workspace.event("poster.scanned").body)
        .collect();

    let (before, after) = poison.split_at(POISON / 2);
    for half in [before, after] {
        for queue in UNREADABLE_ON {
            STACK.queue(queue).send_all(half).await;
        }
    }
    let later: Vec<String> = (1..=3).map(task_of_a_later_release).collect();
    for queue in TASKS_ON {
        STACK.queue(queue).send_all(&later).await;
    }
    workspace.delete(&format!("/{deleted}")).await;
    STACK.queue("EventsQueue").send_all(before).await;
    STACK.queue("EventsQueue").send_all(&events).await;
    STACK.queue("EventsQueue").send_all(after).await;

    // Each takes its first attempt, the failed-attempts queue, and a retry.
    let done = receiver
        .wait_until(LONGEST, |received| received.len() >= 2 * EVENTS)
        .await;
    done.expect("all events arrive");
    all_delivered(&workspace, &endpoint).await;
    eventually("the secret of the deleted endpoint goes", async || {
        (!STACK.has_secret(&deleted).await).then_some(())
    })
    .await;
    for queue in [
        "EventsQueue",
        "DeliveriesQueue",
        "RetriesQueue",
        "FailedAttemptsQueue",
    ] {
        eventually(&format!("{queue} is empty"), async || {
            (STACK.queue(queue).depth().await == 0).then_some(())
        })
        .await;
    }
    // Purges that were announced for later may stay.
    eventually("no malformed message is on PurgesQueue", async || {
        let left = STACK.queue("PurgesQueue").messages("").await;
        let malformed = |message: &Value| poison.iter().any(|body| message["Body"] == **body);
        (!left.iter().any(malformed)).then_some(())
    })
    .await;
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
    let unreadable = STACK.queue("UnreadableQueue").empty().await;
    assert_eq!(
        unreadable.len(),
        UNREADABLE_ON.len() * POISON + TASKS_ON.len() * later.len()
    );
    let rejected = STACK.queue("RejectedEventsQueue").empty().await;
    assert_eq!(rejected.len(), POISON);
    for message in unreadable.iter().chain(&rejected) {
        assert!(!message.reason.is_empty(), "no reason: {:.80}", message.body);
    }
    let bodies: HashSet<&str> = unreadable.iter().map(|message| message.body.as_str()).collect();
    assert!(
        poison
            .iter()
            .chain(&later)
            .all(|body| bodies.contains(body.as_str())),
        "bodies stay as they are"
    );
    assert_eq!(function_errors(), errors, "no function throws");
}

/// All the ways in which a message can be none.
fn malformed(number: usize) -> String {
    match number % 10 {
        0 => format!("no JSON {number}"),
        1 => format!("[{number}]"),
        2 => format!("{{\"number\": {number}}}"),
        3 => format!("{{\"id\": \"evt_{number}\", \"event\": \"Not A Name\"}}"),
        4 => json!({ "workspace": "ws_1", "endpoint": "del_1", "attempt": number }).to_string(),
        5 => json!({ "workspace": "", "endpoint": "whe_1", "delivery": "x", "attempt": -1, "kind": "automatic" })
            .to_string(),
        6 => format!("{}{number}{}", "[".repeat(500), "]".repeat(500)),
        7 => format!("{{\"id\": \"\\ud800 {number}\"}}"),
        8 => format!("\u{feff}{{}} {number}"),
        _ => format!("{number} {}", "long ".repeat(1000)),
    }
}

/// What a release that knows more kinds may send, and leave behind when it is rolled back.
fn task_of_a_later_release(number: usize) -> String {
    json!({
        "workspace": "ws_1",
        "endpoint": "whe_1",
        "delivery": "del_1",
        "event_id": "evt_1",
        "event": "poster.scanned",
        "attempt": number,
        "kind": "unheard-of",
    })
    .to_string()
}

/// Refuses each event once.
fn refuse_first() -> impl Fn(&Received) -> Answer + Send + Sync {
    let seen = Mutex::new(HashSet::new());
    move |request| {
        let id = request.header("webhook-id").to_owned();
        let first = seen.lock().expect("no panic in here").insert(id);
        Answer::status(if first { 500 } else { 200 })
    }
}

async fn all_delivered(workspace: &Workspace, endpoint: &str) {
    eventually("every delivery is recorded", async || {
        let path = format!("/{endpoint}/deliveries?status=delivered&per_page=1");
        let total = workspace.get(&path).await.body["meta"]["total"].clone();
        (total == EVENTS).then_some(())
    })
    .await;
}

/// How many invocations by a queue have failed as a whole, as the emulator's log has it.
fn function_errors() -> usize {
    let log = std::fs::read_to_string(&STACK.log_file).expect("the emulator's log");
    log.matches("failed processing SQS batch").count()
}
