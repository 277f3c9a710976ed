//! A table that was restored from a point in time is taken over by the stack, as `docs/operating.md` has it.

use std::process::Command;

use serde_json::{Value, json};
use tests::repository;

use crate::promises::STACK;

#[tokio::test]
async fn the_stack_takes_over_a_restored_history_without_its_kept_counts() {
    let found = walk("DeliveriesTable").await;

    let texts = |endpoint: &str| json!({ "endpoint": { "S": endpoint }, "delivery": { "S": "del_1" } });
    let mut items = found["items"].as_array().cloned().expect("items");
    items.sort_by_key(Value::to_string);
    assert_eq!(items, [texts("whe_1"), texts("whe_1#late")]);
    assert_taken_over(&found);
}

#[tokio::test]
async fn the_stack_takes_over_restored_endpoints_and_reads_their_stream() {
    let found = walk("EndpointsTable").await;

    assert_eq!(found["stream_is_read"], true, "{found}");
    assert_taken_over(&found);
}

fn assert_taken_over(found: &Value) {
    assert_eq!(found["taken_over"], true, "{found}");
    assert_eq!(found["function_uses"], "new", "{found}");
    assert_eq!(found["roles_name"], true, "{found}");
    assert_eq!(found["status"], "UPDATE_COMPLETE", "{found}");
    assert_eq!(found["old_is_kept"], true, "{found}");
    assert_eq!(found["old_is_protected"], true, "{found}");
}

/// Walks the runbook on a stack of its own, beside the one that other tests use.
async fn walk(table: &str) -> Value {
    let (deployed, _) = STACK
        .secret_prefix
        .split_once('/')
        .expect("the stack's name and more");
    let mut command = Command::new(&STACK.python);
    command
        .arg("-B")
        .arg(repository::path("tests/runbooks/restore.py"))
        .args([deployed, table]);
    command
        .env("AWS_ENDPOINT_URL", &STACK.aws_endpoint_url)
        .env("AWS_DEFAULT_REGION", &STACK.region)
        .env("AWS_ACCESS_KEY_ID", &STACK.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &STACK.secret_access_key)
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("it is waited for")
        .expect("Python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}
