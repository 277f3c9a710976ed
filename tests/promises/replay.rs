//! Every sample in `events/`, replayed through the Lambda Invoke API. In each, the sample's ids and its token are
//! replaced by ones that exist.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::iter;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::names::in_template;
use tests::repository::{read, stems};
use tests::{Workspace, receivers};

use crate::promises::STACK;
use crate::promises::recovering::finished_recovery;

/// What a function is expected to answer to its sample.
pub(super) enum Expected {
    /// An HTTP status, and fields of the JSON body with their values.
    Http(u16, Value),
    /// A batch of which these messages come back.
    Batch(&'static [&'static str]),
    /// An object with these fields.
    Fields(&'static [&'static str]),
}

/// The samples name these; the replay puts real ones in their place.
pub(super) struct Stage {
    workspace: Workspace,
    endpoint: String,
    delivery: String,
    event: String,
    recovery: String,
    link: String,
    _receiver: Receiver,
}

#[expect(clippy::too_many_lines, reason = "an entry for each function")]
pub(super) fn expected() -> BTreeMap<&'static str, Expected> {
    BTreeMap::from([
        ("announce", Expected::Batch(&[])),
        (
            "cancel-recovery",
            Expected::Http(409, json!({ "statusCode": 409 })),
        ),
        (
            "create-endpoint",
            Expected::Http(201, json!({ "url": "https://hooks.example.com/webhooks" })),
        ),
        (
            "create-portal-link",
            Expected::Fields(&["url", "token_id", "expires_at"]),
        ),
        (
            "create-recovery",
            Expected::Http(
                202,
                json!({ "status": "running", "total": null, "per_second": 20 }),
            ),
        ),
        (
            "create-session",
            Expected::Http(
                201,
                json!({ "scopes": ["webhooks:read", "webhooks:write"], "return_url": null }),
            ),
        ),
        // It leads to the page, which is below a slash.
        ("dashboard", Expected::Http(308, Value::Null)),
        ("delete-endpoint", Expected::Http(204, Value::Null)),
        // What is no task is handed over to `retry`.
        ("deliver", Expected::Batch(&[])),
        ("erase-workspace", Expected::Fields(&["status"])),
        ("fan-out", Expected::Batch(&[])),
        (
            "get-delivery",
            Expected::Http(200, json!({ "status": "delivered", "attempt_count": 1 })),
        ),
        (
            "get-endpoint",
            Expected::Http(200, json!({ "enabled": true, "events": ["*"] })),
        ),
        (
            "get-event",
            Expected::Http(200, json!({ "event": "poster.scanned", "test": false })),
        ),
        (
            "get-recovery",
            Expected::Http(200, json!({ "status": "finished", "total": 0 })),
        ),
        (
            "get-stats",
            Expected::Http(200, json!({ "meta": { "complete": true } })),
        ),
        (
            "get-token",
            Expected::Http(
                200,
                json!({ "scopes": ["webhooks:read", "webhooks:write"], "expires_at": null }),
            ),
        ),
        (
            "issue-token",
            Expected::Fields(&["token", "token_id", "expires_at"]),
        ),
        (
            "list-all-deliveries",
            Expected::Http(200, json!({ "meta": { "next": null, "per_page": 20 } })),
        ),
        (
            "list-deliveries",
            Expected::Http(
                200,
                json!({ "meta": { "total": 1, "page": 1, "per_page": 20, "pages": 1 } }),
            ),
        ),
        (
            "list-endpoints",
            Expected::Http(
                200,
                json!({ "meta": { "total": 1, "page": 1, "per_page": 20, "pages": 1 } }),
            ),
        ),
        ("list-event-types", Expected::Http(200, json!({}))),
        (
            "list-recoveries",
            Expected::Http(
                200,
                json!({ "meta": { "total": 1, "page": 1, "per_page": 20, "pages": 1 } }),
            ),
        ),
        ("list-tokens", Expected::Fields(&[])),
        ("purge", Expected::Batch(&[])),
        ("recover", Expected::Batch(&[])),
        ("retry", Expected::Batch(&[])),
        // A delivery that was delivered is not retried.
        (
            "retry-delivery",
            Expected::Http(409, json!({ "statusCode": 409 })),
        ),
        ("revoke-token", Expected::Fields(&[])),
        ("rotate-secret", Expected::Http(200, json!({ "enabled": true }))),
        (
            "send-test-event",
            Expected::Http(202, json!({ "test": true, "status": "pending" })),
        ),
        (
            "update-endpoint",
            Expected::Http(
                200,
                json!({ "url": "https://new-url.example.com/hook", "enabled": false }),
            ),
        ),
    ])
}

#[tokio::test]
async fn every_function_answers_its_sample_event() {
    let samples = samples();
    let expected = expected();
    assert!(
        samples.keys().eq(expected.keys().copied()),
        "one expectation for each sample"
    );

    // As many functions at once as there are samples, each with its cold start, would hold up every other test.
    let replay = async |(function, sample): (&String, &String)| {
        let stage = Stage::set().await;
        let event = stage.replace(sample);
        let answer = STACK.invoke(&in_template(function), &event).await;
        let answer = answer.unwrap_or_else(|error| panic!("{function} failed: {error}"));
        expected[function.as_str()].check(function, &answer);
    };
    iter(&samples).map(replay).buffer_unordered(4).count().await;
}

impl Stage {
    pub(super) async fn set() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::healthy().await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let event = workspace.send_event("poster.scanned").await;
        let delivery = workspace.wait_for_delivery(&endpoint, &event, "delivered").await;
        let delivery = delivery["id"].as_str().expect("an id").to_owned();
        let recovery = finished_recovery(&workspace, &endpoint).await;
        let link = workspace.create_link(&json!({})).await.text;
        Self {
            workspace,
            endpoint,
            delivery,
            event: event.id,
            recovery,
            link,
            _receiver: receiver,
        }
    }

    pub(super) fn replace(&self, sample: &str) -> Value {
        let event = sample
            .replace("efa_sk_sample", &self.workspace.token)
            .replace("efa_link_sample", &self.link)
            .replace("ws_sample", &self.workspace.id)
            .replace("whe_sample", &self.endpoint)
            .replace("del_sample", &self.delivery)
            .replace("evt_sample", &self.event)
            .replace("rec_sample", &self.recovery);
        serde_json::from_str(&event).expect("a sample is JSON")
    }
}

impl Expected {
    pub(super) fn check(&self, function: &str, answer: &Value) {
        match self {
            Self::Http(status, fields) => {
                assert_eq!(answer["statusCode"], *status, "{function}: {answer}");
                let body = answer["body"].as_str().unwrap_or_default();
                let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
                for (name, value) in fields.as_object().into_iter().flatten() {
                    assert_eq!(body[name], *value, "{function}: {name}");
                }
            }
            Self::Batch(ids) => {
                let failures: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
                assert_eq!(*answer, json!({ "batchItemFailures": failures }), "{function}");
            }
            Self::Fields(names) => {
                for name in *names {
                    assert!(answer[name].is_string(), "{function}: {name} in {answer}");
                }
            }
        }
    }
}

pub(super) fn samples() -> BTreeMap<String, String> {
    let functions = stems("events", "json").into_iter();
    functions
        .map(|function| {
            let sample = read(&format!("events/{function}.json"));
            (function, sample)
        })
        .collect()
}
