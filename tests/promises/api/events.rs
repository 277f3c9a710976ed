//! An event and everything that became of it: `GET /events/:event_id`.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use jiff::Timestamp;
use local::receiver::Answer;
use serde_json::{Value, json};
use tests::workspace::SentEvent;
use tests::{Workspace, event_types, receivers};

use super::{assert_problem, test_delivery, wait_until_status};
use crate::promises::STACK;

/// Keeps an event as `fan-out` does before it queues the first task.
async fn accept(workspace: &Workspace, event: &SentEvent, expires_at: Timestamp) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: i64| AttributeValue::N(number.to_string());
    let item = [
        ("workspace", text(&workspace.id)),
        ("event", text(&event.id)),
        ("body", text(&event.body)),
        ("message_id", text("059f36b4-87a3-44ab-83d2-661975830a7d")),
        ("accepted_at", number(Timestamp::now().as_millisecond())),
        ("expires_at", number(expires_at.as_second())),
    ];
    let item: HashMap<_, _> = item
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let call = STACK
        .dynamodb()
        .put_item()
        .table_name(&STACK.tables["EventsTable"]);
    call.set_item(Some(item)).send().await.expect("the event is kept");
}

/// A delivery as lists have it, and where it goes.
fn at_endpoint(mut delivery: Value, endpoint: &str) -> Value {
    delivery["endpoint_id"] = json!(endpoint);
    delivery
}

#[tokio::test]
async fn an_event_is_shown_with_its_delivery_at_every_endpoint_that_has_one() {
    let workspace = Workspace::new(&STACK).await;
    let (well, gone) = (
        receivers::healthy().await,
        receivers::always(Answer::status(410)).await,
    );
    let first = workspace.create_endpoint(&gone.url("/"), &["*"]).await.id;
    let second = workspace.create_endpoint(&well.url("/"), &["*"]).await.id;
    workspace
        .create_endpoint(&well.url("/"), &[event_types::other()])
        .await;
    let before = Timestamp::now() - Duration::from_secs(1);
    let event = workspace.send_event(event_types::one()).await;
    let failed = workspace.wait_for_delivery(&first, &event, "failed").await;
    let delivered = workspace.wait_for_delivery(&second, &event, "delivered").await;
    workspace.create_endpoint(&well.url("/"), &["*"]).await;

    let path = format!("/events/{}", event.id);
    let shown = workspace.get(&path).await;

    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let payload: Value = serde_json::from_str(&event.body).expect("JSON");
    assert_eq!(shown.body["id"], *event.id);
    assert_eq!(shown.body["event"], event_types::one());
    assert_eq!(shown.body["created_at"], payload["created_at"]);
    assert_eq!(shown.body["accepted_at"], delivered["created_at"]);
    let accepted_at = shown.body["accepted_at"].as_str().expect("a time");
    assert!(accepted_at.parse::<Timestamp>().expect("a time") >= before);
    assert_eq!(shown.body["test"], false);
    assert_eq!(shown.body["payload"], payload);
    let expected = [
        at_endpoint(failed, &first),
        at_endpoint(delivered.clone(), &second),
    ];
    assert_eq!(shown.body["deliveries"], json!(expected));

    workspace.delete(&format!("/{first}")).await;
    let remaining = workspace.get(&path).await.body;
    assert_eq!(remaining["deliveries"], json!([at_endpoint(delivered, &second)]));
}

#[tokio::test]
async fn a_test_event_is_an_event_with_one_delivery() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let delivery = test_delivery(&workspace, &endpoint).await;
    let delivered = wait_until_status(&workspace, &delivery, "delivered").await;

    let path = format!("/events/{}", delivered["event_id"].as_str().expect("an id"));
    let shown = workspace.get(&path).await.body;

    assert_eq!(shown["test"], true);
    assert_eq!(shown["payload"], delivered["payload"]);
    assert_eq!(shown["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["deliveries"][0]["id"], delivered["id"]);
    assert_eq!(shown["deliveries"][0]["endpoint_id"], *endpoint);
}

#[tokio::test]
async fn an_event_that_is_not_fanned_out_yet_has_no_deliveries_and_an_expired_one_is_unknown() {
    let workspace = Workspace::new(&STACK).await;
    workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await;
    let (kept, expired) = (
        workspace.event("poster.scanned"),
        workspace.event("poster.scanned"),
    );
    let now = Timestamp::now();
    accept(&workspace, &kept, now + Duration::from_hours(1)).await;
    accept(&workspace, &expired, now - Duration::from_secs(1)).await;

    let shown = workspace.get(&format!("/events/{}", kept.id)).await.body;
    let gone = workspace.get(&format!("/events/{}", expired.id)).await;
    let unknown = workspace.get("/events/evt_nobody").await;

    assert_eq!(shown["deliveries"], json!([]));
    assert_problem(&gone, StatusCode::NOT_FOUND, "expired");
    assert_eq!(gone.body, unknown.body);
}
