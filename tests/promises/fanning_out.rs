//! Who receives an event, in which bytes, and how often.

use serde_json::{Value, json};
use tests::signature::verifies;
use tests::{PATIENCE, Workspace, event_types, queues, receivers};

use crate::promises::STACK;

/// The most bytes an event may have.
const MAX_EVENT_BYTES: usize = 256 * 1024;

#[tokio::test]
async fn an_event_arrives_at_exactly_the_endpoints_that_subscribe_to_it() {
    let workspace = Workspace::new(&STACK).await;
    let stranger = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    workspace
        .create_endpoint(&receiver.url("/subscribed"), &[event_types::one()])
        .await;
    workspace
        .create_endpoint(&receiver.url("/everything"), &["*"])
        .await;
    workspace
        .create_endpoint(&receiver.url("/other"), &[event_types::other()])
        .await;
    let disabled = workspace
        .create_endpoint(&receiver.url("/disabled"), &["*"])
        .await;
    workspace
        .patch(&format!("/{}", disabled.id), &json!({ "enabled": false }))
        .await;
    stranger.create_endpoint(&receiver.url("/stranger"), &["*"]).await;

    workspace.send_event(event_types::one()).await;
    // Whatever the first event did wrong has arrived by the time the second has.
    workspace.send_event("a.future.event").await;

    let requests = receiver.wait_for(3, PATIENCE).await.expect("both events arrive");
    let mut paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/everything", "/everything", "/subscribed"]);
}

#[tokio::test]
async fn the_body_arrives_byte_for_byte() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let strange = |id: &str| {
        format!(
            "{{ \"data\" :{{\"z\":1e400,\"a\":[1.0, 1.00],\"text\":\"\\u00e9 é \\ud83d\\ude00 😀\\n\"}},\n\t\"workspace_id\":\"{}\",  \
             \"event\":\"poster.scanned\",\"created_at\":\"2026-06-07T12:30:00+02:00\",\"more\":null,\"id\":\"{id}\" }} ",
            workspace.id
        )
    };
    let small = workspace.event("poster.scanned");
    let small_body = strange(&small.id);
    let large = workspace.event("poster.scanned");
    let filler = MAX_EVENT_BYTES - large.body.len() - "\"\":\"\",".len();
    let large_body = large
        .body
        .replacen('{', &format!("{{\"\":\"{}\",", "é".repeat(filler / 2)), 1);
    let large_body = format!("{large_body}{}", " ".repeat(MAX_EVENT_BYTES - large_body.len()));
    assert_eq!(large_body.len(), MAX_EVENT_BYTES);

    workspace.send(&small_body).await;
    workspace.send(&large_body).await;

    let requests = receiver.wait_for(2, PATIENCE).await.expect("both events arrive");
    for (event, body) in [(&small, &small_body), (&large, &large_body)] {
        let request = requests
            .iter()
            .find(|request| request.header("webhook-id") == event.id)
            .expect("it arrives");
        assert!(
            request.body == *body,
            "{} bytes arrived as {}",
            body.len(),
            request.body.len()
        );
        assert!(verifies(&STACK, request, &endpoint.secret));
    }
}

#[tokio::test]
async fn the_same_event_sent_twice_is_delivered_once() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    let event = workspace.event("poster.scanned");
    for _ in 0..5 {
        workspace.send(&event.body).await;
    }
    workspace
        .wait_for_delivery(&endpoint.id, &event, "delivered")
        .await;
    workspace.send(&event.body).await;
    let last = workspace.send_event("poster.scanned").await;

    workspace
        .wait_for_delivery(&endpoint.id, &last, "delivered")
        .await;
    assert_eq!(
        receiver.received().len(),
        2,
        "one request for each of the two events"
    );
    assert_eq!(workspace.deliveries(&endpoint.id).await.len(), 2);
}

#[tokio::test]
async fn fanning_the_same_batch_out_again_delivers_once_and_only_to_who_was_there() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let events = [
        workspace.event("poster.scanned"),
        workspace.event("poster.scanned"),
    ];
    let records: Vec<Value> = events
        .iter()
        .map(|event| queues::record(&event.id, &event.body))
        .collect();
    let batch = json!({ "Records": records });

    let (first, second) = tokio::join!(
        STACK.invoke("FanOutFunction", &batch),
        STACK.invoke("FanOutFunction", &batch)
    );
    let nothing_comes_back = json!({ "batchItemFailures": [] });
    assert_eq!(first.expect("an answer"), nothing_comes_back);
    assert_eq!(second.expect("an answer"), nothing_comes_back);

    for event in &events {
        workspace
            .wait_for_delivery(&endpoint.id, event, "delivered")
            .await;
    }
    let newcomer = receivers::healthy().await;
    let new = workspace.create_endpoint(&newcomer.url("/"), &["*"]).await;
    let third = STACK.invoke("FanOutFunction", &batch).await;
    assert_eq!(third.expect("an answer"), nothing_comes_back);

    // What the later runs queued comes after a delay of twice the deadline of an attempt, 6 s on this stack.
    for endpoint in [&endpoint, &new] {
        STACK.queue("DeliveriesQueue").wait_until_none(&endpoint.id).await;
    }
    assert_eq!(receiver.received().len(), 2);
    assert!(newcomer.received().is_empty(), "it was not there");
}

#[tokio::test]
async fn another_body_under_a_known_id_is_rejected_with_the_reason() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let event = workspace.send_event("poster.scanned").await;
    workspace
        .wait_for_delivery(&endpoint.id, &event, "delivered")
        .await;

    let forged = event.body.replace("\"score\":9", "\"score\":1");
    workspace.send(&forged).await;

    let reason = STACK.queue("RejectedEventsQueue").reason(&forged).await;
    assert!(reason.contains("already belongs to another event"), "{reason}");
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn twenty_malformed_messages_are_rejected_and_hold_up_no_good_one() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let good = workspace.event("poster.scanned");
    let malformed = malformed(&good.body);
    assert_eq!(malformed.len(), 20);
    let mut records: Vec<Value> = malformed
        .iter()
        .enumerate()
        .map(|(index, body)| queues::record(&format!("bad-{index}"), body))
        .collect();
    records.insert(7, queues::record("good", &good.body));

    let answer = STACK
        .invoke("FanOutFunction", &json!({ "Records": records }))
        .await;

    assert_eq!(
        answer.expect("an answer"),
        json!({ "batchItemFailures": [] }),
        "none is retried"
    );
    workspace
        .wait_for_delivery(&endpoint.id, &good, "delivered")
        .await;
    for body in &malformed {
        assert!(!STACK.queue("RejectedEventsQueue").reason(body).await.is_empty());
    }
}

/// Every way in which a message can be no event.
fn malformed(good: &str) -> Vec<String> {
    let mut event: Value = serde_json::from_str(good).expect("JSON");
    // Unlike the good one, so that the queue of rejected events can tell them apart.
    event["data"] = json!({ "marker": event["id"] });
    let marker = event["id"].as_str().expect("an id").to_owned();
    let without = |name: &str| {
        let mut event = event.clone();
        event.as_object_mut().expect("an object").remove(name);
        event.to_string()
    };
    let with = |name: &str, value: Value| {
        let mut event = event.clone();
        event[name] = value;
        event.to_string()
    };
    let duplicate = event.to_string().replacen('{', "{\"event\":\"a.b\",", 1);
    vec![
        format!("no JSON {marker}"),
        format!("[\"{marker}\"]"),
        format!("\"{marker}\""),
        event.to_string() + "}",
        event.to_string().replacen('{', "", 1),
        without("id"),
        without("event"),
        without("created_at"),
        without("workspace_id"),
        without("data"),
        with("id", json!(7)),
        with("id", json!("evt_with.stop")),
        with("event", json!("Not A Name")),
        with("event", Value::Null),
        with("created_at", json!("yesterday")),
        with("created_at", json!(1_795_435_200)),
        with("workspace_id", json!("acme")),
        with("data", json!([marker])),
        with("data", Value::Null).replace("null", &format!("\"{marker}\"")),
        duplicate,
    ]
}
