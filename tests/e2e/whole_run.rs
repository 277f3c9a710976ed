//! What must hold for a whole run. The module's name puts it last; it waits for the tests that run beside it.

use std::time::Duration;

use http::StatusCode;
use local::logs;
use local::receiver::{Answer, Receiver};
use serde_json::json;

use crate::support::{Workspace, eventually, issued, stack};

#[tokio::test]
async fn no_secret_or_token_is_logged() {
    let workspace = Workspace::new().await;
    let receiver = Receiver::start(|_| Answer::status(500))
        .await
        .expect("a receiver");
    let endpoint = workspace
        .create_endpoint(&receiver.url("/?key=of-the-endpoint"), &["*"])
        .await;
    let path = format!("/{}", endpoint.id);
    let rotated = workspace.post(&format!("{path}/rotate-secret"), &json!({})).await;
    issued::remember(rotated.body["secret"].as_str().expect("a new secret"));
    assert_eq!(
        workspace.patch(&path, &json!({ "url": "no url" })).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let event = workspace.send_event("poster.scanned").await;
    workspace.wait_for_delivery(&endpoint.id, &event, "failed").await;
    assert_eq!(workspace.delete(&path).await.status, StatusCode::NO_CONTENT);

    while Workspace::in_use() > 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let lines = eventually("the log lines of this test", async || {
        let lines = logs::all(stack()).await.expect("the logs");
        lines
            .iter()
            .any(|line| line.contains(&endpoint.id))
            .then_some(lines)
    })
    .await;

    let mut values = issued::all();
    values.push("of-the-endpoint".to_owned());
    for value in values {
        // What follows the prefix is the secret itself.
        let secret = value.trim_start_matches("whs_").trim_start_matches("efa_sk_");
        assert!(
            !lines.iter().any(|line| line.contains(secret)),
            "a log line shows a value that begins {value:.8}"
        );
    }
    // Schemathesis keeps what it is given to itself, but the prefix tells.
    for prefix in ["whs_", "efa_sk_"] {
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
