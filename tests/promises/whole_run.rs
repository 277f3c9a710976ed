//! What must hold for a whole run of this suite. The module's name puts it last; it waits for the tests that run beside it.

use std::time::Duration;

use http::StatusCode;
use local::logs;
use local::receiver::Answer;
use serde_json::json;
use tests::{Workspace, eventually, eventually_within, issued, receivers};

use crate::promises::STACK;

/// Longer than the tests of this suite take together, on a slow machine with everything generated.
const LONGEST: Duration = Duration::from_mins(30);

/// What secrets, tokens and links begin with.
const PREFIXES: [&str; 3] = ["whs_", "efa_sk_", "efa_link_"];

#[tokio::test]
async fn no_secret_or_token_is_logged() {
    let workspace = Workspace::new(&STACK).await;
    let answer = Answer::status(500).header("location", "/?key=of-the-answer");
    let receiver = receivers::always(answer).await;
    let endpoint = workspace
        .create_endpoint(&receiver.url("/?key=of-the-endpoint"), &["*"])
        .await;
    let path = format!("/{}", endpoint.id);
    let rotated = workspace.post(&format!("{path}/rotate-secret"), &json!({})).await;
    issued::remember(rotated.body["secret"].as_str().expect("a new secret"));
    let link = workspace.create_link(&json!({})).await;
    for _ in 0..2 {
        workspace.exchange(&link.text).await;
    }
    assert_eq!(
        workspace.patch(&path, &json!({ "url": "no url" })).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let event = workspace.send_event("poster.scanned").await;
    workspace.wait_for_delivery(&endpoint.id, &event, "failed").await;
    assert_eq!(workspace.delete(&path).await.status, StatusCode::NO_CONTENT);

    eventually_within(LONGEST, "the tests of this suite are over", async || {
        (workspace.in_use() == 1).then_some(())
    })
    .await;
    let lines = eventually("the log lines of this test", async || {
        let lines = logs::all(&STACK).await.expect("the logs");
        lines
            .iter()
            .any(|line| line.contains(&endpoint.id))
            .then_some(lines)
    })
    .await;

    let mut values = issued::all();
    values.extend(["of-the-endpoint", "of-the-answer"].map(str::to_owned));
    for value in values {
        // What follows the prefix is the secret itself.
        let secret = PREFIXES.iter().find_map(|prefix| value.strip_prefix(prefix));
        let secret = secret.unwrap_or(&value);
        assert!(
            !lines.iter().any(|line| line.contains(secret)),
            "a log line shows a value that begins {value:.8}"
        );
    }
    // Schemathesis keeps what it is given to itself, but the prefix tells.
    for prefix in PREFIXES {
        let shown = |line: &String| {
            let mut after = line.split(prefix).skip(1);
            after.any(|rest| rest.starts_with(|first: char| first.is_ascii_alphanumeric()))
        };
        assert!(
            !lines.iter().any(shown),
            "a log line shows a value that begins {prefix}"
        );
    }
}
