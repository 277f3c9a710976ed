//! Bodies and parameters that nobody should send: each is answered with a 4xx in the shape of all errors, quickly.
//!
//! Every operation reads its body in the same way (`functions::request`), so most bad bodies go to one of them, and a
//! few to all. What each field may hold is tested beside the code.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::document::{Operation, operations};
use tests::workspace::{ApiAnswer, answer};
use tests::{Workspace, event_types};

use super::{assert_problem, bad_fields};
use crate::promises::STACK;

const JSON: &str = "application/json";
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// A start of the function included, on a busy machine.
const QUICKLY: Duration = Duration::from_secs(10);

/// A workspace with an endpoint, so that nothing but the body can be wrong.
struct Target {
    workspace: Workspace,
    endpoint: String,
}

impl Target {
    async fn new() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace
            .create_endpoint("https://hooks.example.com/", &["*"])
            .await
            .id;
        Self { workspace, endpoint }
    }

    async fn send(&self, operation: &Operation, content_type: &str, body: impl Into<Vec<u8>>) -> ApiAnswer {
        let path = operation.path_with(&[("id", &self.endpoint)]);
        let body = Some((content_type, body.into()));
        let start = Instant::now();
        let answer = self.workspace.raw(operation.method.clone(), &path, body).await;
        assert!(
            start.elapsed() < QUICKLY,
            "{} took {:?}",
            operation.id,
            start.elapsed()
        );
        answer
    }

    /// Sends each body to the operation.
    async fn expect_from(&self, operation: &Operation, status: StatusCode, bodies: &[(&str, &str, Vec<u8>)]) {
        for (what, content_type, body) in bodies {
            let answer = self.send(operation, content_type, body.clone()).await;
            assert_problem(&answer, status, &format!("{} with {what}", operation.id));
        }
    }

    /// Sends each body to each operation that takes one.
    async fn expect_everywhere(&self, status: StatusCode, bodies: &[(&str, &str, Vec<u8>)]) {
        for operation in operations_with_body() {
            self.expect_from(operation, status, bodies).await;
        }
    }

    async fn assert_unchanged(&self) {
        let endpoints = self.workspace.get("").await.body;
        assert_eq!(endpoints["meta"]["total"], 1);
        assert_eq!(endpoints["data"][0]["url"], "https://hooks.example.com/");
        assert_eq!(endpoints["data"][0]["events"], json!(["*"]));
        assert_eq!(endpoints["data"][0]["enabled"], true);
        assert!(self.workspace.deliveries(&self.endpoint).await.is_empty());
    }
}

fn operations_with_body() -> impl Iterator<Item = &'static Operation> {
    operations().iter().filter(|operation| operation.body().is_some())
}

fn operation(id: &str) -> &'static Operation {
    operations()
        .iter()
        .find(|operation| operation.id == id)
        .expect("an operation")
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_malformed() {
    let target = Target::new().await;
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let nested = |depth: usize| format!("{{\"url\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));

    let everywhere = [
        ("nothing", JSON, b"".to_vec()),
        ("a list", JSON, b"[]".to_vec()),
        ("a byte that is not UTF-8", JSON, b"{\xff}".to_vec()),
    ];
    let bodies = [
        ("a form", JSON, b"url=https://hooks.example.com/".to_vec()),
        ("half an object", JSON, b"{\"url\":".to_vec()),
        ("something behind it", JSON, b"{} {}".to_vec()),
        ("null", JSON, b"null".to_vec()),
        ("a number", JSON, b"1".to_vec()),
        ("a number beyond all bounds", JSON, b"{\"url\":1e999}".to_vec()),
        ("a comment", JSON, b"{/* */}".to_vec()),
        ("half a surrogate", JSON, br#"{"url":"\ud800"}"#.to_vec()),
        ("a byte order mark", JSON, "\u{feff}{}".into()),
        ("UTF-16", JSON, utf16("{}")),
        (
            "a field twice",
            JSON,
            br#"{"url":"https://a.example/","url":"https://b.example/"}"#.to_vec(),
        ),
        (
            "a field twice, once escaped",
            JSON,
            br#"{"event":1,"\u0065vent":2}"#.to_vec(),
        ),
        ("deep nesting", JSON, nested(10_000).into()),
        ("deep objects", JSON, "{\"url\":".repeat(5_000).into()),
    ];

    target
        .expect_everywhere(StatusCode::BAD_REQUEST, &everywhere)
        .await;
    let update = operation("updateEndpoint");
    target.expect_from(update, StatusCode::BAD_REQUEST, &bodies).await;
    target.assert_unchanged().await;
}

#[tokio::test]
async fn another_content_type_is_malformed_even_with_a_good_body() {
    let target = Target::new().await;

    for operation in operations_with_body() {
        let body = operation.body().expect("a body").to_string();
        let form = "application/x-www-form-urlencoded";
        let refused = target.send(operation, form, body.clone()).await;
        assert_problem(&refused, StatusCode::BAD_REQUEST, &operation.id);
        let path = operation.path_with(&[("id", &target.endpoint)]);
        let request = target.workspace.request(operation.method.clone(), &path);
        let refused = answer(request.bearer_auth(&target.workspace.token).body(body)).await;
        assert_problem(&refused, StatusCode::BAD_REQUEST, "no content type");
    }
    for content_type in ["text/plain", "application/jsonx", "json", ""] {
        let refused = target.send(operation("updateEndpoint"), content_type, "{}").await;
        assert_problem(&refused, StatusCode::BAD_REQUEST, content_type);
    }

    target.assert_unchanged().await;
}

#[tokio::test]
async fn a_charset_after_the_content_type_is_fine() {
    let target = Target::new().await;

    let answer = target
        .send(
            operation("updateEndpoint"),
            "Application/JSON; charset=utf-8",
            "{\"enabled\":true}",
        )
        .await;

    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_read() {
    let target = Target::new().await;
    let url = |chars: usize| json!({ "url": "x".repeat(chars) }).to_string().into_bytes();
    let frame = url(0).len();

    let bodies = [("one byte too many", JSON, url(BODY_LIMIT_BYTES - frame + 1))];
    target
        .expect_everywhere(StatusCode::PAYLOAD_TOO_LARGE, &bodies)
        .await;
    let bodies = [
        ("a million spaces", JSON, " ".repeat(1_000_000).into()),
        (
            "five million bytes that are not JSON",
            JSON,
            vec![0xff; 5_000_000],
        ),
    ];
    let update = operation("updateEndpoint");
    target
        .expect_from(update, StatusCode::PAYLOAD_TOO_LARGE, &bodies)
        .await;
    let bodies = [("the most bytes", JSON, url(BODY_LIMIT_BYTES - frame))];
    target
        .expect_everywhere(StatusCode::UNPROCESSABLE_ENTITY, &bodies)
        .await;

    target.assert_unchanged().await;
}

#[tokio::test]
async fn fields_of_the_wrong_kind_are_all_named() {
    let target = Target::new().await;
    let [urls, events, enabled] = wrong_values();
    let most = urls.len().max(events.len()).max(enabled.len());

    for operation in [operation("createEndpoint"), operation("updateEndpoint")] {
        for round in 0..most {
            let value = |values: &[Value]| values[round % values.len()].clone();
            let body = json!({ "url": value(&urls), "events": value(&events), "enabled": value(&enabled) })
                .to_string();
            let refused = target.send(operation, JSON, body.clone()).await;
            let what = format!("{} of {body:.200}", operation.id);
            assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, &what);
            assert_eq!(bad_fields(&refused), ["url", "events", "enabled"], "{what}");
        }
    }
    for value in [json!(null), json!("survey"), json!(["poster.scanned"])] {
        let body = json!({ "event": value }).to_string();
        let refused = target.send(operation("sendTestEvent"), JSON, body).await;
        assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, &value.to_string());
        assert_eq!(bad_fields(&refused), ["event"]);
    }
    target.assert_unchanged().await;
}

/// For each field of an endpoint, values that it cannot have.
fn wrong_values() -> [Vec<Value>; 3] {
    let list = |values: Value| values.as_array().expect("a list").clone();
    let urls = json!([
        null,
        1,
        true,
        "",
        [],
        {},
        "https://",
        "//a.example/",
        "ftp://a.example/",
        "https://u:p@a.example/",
        "https://a.example\u{0}/"
    ]);
    let events = json!([
        null,
        1,
        "*",
        {},
        [],
        [null],
        [1],
        ["x"],
        ["*", "*"],
        [event_types::one(), "poster.unheard_of"],
        [["*"]]
    ]);
    let enabled = json!([null, 0, 1, "true", [], {}]);
    [list(urls), list(events), list(enabled)]
}

#[tokio::test]
async fn unknown_and_missing_fields_are_named_all_at_once() {
    let target = Target::new().await;
    let names = |answer: &ApiAnswer| {
        let mut names: Vec<_> = bad_fields(answer).into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };

    for operation in operations_with_body() {
        let mut body = operation.body().expect("a body").clone();
        body["evnts"] = json!(1);
        body["id"] = Value::Null;
        body["secret"] = json!("whs_mine");
        let refused = target.send(operation, JSON, body.to_string()).await;
        assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, &operation.id);
        assert_eq!(names(&refused), ["evnts", "id", "secret"], "{}", operation.id);
    }
    let empty = target.send(operation("createEndpoint"), JSON, "{}").await;
    assert_eq!(names(&empty), ["events", "url"]);
    let all = json!({ "url": "x", "events": [], "enabled": null, "x": 1 }).to_string();
    let all = target.send(operation("createEndpoint"), JSON, all).await;
    assert_eq!(names(&all), ["enabled", "events", "url", "x"]);
    assert_eq!(
        names(&target.send(operation("sendTestEvent"), JSON, "{}").await),
        ["event"]
    );
    let many: serde_json::Map<_, _> = (0..2_000).map(|n| (format!("field{n}"), Value::Null)).collect();
    let many = target
        .send(operation("updateEndpoint"), JSON, Value::Object(many).to_string())
        .await;
    assert_problem(&many, StatusCode::UNPROCESSABLE_ENTITY, "2,000 unknown fields");

    target.assert_unchanged().await;
}

#[tokio::test]
async fn an_empty_change_changes_nothing() {
    let target = Target::new().await;
    let path = format!("/{}", target.endpoint);
    let before = target.workspace.get(&path).await.body;

    let answer = target.workspace.patch(&path, &json!({})).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, before);
}

#[tokio::test]
async fn every_list_rejects_a_bad_query_parameter() {
    let target = Target::new().await;
    let history = format!("/{}/deliveries", target.endpoint);
    let paging = [
        "page=0",
        "per_page=101",
        "per_page=%31%30%30%30",
        "page=1&page=2",
        "pge=1",
        "%00=1",
        "page=%ff",
    ];
    let filters = [
        "from=x",
        "from=",
        "from=2026-06-07",
        "from=2026-06-07T10:30:00",
        "to=1780828205",
        "status=Failed",
        "status=",
        "status=gone",
        "status=failed&status=failed",
        "from=2026-06-07T10:30:00+02:00",
        "from=2026-06-08T00:00:00Z&to=2026-06-07T00:00:00Z",
        "to=2026-13-01T00:00:00Z",
        "event=x",
    ];

    let of_both = ["", history.as_str()].map(|list| paging.map(|query| format!("{list}?{query}")));
    let of_history = filters.map(|query| format!("{history}?{query}"));
    for path in of_both.as_flattened().iter().chain(&of_history) {
        let refused = target.workspace.api(Method::GET, path, None).await;
        assert_problem(&refused, StatusCode::BAD_REQUEST, path);
    }
}

#[tokio::test]
async fn a_path_without_a_valid_id_names_nothing() {
    let target = Target::new().await;

    for id in [
        "x",
        "whe_%00",
        "whe_%F0%9F%8D%95",
        &format!("whe_{}", "x".repeat(65)),
    ] {
        for path in [
            format!("/{id}"),
            format!("/{id}/deliveries"),
            format!("/{id}/deliveries/del_x"),
            format!("/events/{id}"),
        ] {
            let refused = target.workspace.get(&path).await;
            assert_problem(&refused, StatusCode::NOT_FOUND, &path);
        }
        let path = format!("/{}/deliveries/{id}", target.endpoint);
        assert_problem(&target.workspace.get(&path).await, StatusCode::NOT_FOUND, &path);
    }
}
