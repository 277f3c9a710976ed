//! The snippets of `docs/producers.md`, taken from the page and run, each in its own language, against this stack's queue
//! and against one that refuses.
//!
//! Java's is not run: neither a JDK nor Maven's packages are there where the tests run. What the emulator does otherwise
//! than EventBridge: it does not ask the queue's policy, leaves out the message group, and dates events by its own clock.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use local::receiver::{Answer, Received, Receiver};
use serde_json::{Value, json};
use shared::domain::time;
use tests::snippets::{self, run, snippet};
use tests::{PATIENCE, Workspace, receivers};

use crate::promises::STACK;

mod rust_snippet {
    #![expect(unreachable_pub, reason = "on the page they are of a library")]
    include!(concat!(env!("OUT_DIR"), "/send.rs"));
}

use rust_snippet::Row;

const PAGE: &str = "docs/producers.md";

/// Two calls: one takes ten.
const EVENTS: usize = 12;

/// A workspace with an endpoint, and what its producer wants to send.
struct Stage {
    workspace: Workspace,
    receiver: Receiver,
    events: Vec<String>,
}

impl Stage {
    async fn new() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::healthy().await;
        workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
        let events = (0..EVENTS).map(|_| workspace.event("poster.scanned").body);
        Self {
            events: events.collect(),
            workspace,
            receiver,
        }
    }

    /// The events as rows of the page's snippets.
    fn rows(&self) -> Value {
        let row = |event| json!({ "workspace_id": self.workspace.id, "event": event });
        self.events.iter().map(row).collect()
    }

    /// Panics unless each of the events arrives, once.
    async fn assert_all_arrive(&self) {
        let all = |received: &[Received]| bodies(received).len() >= EVENTS;
        let received = self.receiver.wait_until(PATIENCE, all).await.expect("all arrive");
        let sent: BTreeSet<_> = self
            .events
            .iter()
            .map(|event| event.clone().into_bytes())
            .collect();
        assert_eq!(bodies(&received), sent);
        assert_eq!(received.len(), EVENTS, "each arrives once");
    }
}

fn bodies(received: &[Received]) -> BTreeSet<Vec<u8>> {
    received.iter().map(|request| request.body.to_vec()).collect()
}

/// A queue that refuses the second and the fourth message of each call.
async fn refusing_queue() -> Receiver {
    let answer = |request: &Received| {
        let call: Value = serde_json::from_slice(&request.body).expect("a call of SQS");
        let entries = call["Entries"].as_array().expect("a batch");
        let refused =
            |entry: &Value| json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false });
        let failed: Vec<_> = entries.iter().skip(1).step_by(2).take(2).map(refused).collect();
        let body = json!({ "Successful": [], "Failed": failed });
        Answer::status(200)
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string())
    };
    Receiver::start(answer).await.expect("a server")
}

/// Panics unless ten messages and then two were sent, each in the group of its workspace, and those that the queue
/// refused were returned.
fn assert_refusals_are_returned(stage: &Stage, queue: &Receiver, returned: &Value) {
    let group = json!(stage.workspace.id);
    let calls = queue.received();
    let calls = calls
        .iter()
        .map(|call| serde_json::from_slice::<Value>(&call.body).expect("JSON"));
    let sizes: Vec<_> = calls
        .map(|call| {
            let entries = call["Entries"].as_array().expect("a batch").clone();
            assert!(entries.iter().all(|entry| entry["MessageGroupId"] == group));
            entries.len()
        })
        .collect();
    assert_eq!(sizes, [10, EVENTS - 10]);
    let rows = stage.rows();
    assert_eq!(returned, &json!([rows[1], rows[3], rows[11]]));
}

/// Lets a command reach a service, of this stack or another.
fn reaching(mut command: Command, endpoint: &str) -> Command {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", &STACK.region)
        .env("AWS_DEFAULT_REGION", &STACK.region)
        .env("AWS_ACCESS_KEY_ID", &STACK.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &STACK.secret_access_key)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// What a program of the tests returns for the stage's rows.
async fn returned(mut command: Command, endpoint: &str, queue_url: &str, stage: &Stage) -> Value {
    command.arg(queue_url);
    let printed = run(reaching(command, endpoint), &stage.rows().to_string()).await;
    serde_json::from_str(&printed).expect("a list")
}

/// Runs a snippet that sends, against this stack's queue and against one that refuses.
async fn assert_sends(command: impl Fn() -> Command) {
    let (stage, refusing) = (Stage::new().await, refusing_queue().await);

    let none = returned(
        command(),
        &STACK.aws_endpoint_url,
        &STACK.events_queue_url,
        &stage,
    )
    .await;
    let some = returned(command(), &refusing.url(""), &refusing.url("/queue"), &stage).await;

    assert_eq!(none, json!([]));
    stage.assert_all_arrive().await;
    assert_refusals_are_returned(&stage, &refusing, &some);
}

#[tokio::test]
async fn the_python_snippet_sends_batches_and_returns_what_was_refused() {
    let folder = snippets::workshop("tests/producers", &["run.py"]);
    fs::write(folder.path().join("send.py"), snippet(PAGE, "python send")).expect("written");

    assert_sends(|| {
        let mut command = Command::new(&STACK.python);
        command.arg(folder.path().join("run.py"));
        command
    })
    .await;
}

#[tokio::test]
async fn the_javascript_snippet_sends_batches_and_returns_what_was_refused() {
    let folder = snippets::workshop("tests/producers", &["run.mjs"]);
    fs::write(folder.path().join("send.mjs"), snippet(PAGE, "javascript send")).expect("written");
    let node = snippets::node(folder.path()).await;

    assert_sends(|| {
        let mut command = Command::new(node.get_program());
        command.arg(folder.path().join("run.mjs"));
        command
    })
    .await;
}

#[tokio::test]
async fn the_rust_snippet_sends_batches_and_returns_what_was_refused() {
    let (stage, refusing) = (Stage::new().await, refusing_queue().await);
    let row = |event: &String| Row {
        workspace_id: stage.workspace.id.clone(),
        event: event.clone(),
    };
    let rows: Vec<_> = stage.events.iter().map(row).collect();
    let sqs = STACK.sqs();
    let elsewhere = sqs.config().to_builder().endpoint_url(refusing.url(""));
    let elsewhere = aws_sdk_sqs::Client::from_conf(elsewhere.build());

    let none = rust_snippet::send(&sqs, &STACK.events_queue_url, &rows).await;
    let some = rust_snippet::send(&elsewhere, &refusing.url("/queue"), &rows).await;

    assert!(none.expect("sent").is_empty());
    stage.assert_all_arrive().await;
    let some = some.expect("sent").into_iter();
    let some = some.map(|row| json!({ "workspace_id": row.workspace_id, "event": row.event }));
    assert_refusals_are_returned(&stage, &refusing, &some.collect());
}

#[tokio::test]
async fn what_a_transaction_wrote_is_relayed_and_a_relay_that_dies_does_no_harm() {
    let stage = Stage::new().await;
    let folder = snippets::workshop("tests/producers", &["run_relay.py"]);
    for (file, fence) in [("send.py", "python send"), ("relay.py", "python relay")] {
        fs::write(folder.path().join(file), snippet(PAGE, fence)).expect("written");
    }
    let undone = stage.workspace.event("poster.scanned").body;
    let input = json!({
        "schema": snippet(PAGE, "sql outbox"),
        "committed": stage.rows(),
        "rolled_back": [{ "workspace_id": stage.workspace.id, "event": undone }],
    });

    let mut command = Command::new(&STACK.python);
    command.arg(folder.path().join("run_relay.py"));
    command.arg(&STACK.events_queue_url);
    let left = run(reaching(command, &STACK.aws_endpoint_url), &input.to_string()).await;

    assert_eq!(left.trim(), "[0, 0]");
    stage.assert_all_arrive().await;
}

#[tokio::test]
async fn the_rule_turns_an_event_of_eventbridge_into_one_of_ours() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let mut event: Value = serde_json::from_str(&snippet(PAGE, "json detail")).expect("JSON");
    event["detail"]["workspace_id"] = json!(workspace.id);
    let input = json!({ "template": snippet(PAGE, "yaml rule"), "event": event });

    let folder = snippets::workshop("tests/producers", &["rule.py"]);
    let mut command = Command::new(&STACK.python);
    command.arg(folder.path().join("rule.py"));
    command.arg(&STACK.events_queue_url);
    run(reaching(command, &STACK.aws_endpoint_url), &input.to_string()).await;

    let received = receiver.wait_for(1, PATIENCE).await.expect("the event arrives");
    let body: Value = serde_json::from_slice(&received[0].body).expect("JSON");
    let created_at = body["created_at"].as_str().expect("a text");
    assert!(time::parse(created_at).is_some(), "{created_at}");
    let expected = json!({
        "id": "evt_01HXYZ",
        "event": "survey.response.created",
        "created_at": created_at,
        "workspace_id": workspace.id,
        "data": event["detail"]["response"],
    });
    assert_eq!(body, expected);
}
