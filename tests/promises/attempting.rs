//! How an attempt ends, and what follows it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use local::receiver::{Answer, Receiver};
use serde_json::{Value, json};
use tests::records::{self, Record};
use tests::{PATIENCE, Workspace, queues, receivers};

use crate::promises::STACK;

/// Attempts of a delivery on this stack: the first, and one after each wait of its schedule.
const ALL_ATTEMPTS: u64 = 4;

/// The deadline of an attempt on this stack.
const DEADLINE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn two_failures_and_a_success_end_delivered_after_three_attempts() {
    let workspace = Workspace::new(&STACK).await;
    let count = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Answer::status(500).body("not yet"),
        _ => Answer::status(200),
    });
    let receiver = receiver.await.expect("a receiver");
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    let event = workspace.send_event("poster.scanned").await;

    let delivery = workspace
        .wait_for_delivery(&endpoint.id, &event, "delivered")
        .await;
    assert_eq!(delivery["attempt_count"], 3);
    assert_eq!(delivery["last_error"], Value::Null);
    assert_eq!(delivery["next_attempt_at"], Value::Null);
    let requests = receiver.received();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| request.header("webhook-id") == event.id),
        "one id on every attempt"
    );
    let attempts = attempts(&workspace, &endpoint.id, &delivery).await;
    let statuses: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt["http_status"].clone())
        .collect();
    assert_eq!(statuses, [500, 500, 200]);
    assert_eq!(attempts[0]["response_body"], "not yet");
    assert_eq!(attempts[0]["error"], "status");
}

#[tokio::test]
async fn a_receiver_that_always_fails_gets_exactly_the_scheduled_attempts() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::always(Answer::status(500)).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    let event = workspace.send_event("poster.scanned").await;

    let delivery = workspace.wait_for_delivery(&endpoint.id, &event, "failed").await;
    assert_eq!(delivery["attempt_count"], ALL_ATTEMPTS);
    assert_eq!(delivery["last_error"], "status");
    assert_eq!(receiver.received().len() as u64, ALL_ATTEMPTS);
}

#[tokio::test]
async fn a_redirect_is_a_failed_attempt_and_its_target_is_never_visited() {
    let workspace = Workspace::new(&STACK).await;
    let target = receivers::healthy().await;
    let location = target.url("/elsewhere");
    let receiver = Receiver::start(move |_| Answer::redirect(&location))
        .await
        .expect("a receiver");
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    let event = workspace.send_event("poster.scanned").await;

    let delivery = workspace.wait_for_delivery(&endpoint.id, &event, "failed").await;
    assert_eq!(delivery["http_status"], 302);
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn a_failed_attempt_shows_the_headers_that_explain_it_and_a_successful_one_none() {
    let headers = |answer: Answer| {
        let answer = answer.header("retry-after", "soon").header("server", "nginx");
        answer
            .header("x-request-id", &"r".repeat(600))
            .header("set-cookie", "a=b")
    };

    let failed = first_attempt(headers(Answer::status(503))).await;
    let succeeded = first_attempt(headers(Answer::status(200))).await;
    let unanswered = first_attempt(headers(Answer::hang())).await;

    let request_id = "r".repeat(512 - "retry-aftersoon".len() - "x-request-id".len());
    let expected = json!({ "retry-after": "soon", "x-request-id": request_id });
    assert_eq!(failed["response_headers"], expected);
    assert_eq!(succeeded["response_headers"], Value::Null);
    assert_eq!(unanswered["response_headers"], Value::Null);
}

#[tokio::test]
async fn a_body_dripped_a_byte_a_second_ends_at_the_deadline() {
    let attempt = first_attempt(Answer::drip()).await;

    assert_eq!(attempt["error"], "timeout");
    assert!(lasts_until_the_deadline(&attempt), "{attempt}");
}

#[tokio::test]
async fn a_receiver_that_never_answers_ends_at_the_deadline() {
    let attempt = first_attempt(Answer::hang()).await;

    assert_eq!(attempt["error"], "timeout");
    assert!(lasts_until_the_deadline(&attempt), "{attempt}");
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_at_the_cap() {
    // 64 MB, of which the function reads 16 KiB: anything more takes longer than this, and more memory than it has.
    let attempt = first_attempt(Answer::gzip_bomb(64 << 20)).await;

    assert_eq!(
        attempt["error"],
        Value::Null,
        "a 2xx is a success, however long its body"
    );
    assert_eq!(
        attempt["response_body"].as_str().expect("its beginning").len(),
        1024
    );
    assert!(
        attempt["duration_ms"].as_u64().expect("a duration") < 2000,
        "{attempt}"
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_up_within_its_answer_has_not_received() {
    let attempt = first_attempt(Answer::hang_up_after("half")).await;

    assert_eq!(attempt["error"], "connect");
    assert_eq!(attempt["http_status"], 200);
}

#[tokio::test]
async fn an_unreadable_record_fails_only_the_message_that_needs_it() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let pending = |number| Record::new(&endpoint, number, "2026-06-07T10:30:00Z", "pending");
    let [good, bad] = [pending(1), records::spoiled(pending(2))];
    let batch: Vec<Value> = [&bad, &good]
        .map(|delivery| {
            let task = json!({
                "workspace": workspace.id,
                "endpoint": endpoint,
                "delivery": delivery.id,
                "event_id": "evt_1",
                "event": "poster.scanned",
                "attempt": 1,
                "kind": "automatic",
                "body": "{}",
            });
            queues::record(&delivery.id, &task.to_string())
        })
        .into();
    records::write(&STACK, &[bad.clone(), good]).await;

    for function in ["DeliverFunction", "RetryFunction"] {
        let answer = STACK.invoke(function, &json!({ "Records": batch })).await;
        let failures = json!({ "batchItemFailures": [{ "itemIdentifier": bad.id }] });
        assert_eq!(answer.expect("an answer"), failures, "{function}");
    }
    assert_eq!(receiver.received().len(), 1, "the other one is delivered");
}

/// The first attempt at an endpoint that always answers so.
async fn first_attempt(answer: Answer) -> Value {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::always(answer).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let event = workspace.send_event("poster.scanned").await;
    receiver.wait_for(1, PATIENCE).await.expect("the event arrives");
    let delivery = workspace.wait_for_attempt(&endpoint.id, &event).await;
    attempts(&workspace, &endpoint.id, &delivery).await.remove(0)
}

async fn attempts(workspace: &Workspace, endpoint: &str, delivery: &Value) -> Vec<Value> {
    let id = delivery["id"].as_str().expect("an id");
    let answer = workspace.get(&format!("/{endpoint}/deliveries/{id}")).await;
    answer.body["attempts"].as_array().expect("attempts").clone()
}

fn lasts_until_the_deadline(attempt: &Value) -> bool {
    let duration = Duration::from_millis(attempt["duration_ms"].as_u64().expect("a duration"));
    (DEADLINE..DEADLINE * 2).contains(&duration)
}
