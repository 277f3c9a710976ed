//! What is left of a deleted endpoint: no attempt, no secret, no history, whatever crashes in between.

use std::time::{Duration, Instant};

use futures::future::join;
use http::StatusCode;
use local::receiver::{Answer, Received, Receiver};

use crate::support::records::{self, Record};
use crate::support::{PATIENCE, Workspace, aws, eventually, processes, stack};

/// How long the contract gives to the purge.
const PURGED_WITHIN: Duration = Duration::from_mins(1);

const RECORDS: u32 = 5_000;

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
    let workspace = Workspace::new().await;
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
        records::count(&id).await,
        0,
        "no attempt that was under way left a record"
    );
}

#[tokio::test]
async fn secret_and_history_of_a_deleted_endpoint_go_even_if_purge_is_killed() {
    let workspace = Workspace::new().await;
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
    records::write(&doomed).await;
    records::write(&history(&other_id, 30)).await;
    assert!(has_secret(&id).await);
    let before = processes::processor_time("PurgeFunction");

    assert_eq!(
        workspace.delete(&format!("/{id}")).await.status,
        StatusCode::NO_CONTENT
    );
    let answered = Instant::now();
    eventually("the purge is under way", async || {
        (!records::exists(&doomed[500]).await).then_some(())
    })
    .await;
    // The one that works on these records has been the busiest since; others are not to be disturbed.
    let used = processes::processor_time("PurgeFunction").into_iter();
    let used = used.map(|(process, ticks)| (ticks - before.get(&process).unwrap_or(&0), process));
    let (_, busiest) = used.max().expect("a purge runs");
    processes::kill(busiest);
    assert!(
        records::exists(&doomed[RECORDS as usize - 1]).await,
        "it was killed half-way"
    );

    eventually("nothing is left", async || {
        let nothing = records::count(&id).await == 0 && !has_secret(&id).await;
        nothing.then_some(())
    })
    .await;
    assert!(answered.elapsed() < PURGED_WITHIN, "{:?}", answered.elapsed());
    assert_eq!(records::count(&other_id).await, 30);
    assert!(has_secret(&other_id).await);
    let listed = workspace
        .get(&format!("/{other_id}/deliveries?status=failed"))
        .await
        .body;
    assert_eq!(listed["meta"]["total"], 30);
}

async fn has_secret(endpoint: &str) -> bool {
    let name = format!("{}{endpoint}", stack().secret_prefix);
    match aws::secrets().describe_secret().secret_id(name).send().await {
        Ok(_) => true,
        Err(error) => {
            let error = error.into_service_error();
            assert!(error.is_resource_not_found_exception(), "{error:?}");
            false
        }
    }
}
