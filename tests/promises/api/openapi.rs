//! `openapi.yaml` says what the code does, and nothing else: routes, fields, statuses and enums, in both directions.
//! That each answer of any test fits the document is checked where the answers come in.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream::iter;
use http::{Method, StatusCode};
use local::receiver::Receiver;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::domain::delivery::{Failure, Status};
use shared::domain::endpoint::DisabledReason;
use shared::domain::health;
use shared::domain::recovery;
use shared::domain::token::Scope;
use tests::document::{self, BASE_PATH, Operation, operations};
use tests::names::kebab;
use tests::repository::read;
use tests::workspace::answer;
use tests::{Workspace, event_types, receivers, schema};

use super::{test_delivery, wait_until_status};
use crate::promises::STACK;
use crate::promises::recovering::long_recovery;

const JSON: &str = "application/json";

/// What only the gateway answers, and what only a fault brings about: no test can ask for it.
const BEYOND_REACH: [u16; 2] = [429, 500];

/// The words of a schema's `enum`, but for `null`.
fn enumerated(schema: &str) -> BTreeSet<String> {
    let schema = &document::document()["components"]["schemas"][schema];
    let words = schema["enum"].as_array().expect("an enum").iter();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The words that a type of the code is read from: it lists them itself when it refuses another.
fn words_of<T: DeserializeOwned>() -> BTreeSet<String> {
    let refusal = serde_json::from_value::<T>(json!("?"))
        .err()
        .expect("`?` is no word")
        .to_string();
    let (_, known) = refusal.split_once("expected").expect("the words it knows");
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_routes_of_the_template_are_those_of_the_document() {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&read("template.yaml")).expect("YAML");
    let mut deployed = BTreeSet::new();
    for resource in template["Resources"].as_mapping().expect("resources").values() {
        for event in resource["Properties"]["Events"]
            .as_mapping()
            .into_iter()
            .flat_map(|events| events.values())
        {
            if event["Type"] == "HttpApi" {
                let text = |value: &serde_yaml_ng::Value| value.as_str().expect("a text").to_owned();
                deployed.insert((
                    text(&event["Properties"]["Method"]),
                    text(&event["Properties"]["Path"]),
                    text(&resource["Properties"]["Handler"]),
                ));
            }
        }
    }

    let documented = operations().iter().map(|operation| {
        let path = format!("{BASE_PATH}{}", operation.path);
        (operation.method.to_string(), path, kebab(&operation.id))
    });

    // A page is no part of the API.
    let pages = ["/dashboard", "/dashboard/{proxy+}"];
    let pages = pages.map(|path| ("GET".to_owned(), path.to_owned(), "dashboard".to_owned()));
    assert_eq!(deployed, documented.chain(pages).collect());
}

#[test]
fn the_documented_words_are_those_of_the_code() {
    let failures = words_of::<Failure>();
    assert_eq!(enumerated("AttemptError"), failures);
    assert_eq!(enumerated("DeliveryStatus"), words_of::<Status>());
    assert_eq!(enumerated("DisabledReason"), words_of::<DisabledReason>());
    assert_eq!(enumerated("HealthState"), words_of::<health::State>());
    assert_eq!(enumerated("RecoveryInclude"), words_of::<recovery::Include>());
    assert_eq!(enumerated("RecoveryStatus"), words_of::<recovery::Status>());
    let scopes = operations()
        .iter()
        .filter_map(|operation| operation.scope.clone());
    assert_eq!(scopes.collect::<BTreeSet<_>>(), words_of::<Scope>());
    for word in &failures {
        let failure: Failure = serde_json::from_value(json!(word)).expect("a failure");
        assert_eq!(failure.as_str(), word, "stored and shown alike");
        assert!(
            read("docs/api.md").contains(&format!("| `{word}` |")),
            "{word} is in the guide"
        );
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut examples = 0;
    let mut check = |content: &'static Value, what: &str| {
        let content = &content["content"][JSON];
        if let Some(example) = content.get("example") {
            let complaints = schema::complaints(&content["schema"], example);
            assert!(complaints.is_empty(), "{what}: {complaints:?}");
            examples += 1;
        }
    };

    for operation in operations() {
        check(&operation.value["requestBody"], &operation.id);
        for (status, response) in operation.value["responses"].as_object().expect("responses") {
            check(document::resolve(response), &format!("{} {status}", operation.id));
        }
    }

    assert!(examples > 50, "only {examples} examples");
}

/// The bodies of errors that the document and the guide show.
fn shown_errors() -> Vec<Value> {
    let responses = document::document()["components"]["responses"]
        .as_object()
        .expect("responses");
    let documented = responses
        .values()
        .map(|response| response["content"][JSON]["example"].clone());
    let guide = read("docs/api.md");
    let blocks = guide.split("```json\n").skip(1);
    let shown = blocks.filter_map(|block| serde_json::from_str(block.split("```").next()?).ok());
    documented
        .chain(shown)
        .filter(|shown| shown.get("statusCode").is_some())
        .collect()
}

#[tokio::test]
async fn the_errors_that_are_shown_are_those_of_the_api() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = test_delivery(&workspace, &endpoint).await;
    wait_until_status(&workspace, &delivery, "delivered").await;
    let reader = workspace.through_token(&["webhooks:read"]).await;
    let retry = format!("{delivery}/retry");
    let bad = json!({ "url": "ftp://hooks.example.com/", "events": ["*"], "event": event_types::one() });
    let answers = [
        workspace.get("?per_page=0").await,
        answer(workspace.request(Method::GET, "")).await,
        reader.post("", &bad).await,
        workspace.get("/whe_nobody").await,
        workspace.api(Method::POST, &retry, None).await,
        workspace
            .raw(Method::POST, "", Some((JSON, vec![b' '; 100_000])))
            .await,
        workspace.post("", &bad).await,
    ];

    let mut shown = shown_errors();
    // The one that no test can ask for, and the one that the test of rotation compares.
    shown.retain(|error| error["statusCode"] != 500 && error["statusCode"] != 429);
    assert!(shown.len() >= answers.len() + 2, "of the document and the guide");
    for error in shown {
        let answer = answers
            .iter()
            .find(|answer| error["statusCode"] == answer.status.as_u16());
        assert_eq!(answer.expect("it is provoked").body, error);
    }
}

#[tokio::test]
async fn every_event_type_is_listed_and_can_be_subscribed_to_and_tested() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;

    let listed = workspace.get("/event-types").await.body;

    let types = listed["data"].as_array().expect("a list");
    let names: Vec<_> = types.iter().filter_map(|each| each["name"].as_str()).collect();
    assert_eq!(names, event_types::all());
    for each in types {
        assert_eq!(each["sample"]["event"], each["name"]);
        assert_eq!(each["sample"]["test"], true);
        assert_eq!(each["sample"]["workspace_id"], *workspace.id);
        let subscribed = workspace
            .patch(&format!("/{endpoint}"), &json!({ "events": [each["name"]] }))
            .await;
        assert_eq!(subscribed.status, StatusCode::OK);
        let sent = workspace
            .post(&format!("/{endpoint}/test"), &json!({ "event": each["name"] }))
            .await;
        assert_eq!(sent.status, StatusCode::ACCEPTED);
    }
    // A team with event types of its own need not have this one, of which the product's documents name the fields.
    let Some(survey) = types
        .iter()
        .find(|each| each["name"] == "survey.response.created")
    else {
        return;
    };
    let data = &survey["sample"]["data"];
    for name in [
        "session_id",
        "survey_id",
        "survey_version",
        "location_id",
        "location_name",
        "completed_at",
        "duration_seconds",
        "answers",
    ] {
        assert!(data.get(name).is_some(), "{name}");
    }
    for answer in data["answers"].as_array().expect("answers") {
        assert!(
            ["question_id", "type", "value"]
                .iter()
                .all(|name| answer.get(name).is_some())
        );
    }
}

/// An endpoint with a failed delivery, on which every operation can be tried.
struct Stage {
    workspace: Workspace,
    _receiver: Receiver,
    endpoint: String,
    delivery: String,
    event: String,
    recovery: String,
}

impl Stage {
    async fn of(operation: &Operation) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::recovering(1).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let path = test_delivery(&workspace, &endpoint).await;
        let failed = wait_until_status(&workspace, &path, "failed").await;
        let id = |name: &str| failed[name].as_str().expect("an id").to_owned();
        let recovery = if operation.path_parameters().contains(&"recovery_id") {
            long_recovery(&workspace, &endpoint).await
        } else {
            String::new()
        };
        Self {
            workspace,
            _receiver: receiver,
            endpoint,
            recovery,
            delivery: id("id"),
            event: id("event_id"),
        }
    }

    fn path(&self, operation: &Operation) -> String {
        operation.path_with(&[
            ("id", &self.endpoint),
            ("delivery_id", &self.delivery),
            ("event_id", &self.event),
            ("recovery_id", &self.recovery),
        ])
    }

    /// A body with which it succeeds.
    async fn body(&self, operation: &Operation) -> Option<Value> {
        if operation.is_open() {
            let link = self.workspace.create_link(&json!({})).await;
            return Some(json!({ "link": link.text }));
        }
        operation.body().cloned()
    }

    /// The statuses with which the operation answers when it is used well, and in each way in which it can be
    /// misused, whether the document knows that way or not.
    async fn provoke(&self, operation: &Operation) -> BTreeSet<u16> {
        let (method, path) = (operation.method.clone(), self.path(operation));
        let unknown = operation.path_with(&[
            ("id", "whe_nobody"),
            ("delivery_id", "del_nobody"),
            ("event_id", "evt_nobody"),
            ("recovery_id", "rec_nobody"),
        ]);
        let unfit = ["webhooks:read", "webhooks:write"]
            .into_iter()
            .find(|scope| operation.scope.as_deref() != Some(*scope));
        let unfit = self.workspace.through_token(unfit.as_slice()).await;
        let body = self.body(operation).await;
        let body = body.map(|body| (JSON, body.to_string().into_bytes()));
        let ours = &self.workspace;
        let mut answers = vec![
            answer(ours.request(method.clone(), &path)).await,
            unfit.raw(method.clone(), &path, body.clone()).await,
            ours.raw(method.clone(), &path, Some((JSON, vec![b' '; 100_000])))
                .await,
        ];
        if !operation.path_parameters().is_empty() {
            answers.push(ours.raw(method.clone(), &unknown, body.clone()).await);
        }
        if operation.body().is_some() {
            for bad in ["{", "{\"x\":1}"] {
                answers.push(ours.raw(method.clone(), &path, Some((JSON, bad.into()))).await);
            }
        }
        if operation.value["parameters"].to_string().contains("endpoint_id") {
            answers.push(ours.get(&format!("{path}?endpoint_id=whe_nobody")).await);
        }
        if method == Method::GET {
            answers.push(ours.get(&format!("{path}?x=1&page=0")).await);
        }
        // Last, because a deletion succeeds once.
        answers.push(ours.raw(method, &path, body).await);
        answers.iter().map(|answer| answer.status.as_u16()).collect()
    }
}

#[tokio::test]
async fn every_documented_status_is_answered_and_no_other() {
    let provoke = async |operation: &Operation| {
        let stage = Stage::of(operation).await;
        let mut provoked = stage.provoke(operation).await;
        // Answered in the tests of concurrency, of retrying and of recovering: the limit, two rotations at once, a pending
        // delivery, two recoveries at once, one that has ended.
        let in_conflict = [
            "createEndpoint",
            "rotateSecret",
            "retryDelivery",
            "createRecovery",
            "cancelRecovery",
        ];
        if in_conflict.contains(&operation.id.as_str()) {
            provoked.insert(409);
        }

        let mut documented = operation.statuses();
        documented.retain(|status| !BEYOND_REACH.contains(status));
        assert_eq!(provoked, documented, "{}", operation.id);
        assert!(
            operation.statuses().is_superset(&BEYOND_REACH.into()),
            "{}",
            operation.id
        );
    };
    iter(operations()).map(provoke).buffer_unordered(4).count().await;
}
