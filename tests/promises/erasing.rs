//! An operator erases a workspace: nothing of it is left, whatever is under way, and nothing of another is touched.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use local::receiver::{Answer, Receiver};
use serde_json::json;
use tests::erasure::{ask, ask_until_erased};
use tests::records::{self, Record};
use tests::{PATIENCE, Workspace, eventually, receivers};

use crate::promises::STACK;

/// The tables whose items name their workspace.
const TABLES: [&str; 3] = ["TokensTable", "EndpointsTable", "EventsTable"];

/// What is kept of an endpoint in the deliveries table, by what follows its id in the partition key.
const BESIDE_A_HISTORY: [&str; 5] = ["", "#counts", "#hours", "#late", "#recoveries"];

/// How many items a table has of a workspace.
async fn items(table: &str, workspace: &str) -> usize {
    let items = STACK
        .dynamodb()
        .scan()
        .table_name(&STACK.tables[table])
        .consistent_read(true)
        .filter_expression("workspace = :workspace")
        .expression_attribute_values(":workspace", AttributeValue::S(workspace.to_owned()))
        .into_paginator()
        .items()
        .send();
    let items: Vec<_> = items.try_collect().await.expect("the table answers");
    items.len()
}

/// A history of each kind of record that is kept beside it, as far as reading makes them.
async fn lengthen_history(workspace: &Workspace, endpoint: &str) {
    let record = |number| Record::new(endpoint, number, "2026-06-01T00:00:00Z", "failed");
    records::write(&STACK, &(0..600).map(record).collect::<Vec<_>>()).await;
    let wanted = json!({ "since": "2026-07-01T00:00:00Z", "until": "2026-07-01T01:00:00Z" });
    for path in [
        "deliveries",
        "stats?from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z",
    ] {
        let answer = workspace.get(&format!("/{endpoint}/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    let answer = workspace.post(&format!("/{endpoint}/recoveries"), &wanted).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
}

#[tokio::test]
async fn nothing_is_left_of_a_workspace_that_was_busy_when_it_was_erased() {
    let (workspace, other) = (Workspace::new(&STACK).await, Workspace::new(&STACK).await);
    let slow = Receiver::start(|_| Answer::status(200).after(Duration::from_secs(2))).await;
    let (slow, healthy) = (slow.expect("a receiver"), receivers::healthy().await);
    let doomed = workspace.create_endpoint(&slow.url("/"), &["*"]).await.id;
    let deleted_before = workspace.create_endpoint(&slow.url("/"), &["*"]).await.id;
    let kept = other.create_endpoint(&healthy.url("/"), &["*"]).await.id;
    lengthen_history(&workspace, &doomed).await;
    lengthen_history(&workspace, &deleted_before).await;
    workspace.create_link(&json!({})).await;
    let event = other.send_event("poster.scanned").await;
    other.wait_for_delivery(&kept, &event, "delivered").await;
    workspace.send_event("poster.scanned").await;
    slow.wait_for(1, PATIENCE).await.expect("attempts are under way");
    let answer = workspace.delete(&format!("/{deleted_before}")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);

    assert_eq!(ask(&STACK, &workspace.id).await, Ok("erasing".to_owned()));
    assert_eq!(workspace.get("").await.status, StatusCode::UNAUTHORIZED);
    // What comes meanwhile: a token, what is created with it, and an event.
    let late = Workspace::of(&STACK, &workspace.id).await;
    let created_late = late.create_endpoint(&slow.url("/"), &["*"]).await.id;
    late.send_event("poster.scanned").await;
    ask_until_erased(&STACK, &workspace.id).await;

    for table in TABLES {
        assert_eq!(items(table, &workspace.id).await, 0, "{table}");
    }
    for endpoint in [&doomed, &deleted_before, &created_late] {
        for part in BESIDE_A_HISTORY {
            let left = records::count(&STACK, &format!("{endpoint}{part}")).await;
            assert_eq!(left, 0, "{endpoint}{part}");
        }
        assert!(!STACK.has_secret(endpoint).await);
    }
    assert_eq!(late.get("").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&STACK, &workspace.id).await, Ok("erased".to_owned()));
    assert!(STACK.has_secret(&kept).await);
    assert_eq!(other.deliveries(&kept).await.len(), 1);
    assert_eq!(items("EventsTable", &other.id).await, 1);
    assert_eq!(items("TokensTable", &other.id).await, 1);
}

/// What is under way is waited for anew from each event.
#[tokio::test]
async fn a_workspace_is_not_erased_while_its_producer_sends() {
    let workspace = Workspace::new(&STACK).await;
    let start = Instant::now();
    // Half as long again as what is under way is waited for.
    while start.elapsed() < Duration::from_secs(55) {
        workspace.send_event("poster.scanned").await;
        assert_eq!(ask(&STACK, &workspace.id).await, Ok("erasing".to_owned()));
        tokio::time::sleep(Duration::from_secs(5)).await;
    }

    ask_until_erased(&STACK, &workspace.id).await;

    STACK.queue("EventsQueue").wait_until_none(&workspace.id).await;
    assert_eq!(items("EventsTable", &workspace.id).await, 0);
}

#[tokio::test]
async fn a_deletion_is_forgotten_when_nothing_of_the_endpoint_is_left() {
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace
        .create_endpoint("https://example.com/hooks", &["*"])
        .await
        .id;

    let answer = workspace.delete(&format!("/{endpoint}")).await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        items("EndpointsTable", &workspace.id).await,
        2,
        "the count and the deletion"
    );
    eventually("the deletion is over", async || {
        (items("EndpointsTable", &workspace.id).await == 1).then_some(())
    })
    .await;
    assert!(!STACK.has_secret(&endpoint).await);
}

#[tokio::test]
async fn a_workspace_that_has_nothing_is_erased() {
    let erased = ask(&STACK, "ws_nobody_has_ever_used").await;

    assert_eq!(erased, Ok("erased".to_owned()));
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_with_a_sentence() {
    for (request, part) in [
        (json!({ "workspace_id": "acme" }), "workspace_id must be"),
        (json!({}), "workspace_id"),
        (json!({ "workspace_id": "ws_1", "force": true }), "force"),
    ] {
        let error = STACK.invoke("EraseWorkspaceFunction", &request).await;
        let error = error.expect_err("it is refused");

        assert_eq!(error["errorType"], "InvalidInput", "{error}");
        let message = error["errorMessage"].as_str().expect("a message");
        assert!(message.contains(part), "{message}");
    }
}
