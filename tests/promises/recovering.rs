//! Recoveries: an endpoint gets back what failed, or what it missed, at a pace, with pauses while it fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::{join, join_all};
use http::StatusCode;
use local::receiver::{Answer, Receiver};
use serde_json::{Value, json};
use tests::records::{self, Record};
use tests::workspace::ApiAnswer;
use tests::{Workspace, eventually, receivers};

use super::api::{assert_problem, bad_fields};
use crate::promises::STACK;

/// When the first of the written deliveries was accepted.
const FIRST: &str = "2026-11-01T10:00:00Z";

/// Before everything.
const LONG_AGO: &str = "2026-10-01T00:00:00Z";

/// The id of a recovery that found nothing and has ended.
pub(super) async fn finished_recovery(workspace: &Workspace, endpoint: &str) -> String {
    let wanted = json!({ "since": LONG_AGO, "until": LONG_AGO });
    let started = start(workspace, endpoint, &wanted).await;
    let id = id_of(&started);
    wait_for_status(workspace, endpoint, &id, "finished").await;
    id
}

/// The id of a recovery that goes on for a minute, in which nothing is delivered.
pub(super) async fn long_recovery(workspace: &Workspace, endpoint: &str) -> String {
    write_failed(endpoint, 60).await;
    let wanted = json!({ "since": FIRST, "per_second": 1 });
    id_of(&start(workspace, endpoint, &wanted).await)
}

async fn write_failed(endpoint: &str, count: u32) {
    let failed: Vec<_> = (0..count)
        .map(|number| Record::new(endpoint, number, FIRST, "failed"))
        .collect();
    records::write(&STACK, &failed).await;
}

async fn start(workspace: &Workspace, endpoint: &str, wanted: &Value) -> ApiAnswer {
    let answer = workspace.post(&format!("/{endpoint}/recoveries"), wanted).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    answer
}

fn id_of(answer: &ApiAnswer) -> String {
    answer.body["id"].as_str().expect("an id").to_owned()
}

async fn wait_for_status(workspace: &Workspace, endpoint: &str, id: &str, status: &str) -> Value {
    let path = format!("/{endpoint}/recoveries/{id}");
    eventually(&format!("a recovery that is {status}"), async || {
        let shown = workspace.get(&path).await.body;
        (shown["status"] == status).then_some(shown)
    })
    .await
}

async fn cancel(workspace: &Workspace, endpoint: &str, id: &str) -> ApiAnswer {
    let path = format!("/{endpoint}/recoveries/{id}/cancel");
    workspace.api(http::Method::POST, &path, None).await
}

/// An endpoint with so many failed deliveries.
struct Stage {
    workspace: Workspace,
    receiver: Receiver,
    endpoint: String,
}

impl Stage {
    async fn of(receiver: Receiver, failed: u32) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        write_failed(&endpoint, failed).await;
        records::write_events(&STACK, &workspace.id, 0..failed, FIRST).await;
        Self {
            workspace,
            receiver,
            endpoint,
        }
    }

    async fn start(&self, wanted: &Value) -> String {
        id_of(&start(&self.workspace, &self.endpoint, wanted).await)
    }

    async fn wait_for(&self, id: &str, status: &str) -> Value {
        wait_for_status(&self.workspace, &self.endpoint, id, status).await
    }

    async fn total(&self, status: &str) -> u64 {
        let path = format!("/{}/deliveries?status={status}", self.endpoint);
        let total = &self.workspace.get(&path).await.body["meta"]["total"];
        total.as_u64().expect("a number")
    }

    /// How often each event was received.
    fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for request in self.receiver.received() {
            *times.entry(request.header("webhook-id").to_owned()).or_default() += 1;
        }
        times
    }
}

#[tokio::test]
async fn what_failed_in_the_window_comes_back_with_one_more_attempt_each() {
    let stage = Stage::of(receivers::healthy().await, 230).await;
    // The first ten and the last ten were accepted outside of it; one was of another event type.
    let wanted = json!({
        "since": "2026-11-01T10:00:10Z",
        "until": "2026-11-01T10:03:39Z",
        "events": ["poster.scanned"],
        "per_second": 200,
    });

    let answer = start(&stage.workspace, &stage.endpoint, &wanted).await;

    let id = id_of(&answer);
    assert_eq!(
        answer.headers["location"],
        format!("/api/integrations/webhooks/{}/recoveries/{id}", stage.endpoint)
    );
    assert_eq!(
        (&answer.body["status"], &answer.body["total"]),
        (&json!("running"), &Value::Null)
    );
    let finished = stage.wait_for(&id, "finished").await;
    for (name, value) in [
        ("total", json!(210)),
        ("retried", json!(210)),
        ("delivered", json!(210)),
        ("failed", json!(0)),
        ("include", json!("failed")),
        ("since", wanted["since"].clone()),
        ("until", wanted["until"].clone()),
        ("events", wanted["events"].clone()),
        ("per_second", json!(200)),
    ] {
        assert_eq!(finished[name], value, "{name}");
    }
    assert!(finished["finished_at"].is_string());
    assert_eq!(
        (stage.total("delivered").await, stage.total("failed").await),
        (210, 20)
    );
    assert!(stage.times().len() == 210, "{}", stage.times().len());
    let shown = stage.workspace.deliveries(&stage.endpoint).await;
    let recovered = shown.iter().filter(|delivery| delivery["status"] == "delivered");
    assert!(recovered.clone().count() > 0);
    assert!(
        recovered
            .into_iter()
            .all(|delivery| delivery["attempt_count"] == 1)
    );
    let listed = stage
        .workspace
        .get(&format!("/{}/recoveries", stage.endpoint))
        .await;
    assert_eq!(listed.body["data"], json!([finished]));
}

#[tokio::test]
async fn its_tasks_wait_with_the_retries_and_of_two_starts_at_once_one_is_refused() {
    let stage = Stage::of(receivers::healthy().await, 8).await;
    let path = format!("/{}/recoveries", stage.endpoint);
    let wanted = json!({ "since": FIRST, "per_second": 1 });

    let (one, other) = join(
        stage.workspace.post(&path, &wanted),
        stage.workspace.post(&path, &wanted),
    )
    .await;

    let (started, refused) = if one.status == StatusCode::ACCEPTED {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(started.status, StatusCode::ACCEPTED);
    assert_problem(&refused, StatusCode::CONFLICT, "the second");
    let id = id_of(&started);
    assert_eq!(refused.body["recovery_id"], *id);
    eventually("tasks on the retries queue", async || {
        let waiting = STACK.queue("RetriesQueue").messages(&stage.endpoint).await;
        (!waiting.is_empty()).then_some(())
    })
    .await;
    let first_lane = STACK.queue("DeliveriesQueue").messages(&stage.endpoint).await;
    assert!(first_lane.is_empty(), "{first_lane:?}");
    let again = stage.workspace.post(&path, &wanted).await;
    assert_problem(&again, StatusCode::CONFLICT, "while it runs");
    stage.wait_for(&id, "finished").await;
    assert!(stage.times().values().all(|times| *times == 1));
    stage.start(&wanted).await;
}

#[tokio::test]
async fn a_cancelled_recovery_sends_at_most_the_page_that_was_on_its_way() {
    let stage = Stage::of(receivers::healthy().await, 350).await;
    let wanted = json!({ "since": FIRST, "per_second": 50 });
    let id = stage.start(&wanted).await;
    stage
        .receiver
        .wait_for(110, tests::PATIENCE)
        .await
        .expect("the second page has begun");

    let before = stage.times().len();
    let answer = cancel(&stage.workspace, &stage.endpoint, &id).await;

    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.body["status"], "cancelled");
    assert_problem(
        &cancel(&stage.workspace, &stage.endpoint, &id).await,
        StatusCode::CONFLICT,
        "a second time",
    );
    eventually("nothing is pending", async || {
        (stage.total("pending").await == 0).then_some(())
    })
    .await;
    let sent = stage.times().len();
    assert!(sent <= before + 100, "{sent} after {before}");
    assert_eq!(stage.total("failed").await, 350 - sent as u64);
    let rest = json!({ "since": FIRST, "per_second": 200 });
    let next = stage.start(&rest).await;
    let finished = stage.wait_for(&next, "finished").await;
    assert_eq!(finished["delivered"], 350 - sent);
    assert_eq!(stage.total("delivered").await, 350);
}

#[tokio::test]
async fn a_recovery_pauses_while_the_receiver_is_dead_and_goes_on_when_a_probe_succeeds() {
    let (is_well, seen) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let well = Arc::clone(&is_well);
    // It answers the first page, and dies.
    let answer = move |_: &_| {
        let is_of_first_page = seen.fetch_add(1, Ordering::SeqCst) < 100;
        Answer::status(if is_of_first_page || well.load(Ordering::SeqCst) {
            200
        } else {
            500
        })
    };
    let receiver = Receiver::start(answer).await.expect("a receiver");
    let stage = Stage::of(receiver, 130).await;
    let id = stage.start(&json!({ "since": FIRST, "per_second": 100 })).await;

    let paused = stage.wait_for(&id, "paused").await;
    let before = stage.receiver.received().len();
    eventually("a probe", async || {
        (stage.receiver.received().len() > before).then_some(())
    })
    .await;
    is_well.store(true, Ordering::SeqCst);

    assert_eq!((&paused["retried"], &paused["failed"]), (&json!(130), &json!(0)));
    assert!(stage.receiver.received().len() <= before + 2, "one at a time");
    let finished = stage.wait_for(&id, "finished").await;
    assert_eq!(
        (&finished["delivered"], &finished["failed"]),
        (&json!(130), &json!(0))
    );
    assert_eq!(stage.total("delivered").await, 130);
}

#[tokio::test]
async fn a_recovery_ends_with_its_endpoint() {
    let (disabled, deleted) = join(
        Stage::of(receivers::healthy().await, 3),
        Stage::of(receivers::healthy().await, 3),
    )
    .await;
    let wanted = json!({ "since": FIRST, "per_second": 1 });
    let id = disabled.start(&wanted).await;
    let gone = deleted.start(&wanted).await;
    let path = format!("/{}", disabled.endpoint);

    disabled
        .workspace
        .patch(&path, &json!({ "enabled": false }))
        .await;
    deleted.workspace.delete(&format!("/{}", deleted.endpoint)).await;

    let cancelled = disabled.wait_for(&id, "cancelled").await;
    assert!(cancelled["finished_at"].is_string());
    let refused = disabled
        .workspace
        .post(&format!("{path}/recoveries"), &wanted)
        .await;
    assert_problem(&refused, StatusCode::CONFLICT, "disabled");
    assert!(refused.body["message"].to_string().contains("disabled"));
    let shown = deleted
        .workspace
        .get(&format!("/{}/recoveries/{gone}", deleted.endpoint))
        .await;
    assert_problem(&shown, StatusCode::NOT_FOUND, "deleted");
    let kept = format!("{}#recoveries", deleted.endpoint);
    eventually("nothing is left of a deleted endpoint", async || {
        let left = join_all([&kept, &deleted.endpoint].map(|partition| records::count(&STACK, partition)));
        (left.await == [0, 0]).then_some(())
    })
    .await;
    STACK
        .queue("RecoveriesQueue")
        .wait_until_none(&deleted.endpoint)
        .await;
}

#[tokio::test]
async fn a_disabled_endpoint_gets_back_exactly_what_it_missed() {
    let workspace = Workspace::new(&STACK).await;
    let (witness, receiver) = join(receivers::healthy(), receivers::healthy()).await;
    workspace.create_endpoint(&witness.url("/"), &["*"]).await;
    let early = workspace.send_event("poster.scanned").await;
    witness
        .wait_for(1, tests::PATIENCE)
        .await
        .expect("it is accepted");
    let endpoint = workspace
        .create_endpoint(&receiver.url("/"), &["poster.scanned"])
        .await
        .id;
    let path = format!("/{endpoint}");
    let in_time = workspace.send_event("poster.scanned").await;
    receiver.wait_for(1, tests::PATIENCE).await.expect("it arrives");
    workspace.patch(&path, &json!({ "enabled": false })).await;
    let missed = join_all((0..12).map(|_| workspace.send_event("poster.scanned"))).await;
    let of_another_type = workspace.send_event("cleaning.log.created").await;
    let test = json!({ "event": "poster.scanned" });
    workspace.post(&format!("{path}/test"), &test).await;
    witness
        .wait_for(15, tests::PATIENCE)
        .await
        .expect("all are accepted");
    receiver
        .wait_for(2, tests::PATIENCE)
        .await
        .expect("the test arrives");
    workspace.patch(&path, &json!({ "enabled": true })).await;

    let wanted = json!({ "since": LONG_AGO, "include": "missing", "per_second": 200 });
    let id = id_of(&start(&workspace, &endpoint, &wanted).await);
    let fresh = workspace.send_event("poster.scanned").await;
    let finished = wait_for_status(&workspace, &endpoint, &id, "finished").await;

    assert_eq!(
        (&finished["total"], &finished["delivered"]),
        (&json!(12), &json!(12))
    );
    workspace.wait_for_delivery(&endpoint, &fresh, "delivered").await;
    let received = receiver.received();
    let times = |id: &str| {
        let of_it = received
            .iter()
            .filter(|request| request.header("webhook-id") == id);
        of_it.count()
    };
    assert!(missed.iter().all(|event| times(&event.id) == 1));
    assert_eq!((times(&in_time.id), times(&fresh.id)), (1, 1));
    assert_eq!((times(&early.id), times(&of_another_type.id)), (0, 0));
    assert_eq!(received.len(), 12 + 3);
    // Nothing is missing any more.
    let again = id_of(&start(&workspace, &endpoint, &wanted).await);
    let finished = wait_for_status(&workspace, &endpoint, &again, "finished").await;
    assert_eq!(
        (&finished["total"], receiver.received().len()),
        (&json!(0), 12 + 3)
    );
}

#[tokio::test]
async fn every_bad_field_of_a_recovery_is_named() {
    let stage = Stage::of(receivers::healthy().await, 0).await;
    let path = format!("/{}/recoveries", stage.endpoint);
    let all = json!({
        "since": "yesterday", "until": 5, "events": ["order.paid"], "include": "all", "per_second": 201, "pace": 1,
    });

    let answer = stage.workspace.post(&path, &all).await;

    assert_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "everything");
    assert_eq!(
        bad_fields(&answer),
        ["since", "until", "events", "include", "per_second", "pace"]
    );
    for (body, field) in [
        (json!({}), "since"),
        (json!({ "since": "2100-01-01T00:00:00Z" }), "since"),
        (json!({ "since": FIRST, "until": LONG_AGO }), "until"),
        (
            json!({ "since": FIRST, "until": "2100-01-01T00:00:00Z" }),
            "until",
        ),
        (json!({ "since": FIRST, "per_second": 0 }), "per_second"),
        (json!({ "since": FIRST, "per_second": 1.5 }), "per_second"),
    ] {
        let answer = stage.workspace.post(&path, &body).await;
        assert_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, &body.to_string());
        assert_eq!(bad_fields(&answer), [field], "{body}");
    }
}
