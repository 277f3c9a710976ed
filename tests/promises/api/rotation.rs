//! The old secret signs nothing from the moment a rotation is answered, whatever is under way.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::{join, join_all};
use http::StatusCode;
use local::receiver::{Answer, Received, Receiver};
use serde_json::json;
use tests::document;
use tests::signature::{verifies, verify_all};
use tests::{PATIENCE, Workspace, eventually, issued, receivers};

use super::assert_problem;
use crate::promises::STACK;

/// Events sent before, beside and after the rotation.
const EVENTS: usize = 200;

/// Attempts that fail of every fourth event; the last of them is followed by the longest wait of the schedule.
const FAILURES: usize = 3;

/// Every fourth event fails a few times, so that its retries come long after the rotation.
async fn receiver_with_retries() -> Receiver {
    let attempts: Mutex<HashMap<String, usize>> = Mutex::default();
    let answer = move |request: &Received| {
        let id = request.header("webhook-id");
        let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let made = attempts.entry(id.to_owned()).or_default();
        *made += 1;
        let fails = id.bytes().last().unwrap_or_default().is_multiple_of(4) && *made <= FAILURES;
        Answer::status(if fails { 500 } else { 200 }).after(Duration::from_millis(200))
    };
    Receiver::start(answer).await.expect("a receiver")
}

fn timestamp(request: &Received) -> u64 {
    request.header("webhook-timestamp").parse().expect("seconds")
}

/// Versions of a secret that are younger than a day, of which Secrets Manager keeps no more.
const MOST_VERSIONS: usize = 100;

#[tokio::test]
async fn one_rotation_too_many_is_refused_until_later_and_the_old_secret_still_signs() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let (path, secrets) = (format!("/{}", endpoint.id), STACK.secrets());
    let name = format!("{}{}", STACK.secret_prefix, endpoint.id);
    // What rotations that died make: versions that the endpoint does not name. Creating it made the first.
    let versions = (1..MOST_VERSIONS).map(async |_| {
        let version = secrets.put_secret_value().secret_id(&name);
        let version = version.secret_string(&endpoint.secret).version_stages("UNUSED");
        version.send().await.expect("another version")
    });
    join_all(versions).await;

    let answers = &document::document()["components"]["responses"];
    let shown = &answers["TooManyRotations"]["content"]["application/json"]["example"];
    // The second is refused like the first: a refused rotation is not under way.
    for _ in 0..2 {
        let refused = workspace.post(&format!("{path}/rotate-secret"), &json!({})).await;
        assert_problem(&refused, StatusCode::TOO_MANY_REQUESTS, "too many rotations");
        assert_eq!(refused.headers["retry-after"], "3600");
        assert_eq!(&refused.body, shown);
    }

    let event = workspace.send_event("poster.scanned").await;
    workspace
        .wait_for_delivery(&endpoint.id, &event, "delivered")
        .await;
    let request = receiver.received().remove(0);
    assert!(verifies(&STACK, &request, &endpoint.secret));
}

#[tokio::test]
async fn an_attempt_after_a_rotation_is_signed_with_the_new_secret_only() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receiver_with_retries().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let (old, path) = (endpoint.secret, format!("/{}", endpoint.id));

    let rotate = async {
        receiver
            .wait_for(50, PATIENCE)
            .await
            .expect("deliveries are in flight");
        let rotated = workspace.post(&format!("{path}/rotate-secret"), &json!({})).await;
        assert_eq!(rotated.status, StatusCode::OK);
        let answered = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time")
            .as_secs();
        (
            rotated.body["secret"]
                .as_str()
                .expect("the new secret")
                .to_owned(),
            answered,
        )
    };
    let send = async {
        for _ in 0..EVENTS {
            workspace.send_event("poster.scanned").await;
        }
    };
    let ((new, answered), ()) = join(rotate, send).await;
    issued::remember(&new);

    eventually("everything is delivered", async || {
        let delivered = workspace
            .get(&format!("{path}/deliveries?status=delivered"))
            .await
            .body;
        (delivered["meta"]["total"] == EVENTS).then_some(())
    })
    .await;
    let requests = receiver.received();
    // Timestamps are whole seconds, so the second of the answer itself may hold both.
    let (late, early): (Vec<_>, Vec<_>) = requests.iter().partition(|request| timestamp(request) > answered);
    let signed_with = |requests: &[&Received], secret: &str| {
        let cases: Vec<_> = requests.iter().map(|request| (*request, secret)).collect();
        verify_all(&STACK, &cases)
    };
    let by_new = signed_with(&late, &new);
    assert!(
        by_new.iter().all(|by_new| *by_new),
        "after the answer the new secret signs"
    );
    let by_old = signed_with(&late, &old);
    assert!(by_old.iter().all(|by_old| !by_old), "and the old one does not");
    let (by_new, by_old) = (signed_with(&early, &new), signed_with(&early, &old));
    assert!(
        by_new
            .iter()
            .zip(&by_old)
            .all(|(by_new, by_old)| by_new != by_old),
        "one of the two signs"
    );
    assert!(by_old.iter().any(|by_old| *by_old));
    let ids = |requests: &[&Received]| -> BTreeSet<String> {
        requests
            .iter()
            .map(|request| request.header("webhook-id").to_owned())
            .collect()
    };
    assert!(
        ids(&late).intersection(&ids(&early)).count() > 0,
        "older deliveries were retried"
    );
}
