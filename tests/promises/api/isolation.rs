//! Who may see and change what. The routes are those of `openapi.yaml`, so that a new one cannot be forgotten.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::document::{Operation, operations};
use tests::signature::verifies;
use tests::workspace::{ApiAnswer, CreatedEndpoint, answer};
use tests::{PATIENCE, Workspace, eventually, receivers};

use super::{assert_problem, test_delivery, wait_until_status};
use crate::promises::STACK;
use crate::promises::recovering::finished_recovery;

/// A workspace with an endpoint and a failed delivery, on which every operation would succeed.
struct Estate {
    workspace: Workspace,
    receiver: Receiver,
    endpoint: CreatedEndpoint,
    delivery: String,
    event: String,
    recovery: String,
}

impl Estate {
    async fn new() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::recovering(1).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
        let path = test_delivery(&workspace, &endpoint.id).await;
        let failed = wait_until_status(&workspace, &path, "failed").await;
        let id = |name: &str| failed[name].as_str().expect("an id").to_owned();
        let (delivery, event) = (id("id"), id("event_id"));
        let recovery = finished_recovery(&workspace, &endpoint.id).await;
        Self {
            workspace,
            receiver,
            endpoint,
            delivery,
            event,
            recovery,
        }
    }

    /// Everything that the API shows of it.
    async fn snapshot(&self) -> Vec<Value> {
        let endpoint = format!("/{}", self.endpoint.id);
        let delivery = format!("{endpoint}/deliveries/{}", self.delivery);
        let mut shown = Vec::new();
        let event = format!("/events/{}", self.event);
        let recoveries = format!("{endpoint}/recoveries");
        for path in [
            "",
            &endpoint,
            &format!("{endpoint}/deliveries"),
            &delivery,
            &event,
            &recoveries,
        ] {
            shown.push(self.workspace.get(path).await.body);
        }
        shown
    }

    fn path(&self, operation: &Operation) -> String {
        operation.path_with(&[
            ("id", &self.endpoint.id),
            ("delivery_id", &self.delivery),
            ("event_id", &self.event),
            ("recovery_id", &self.recovery),
        ])
    }
}

async fn call(workspace: &Workspace, operation: &Operation, path: &str) -> ApiAnswer {
    workspace
        .api(operation.method.clone(), path, operation.body())
        .await
}

#[tokio::test]
async fn another_workspace_sees_and_changes_nothing_on_any_route() {
    let estate = Estate::new().await;
    let stranger = Estate::new().await;
    let before = estate.snapshot().await;

    for operation in operations() {
        let parameters = operation.path_parameters();
        if parameters.is_empty() {
            continue;
        }
        let path = estate.path(operation);
        let theirs = call(&stranger.workspace, operation, &path).await;
        let nobodys = operation.path_with(&[
            ("id", "whe_nobody"),
            ("delivery_id", "del_nobody"),
            ("event_id", "evt_nobody"),
            ("recovery_id", "rec_nobody"),
        ]);
        let nobodys = call(&stranger.workspace, operation, &nobodys).await;
        assert_problem(&theirs, StatusCode::NOT_FOUND, &operation.id);
        assert_eq!(
            theirs.body, nobodys.body,
            "{}: another's id is an unknown id",
            operation.id
        );
        if parameters.len() > 1 {
            let mixed = [
                ("id", stranger.endpoint.id.as_str()),
                ("delivery_id", &estate.delivery),
                ("recovery_id", &estate.recovery),
            ];
            let mixed = call(&stranger.workspace, operation, &operation.path_with(&mixed)).await;
            assert_problem(&mixed, StatusCode::NOT_FOUND, &operation.id);
        }
    }

    let deliveries_of = async |id: &str| {
        let answer = stranger
            .workspace
            .get(&format!("/deliveries?endpoint_id={id}"))
            .await;
        assert_problem(&answer, StatusCode::NOT_FOUND, id);
        answer.body
    };
    let (theirs, nobodys) = (
        deliveries_of(&estate.endpoint.id).await,
        deliveries_of("whe_nobody").await,
    );
    assert_eq!(theirs, nobodys, "another's id is an unknown id");
    let all = stranger.workspace.get("/deliveries").await.body;
    assert!(!all.to_string().contains(&estate.endpoint.id));

    assert_eq!(estate.snapshot().await, before);
    let purges = STACK.queue("PurgesQueue").messages(&estate.endpoint.id).await;
    let in_their_name = |purge: &Value| purge.to_string().contains(&stranger.workspace.id);
    assert!(
        !purges.iter().any(in_their_name),
        "it would delete secret and history"
    );
    let listed = stranger.workspace.get("").await.body;
    assert!(!listed.to_string().contains(&estate.endpoint.id));
    estate.workspace.send_event("poster.scanned").await;
    let requests = estate
        .receiver
        .wait_for(2, PATIENCE)
        .await
        .expect("the event arrives");
    assert!(
        verifies(&STACK, &requests[1], &estate.endpoint.secret),
        "the secret is still the same"
    );
}

#[tokio::test]
async fn every_route_refuses_a_token_without_its_scope() {
    let estate = Estate::new().await;
    let reader = estate.workspace.through_token(&["webhooks:read"]).await;
    let writer = estate.workspace.through_token(&["webhooks:write"]).await;
    let before = estate.snapshot().await;

    for operation in operations() {
        let Some(scope) = &operation.scope else {
            continue;
        };
        let unfit = if scope == "webhooks:read" {
            &writer
        } else {
            &reader
        };
        let refused = call(unfit, operation, &estate.path(operation)).await;
        assert_problem(&refused, StatusCode::FORBIDDEN, &operation.id);
        let named = refused.body["message"]
            .as_str()
            .unwrap_or_default()
            .contains(scope);
        assert!(named, "{} names the scope that lacks", operation.id);
    }

    assert_eq!(estate.snapshot().await, before);
}

#[tokio::test]
async fn a_token_of_any_scope_is_told_what_it_may_do() {
    let workspace = Workspace::new(&STACK).await;
    for scope in ["webhooks:read", "webhooks:write", "webhooks:retry"] {
        let told = workspace.through_token(&[scope]).await.get("/token").await;

        assert_eq!(told.status, StatusCode::OK, "{scope}");
        let expected = json!({ "workspace_id": workspace.id, "scopes": [scope], "expires_at": null });
        assert_eq!(told.body, expected);
    }
}

#[tokio::test]
async fn no_route_answers_a_revoked_token() {
    let estate = Estate::new().await;
    let revoked = estate
        .workspace
        .through_token(&["webhooks:read", "webhooks:write"])
        .await;
    assert_eq!(revoked.get("").await.status, StatusCode::OK);
    let before = estate.snapshot().await;

    let request = json!({ "token_id": revoked.token_id });
    STACK
        .invoke("RevokeTokenFunction", &request)
        .await
        .expect("the token is revoked");

    for operation in operations() {
        let refused = call(&revoked, operation, &estate.path(operation)).await;
        assert_problem(&refused, StatusCode::UNAUTHORIZED, &operation.id);
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(estate.snapshot().await, before);
}

#[tokio::test]
async fn no_route_answers_without_a_valid_token() {
    let estate = Estate::new().await;
    let before = estate.snapshot().await;
    let unknown = format!("Bearer efa_sk_{}", "x".repeat(32));
    let cut_off = format!(
        "Bearer {}",
        &estate.workspace.token[..estate.workspace.token.len() - 1]
    );
    let bad = [
        "",
        "Bearer",
        "Bearer efa_sk_",
        "Basic ZWZhOnNr",
        &unknown,
        &cut_off,
    ];

    for operation in operations() {
        let request = || {
            let request = estate
                .workspace
                .request(operation.method.clone(), &estate.path(operation));
            let body = operation.body().map(Value::to_string).unwrap_or_default();
            request.header("content-type", "application/json").body(body)
        };
        assert_problem(&answer(request()).await, StatusCode::UNAUTHORIZED, &operation.id);
        for authorization in bad {
            let refused = answer(request().header("authorization", authorization)).await;
            assert_problem(&refused, StatusCode::UNAUTHORIZED, authorization);
        }
    }

    assert_eq!(estate.snapshot().await, before);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let workspace = Workspace::new(&STACK).await;
    let soon = Timestamp::now() + Duration::from_secs(2);
    let request = json!({ "workspace_id": workspace.id, "expires_at": soon.to_string() });
    let issued = STACK
        .invoke("IssueTokenFunction", &request)
        .await
        .expect("a token is issued");
    let token = issued["token"].as_str().expect("a token");

    let refused = eventually("the token expires", async || {
        let request = workspace.request(http::Method::GET, "").bearer_auth(token);
        let answer = answer(request).await;
        (answer.status != StatusCode::OK).then_some(answer)
    });

    assert_problem(&refused.await, StatusCode::UNAUTHORIZED, "expired");
    assert!(Timestamp::now() >= soon, "not before it expires");
}
