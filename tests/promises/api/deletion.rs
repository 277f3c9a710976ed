//! What is left of a deleted endpoint: no attempt, no secret, no history, whatever crashes in between.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join;
use http::StatusCode;
use local::receiver::{Answer, Received, Receiver};
use serde_json::json;
use tests::processes::Process;
use tests::records::{self, Record};
use tests::{PATIENCE, Workspace, endpoint_items, eventually};
use tokio::time::timeout;

use crate::promises::STACK;

/// How long the contract gives to the purge.
const PURGED_WITHIN: Duration = Duration::from_mins(1);

const RECORDS: u32 = 2_000;

/// The time-outs of `delete-endpoint` and of `retry`, and five seconds.
const SETTLED_AFTER_SECONDS: u64 = 10 + 30 + 5;

/// Fails every third event for good, so that there are always retries under way.
async fn receiver_that_fails_some() -> Receiver {
    let answer = |request: &Received| {
        let last = request.header("webhook-id").bytes().last().unwrap_or_default();
        Answer::status(if last.is_multiple_of(3) { 500 } else { 200 }).after(Duration::from_millis(100))
    };
    Receiver::start(answer).await.expect("a receiver")
}

async fn send_events(workspace: &Workspace, count: usize) {
    for _ in 0..count {
        workspace.send_event("poster.scanned").await;
    }
}

#[tokio::test]
async fn a_deleted_endpoint_receives_nothing_from_the_answer_on() {
    let workspace = Workspace::new(&STACK).await;
    let (doomed, other) = (receiver_that_fails_some().await, receiver_that_fails_some().await);
    let id = workspace.create_endpoint(&doomed.url("/"), &["*"]).await.id;
    let other_id = workspace.create_endpoint(&other.url("/"), &["*"]).await.id;

    let delete = async {
        doomed
            .wait_for(50, PATIENCE)
            .await
            .expect("deliveries are in flight");
        let answer = workspace.delete(&format!("/{id}")).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        Instant::now()
    };
    let (answered, ()) = join(delete, send_events(&workspace, 200)).await;
    send_events(&workspace, 20).await;

    // The other endpoint gets the same events and fails the same ones, so what is sent to both has been sent by then.
    eventually("the other endpoint's deliveries are finished", async || {
        let pending = workspace
            .get(&format!("/{other_id}/deliveries?status=pending"))
            .await
            .body;
        let all = workspace.get(&format!("/{other_id}/deliveries")).await.body;
        (pending["meta"]["total"] == 0 && all["meta"]["total"] == 220).then_some(())
    })
    .await;
    let late = |receiver: &Receiver| {
        receiver
            .received()
            .iter()
            .filter(|request| request.at > answered)
            .count()
    };
    assert_eq!(late(&doomed), 0);
    assert!(late(&other) > 20, "there was something to be sent");
    assert_eq!(
        records::count(&STACK, &id).await,
        0,
        "no attempt that was under way left a record"
    );
}

#[tokio::test]
async fn secret_and_history_of_a_deleted_endpoint_go_even_if_purge_is_killed() {
    let workspace = Workspace::new(&STACK).await;
    let id = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let other_id = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let history = |endpoint: &str, count: u32| {
        let record = |number| Record::new(endpoint, number, "2026-06-01T00:00:00Z", "failed");
        (0..count).map(record).collect::<Vec<_>>()
    };
    let doomed = history(&id, RECORDS);
    records::write(&STACK, &doomed).await;
    records::write(&STACK, &history(&other_id, 30)).await;
    assert!(STACK.has_secret(&id).await);
    let before: HashMap<_, _> = purges()
        .into_iter()
        .map(|(purge, ticks)| (purge.id(), ticks))
        .collect();

    let delete = async {
        let answer = workspace.delete(&format!("/{id}")).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        Instant::now()
    };
    let kill = async {
        // Without a pause between the looks: the purge begins before the deletion is answered, and is soon over.
        let under_way = async { while records::exists(&STACK, &doomed[200]).await {} };
        timeout(PATIENCE, under_way).await.expect("a purge begins");
        // The one that works on these records has been the busiest since; others are not to be disturbed.
        let used = |(purge, ticks): &(Process, u64)| ticks - before.get(&purge.id()).unwrap_or(&0);
        let (busiest, _) = purges().into_iter().max_by_key(used).expect("a purge runs");
        busiest.kill();
        assert!(
            records::exists(&STACK, &doomed[RECORDS as usize - 1]).await,
            "it was killed half-way"
        );
    };
    let (answered, ()) = join(delete, kill).await;

    eventually("nothing is left", async || {
        let nothing = records::count(&STACK, &id).await == 0 && !STACK.has_secret(&id).await;
        nothing.then_some(())
    })
    .await;
    assert!(answered.elapsed() < PURGED_WITHIN, "{:?}", answered.elapsed());
    assert_eq!(records::count(&STACK, &other_id).await, 30);
    assert!(STACK.has_secret(&other_id).await);
    let listed = workspace
        .get(&format!("/{other_id}/deliveries?status=failed"))
        .await
        .body;
    assert_eq!(listed["meta"]["total"], 30);
}

#[tokio::test]
async fn a_deletion_announces_its_purge_before_the_stream_can() {
    let workspace = Workspace::new(&STACK).await;
    let id = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;

    workspace.delete(&format!("/{id}")).await;

    let announced = STACK.queue("PurgesQueue").messages(&id).await;
    let delays = announced.iter().map(|message| {
        let seconds = |name: &str| message[name].as_u64().expect("seconds");
        seconds("VisibleAt") - seconds("SentTimestamp")
    });
    // The creation's is delayed by 60 s, the stream's by at most 35 s.
    let delays: Vec<_> = delays.collect();
    assert!(delays.contains(&SETTLED_AFTER_SECONDS), "{delays:?}");
}

/// Nobody queues a purge for it: the table's stream tells of the deletion.
#[tokio::test]
async fn an_endpoint_that_somebody_deletes_by_hand_is_purged_too() {
    let workspace = Workspace::new(&STACK).await;
    let created = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let (id, secret) = (local::new_id("whe_"), STACK.secrets().create_secret());
    let secret = secret
        .name(format!("{}{id}", STACK.secret_prefix))
        .secret_string("whs_");
    secret.send().await.expect("a secret is made");
    let mut item = endpoint_items::read(&STACK, &workspace.id, &created).await;
    item.insert("endpoint".to_owned(), AttributeValue::S(id.clone()));
    let table = &STACK.tables["EndpointsTable"];
    let put = STACK.dynamodb().put_item().table_name(table);
    put.set_item(Some(item.clone()))
        .send()
        .await
        .expect("it is there");

    let delete = STACK.dynamodb().delete_item().table_name(table);
    let delete = delete.key("workspace", item["workspace"].clone());
    let deleted = delete.key("endpoint", item["endpoint"].clone()).send().await;

    deleted.expect("it is deleted");
    eventually("its secret is gone", async || {
        (!STACK.has_secret(&id).await).then_some(())
    })
    .await;
}

/// Nothing in the table's stream has ever told of this endpoint.
#[tokio::test]
async fn a_purge_needs_nothing_but_its_message() {
    let workspace = Workspace::new(&STACK).await;
    let id = local::new_id("whe_");
    let record = |number| Record::new(&id, number, "2026-06-01T00:00:00Z", "failed");
    let history: Vec<_> = (0..30).map(record).collect();
    records::write(&STACK, &history).await;
    let secret = STACK.secrets().create_secret();
    let secret = secret.name(format!("{}{id}", STACK.secret_prefix));
    let secret = secret.secret_string("whs_").send().await;
    secret.expect("a secret is made");

    let purge = json!({ "workspace": workspace.id, "endpoint": id });
    STACK.queue("PurgesQueue").send(&purge.to_string()).await;

    eventually("nothing is left", async || {
        let nothing = records::count(&STACK, &id).await == 0 && !STACK.has_secret(&id).await;
        nothing.then_some(())
    })
    .await;
}

/// The processes of `purge`, each with the processor time that it has used. One that ends meanwhile is none.
fn purges() -> Vec<(Process, u64)> {
    let purges = STACK.processes_of("PurgeFunction").into_iter();
    purges
        .filter_map(|purge| Some((purge.clone(), purge.ticks()?)))
        .collect()
}
