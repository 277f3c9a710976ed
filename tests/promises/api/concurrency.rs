//! Requests at the same moment: what each is answered holds afterwards.

use futures::future::{join, join_all};
use http::StatusCode;
use serde_json::json;
use tests::signature::verify_all;
use tests::{PATIENCE, Workspace, event_types, receivers};

use super::assert_problem;
use crate::promises::STACK;

/// The template's default.
const ENDPOINT_LIMIT: usize = 100;

/// Requests that race are repeated, since one race proves little.
const ROUNDS: usize = 10;

const URL: &str = "https://hooks.example.com/";

#[tokio::test]
async fn parallel_creations_stop_exactly_at_the_limit() {
    let workspace = Workspace::new(&STACK).await;
    let body = json!({ "url": URL, "events": ["*"], "enabled": false });
    for _ in 0..(ENDPOINT_LIMIT - 1) / 9 {
        let answers = join_all((0..9).map(|_| workspace.post("", &body))).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED));
    }

    let answers = join_all((0..50).map(|_| workspace.post("", &body))).await;

    let (created, refused): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(created.len(), 1);
    for answer in refused {
        assert_problem(answer, StatusCode::CONFLICT, "over the limit");
    }
    let listed = workspace.get("?per_page=100").await.body;
    assert_eq!(listed["meta"]["total"], ENDPOINT_LIMIT);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(ENDPOINT_LIMIT));
    let id = created[0].body["id"].as_str().expect("an id");
    assert_eq!(
        workspace.delete(&format!("/{id}")).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        workspace.post("", &body).await.status,
        StatusCode::CREATED,
        "there is room for one again"
    );
    assert_eq!(workspace.post("", &body).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn parallel_changes_of_different_fields_all_hold() {
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace.create_endpoint(URL, &["*"]).await.id;
    let path = format!("/{endpoint}");

    for round in 0..ROUNDS {
        let url = format!("{URL}{round}");
        let events = json!([if round % 2 == 0 {
            event_types::one()
        } else {
            event_types::other()
        }]);
        let bodies = [
            json!({ "url": url }),
            json!({ "events": events }),
            json!({ "enabled": true }),
        ];
        let answers = join_all(bodies.iter().map(|body| workspace.patch(&path, body))).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
        let endpoint = workspace.get(&path).await.body;
        assert_eq!(endpoint["url"], url);
        assert_eq!(endpoint["events"], events);
        assert_eq!(endpoint["enabled"], true);
    }
}

#[tokio::test]
async fn a_change_beside_a_deletion_never_brings_the_endpoint_back() {
    let workspace = Workspace::new(&STACK).await;

    let rounds = (0..ROUNDS).map(async |round| {
        let endpoint = workspace.create_endpoint(URL, &["*"]).await.id;
        let path = format!("/{endpoint}");
        let url = json!({ "url": format!("{URL}{round}") });
        let (deleted, changed) = join(workspace.delete(&path), workspace.patch(&path, &url)).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        if changed.status != StatusCode::OK {
            assert_problem(&changed, StatusCode::NOT_FOUND, "changed after the deletion");
        }
        assert_eq!(workspace.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(workspace.patch(&path, &url).await.status, StatusCode::NOT_FOUND);
        assert_eq!(workspace.delete(&path).await.status, StatusCode::NOT_FOUND);
    });
    join_all(rounds).await;

    assert_eq!(workspace.get("").await.body["meta"]["total"], 0);
}

#[tokio::test]
async fn parallel_deletions_count_once() {
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace.create_endpoint(URL, &["*"]).await.id;
    let path = format!("/{endpoint}");

    let answers = join_all((0..5).map(|_| workspace.delete(&path))).await;

    let (deleted, refused): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::NO_CONTENT);
    assert_eq!(deleted.len(), 1);
    for answer in refused {
        assert_problem(answer, StatusCode::NOT_FOUND, "deleted already");
    }
}

#[tokio::test]
async fn of_parallel_rotations_one_secret_is_in_use() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let path = format!("/{endpoint}/rotate-secret");
    let body = json!({});

    let answers = join_all((0..5).map(|_| workspace.post(&path, &body))).await;

    let (rotated, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    for answer in refused {
        assert_problem(answer, StatusCode::CONFLICT, "overtaken by another rotation");
    }
    workspace.send_event("poster.scanned").await;
    let requests = receiver.wait_for(1, PATIENCE).await.expect("the event arrives");
    let secrets = rotated.iter().filter_map(|answer| answer.body["secret"].as_str());
    let cases: Vec<_> = secrets.map(|secret| (&requests[0], secret)).collect();
    let fitting = verify_all(&STACK, &cases).into_iter().filter(|fits| *fits);
    assert_eq!(fitting.count(), 1);
}
