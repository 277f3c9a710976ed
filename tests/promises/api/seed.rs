//! The page that is being implemented, `seed/webhooks-api.txt`: each request of it is sent as it stands there, and
//! each answer has its fields, their types and its status.

use http::{Method, StatusCode};
use serde_json::Value;
use tests::{PATIENCE, Workspace, receivers};

use super::{test_delivery, wait_until_status};
use crate::promises::STACK;

const PAGE: &str = include_str!("../../seed/webhooks-api.txt");

/// What follows a heading of the page, up to the next.
fn section(heading: &str) -> &'static str {
    const HEADINGS: [&str; 8] = [
        "List webhook endpoints\n",
        "Create webhook endpoint\n",
        "Update webhook endpoint\n",
        "Rotate webhook secret\n",
        "Delete webhook endpoint\n",
        "List webhook deliveries\n",
        "Retry a delivery\n",
        "Send a test event\n",
    ];
    let start = |heading: &str| PAGE.find(heading).expect("the heading is on the page");
    let index = HEADINGS
        .iter()
        .position(|known| known.trim_end() == heading)
        .expect("a heading");
    let end = HEADINGS.get(index + 1).map_or(PAGE.len(), |next| start(next));
    &PAGE[start(HEADINGS[index])..end]
}

/// The JSON objects of a section, in their order.
fn objects(heading: &str) -> Vec<Value> {
    let text = section(heading);
    let Some(start) = text.find("{\n") else {
        return Vec::new();
    };
    let mut objects = Vec::new();
    let mut rest = &text[start..];
    while let Some(start) = rest.find("{\n") {
        let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter();
        let value = values
            .next()
            .expect("an object")
            .expect("the page's JSON is well-formed");
        objects.push(value);
        rest = &rest[start + values.byte_offset()..];
    }
    objects
}

/// The method and the path of a section, which stand on one line.
fn route(heading: &str, ids: &[(&str, &str)]) -> (Method, String) {
    let methods = ["GET ", "POST ", "PATCH ", "DELETE "];
    let line = section(heading)
        .lines()
        .find(|line| methods.iter().any(|method| line.starts_with(method)));
    let (method, path) = line.and_then(|line| line.split_once(' ')).expect("a route");
    let path = path
        .strip_prefix("/api/integrations/webhooks")
        .expect("the base path");
    // Whatever follows the route on its line begins with a capital letter.
    let path = path.split(char::is_uppercase).next().unwrap_or_default();
    let path = ids
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    (method.parse().expect("a method"), path)
}

/// Panics unless everything on the page is in the answer, with the same type.
fn assert_like_on_the_page(page: &Value, answer: &Value, at: &str) {
    match (page, answer) {
        (Value::Object(page), Value::Object(answer)) => {
            for (name, value) in page {
                let field = answer
                    .get(name)
                    .unwrap_or_else(|| panic!("{at}/{name} is missing"));
                assert_like_on_the_page(value, field, &format!("{at}/{name}"));
            }
        }
        (Value::Array(page), Value::Array(answer)) => {
            assert!(!answer.is_empty(), "{at} is empty");
            for entry in answer {
                assert_like_on_the_page(&page[0], entry, at);
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(page),
            std::mem::discriminant(answer),
            "{at}: {page} on the page, {answer} answered"
        ),
    }
}

#[tokio::test]
async fn an_endpoint_is_created_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let [request, response] = &objects("Create webhook endpoint")[..] else {
        panic!("a request and a response");
    };
    let (method, path) = route("Create webhook endpoint", &[]);
    assert!(section("Create webhook endpoint").contains("HTTP 201"));

    let answer = workspace.api(method, &path, Some(request)).await;

    assert_eq!(answer.status, StatusCode::CREATED);
    assert_like_on_the_page(response, &answer.body, "");
    for (name, value) in request.as_object().expect("an object") {
        assert_eq!(answer.body[name], *value, "{name}");
    }
    let id = answer.body["id"].as_str().expect("an id");
    assert!(id.starts_with("whe_"));
    assert!(
        answer.body["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whs_"))
    );
    assert_eq!(
        answer.headers["location"],
        format!("/api/integrations/webhooks/{id}")
    );
    let shown_once = [format!("/{id}"), String::new()];
    for path in shown_once {
        assert!(!workspace.get(&path).await.body.to_string().contains("whs_"));
    }
}

/// Creates the endpoint of the page and returns the answer.
async fn create(workspace: &Workspace) -> Value {
    let request = &objects("Create webhook endpoint")[0];
    workspace.post("", request).await.body
}

#[tokio::test]
async fn endpoints_are_listed_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    create(&workspace).await;
    let (method, path) = route("List webhook endpoints", &[]);

    let answer = workspace.api(method, &path, None).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_like_on_the_page(&objects("List webhook endpoints")[0], &answer.body, "");
}

#[tokio::test]
async fn an_endpoint_is_updated_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let created = create(&workspace).await;
    let id = created["id"].as_str().expect("an id");
    let request = &objects("Update webhook endpoint")[0];
    let (method, path) = route("Update webhook endpoint", &[(":id", id)]);

    for (name, value) in request.as_object().expect("an object") {
        let one = serde_json::json!({ name: value });
        let answer = workspace.api(method.clone(), &path, Some(&one)).await;
        assert_eq!(answer.status, StatusCode::OK, "every field is optional");
        assert_eq!(answer.body[name], *value);
    }
    let answer = workspace.api(method, &path, Some(request)).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_like_on_the_page(&objects("List webhook endpoints")[0]["data"][0], &answer.body, "");
    for (name, value) in request.as_object().expect("an object") {
        assert_eq!(answer.body[name], *value, "{name}");
    }
    assert_eq!(answer.body["created_at"], created["created_at"]);
}

#[tokio::test]
async fn a_secret_is_rotated_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let created = create(&workspace).await;
    let id = created["id"].as_str().expect("an id");
    let (method, path) = route("Rotate webhook secret", &[(":id", id)]);

    let answer = workspace.api(method, &path, None).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_like_on_the_page(&objects("Create webhook endpoint")[1], &answer.body, "");
    assert_ne!(answer.body["secret"], created["secret"]);
    assert_eq!(answer.body["id"], created["id"]);
}

#[tokio::test]
async fn an_endpoint_is_deleted_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let created = create(&workspace).await;
    let id = created["id"].as_str().expect("an id");
    let (method, path) = route("Delete webhook endpoint", &[(":id", id)]);
    assert!(section("Delete webhook endpoint").contains("HTTP 204"));

    let answer = workspace.api(method, &path, None).await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.body, Value::Null);
    assert_eq!(workspace.get(&path).await.status, StatusCode::NOT_FOUND);
    let history = format!("{path}/deliveries");
    assert_eq!(workspace.get(&history).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn deliveries_are_listed_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let event = workspace.send_event("survey.response.created").await;
    workspace.wait_for_delivery(&endpoint, &event, "delivered").await;
    let page = &objects("List webhook deliveries")[0];
    let (method, path) = route("List webhook deliveries", &[(":id", &endpoint)]);
    assert!(
        section("List webhook deliveries").contains("from, to, status (delivered, failed), page, per_page")
    );

    for query in [
        "",
        "?status=delivered",
        "?from=2026-01-01T00:00:00Z&to=2999-01-01T00:00:00Z&page=1&per_page=1",
    ] {
        let answer = workspace
            .api(method.clone(), &format!("{path}{query}"), None)
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_like_on_the_page(page, &answer.body, query);
        for name in ["event", "http_status", "attempt_count", "status"] {
            assert_eq!(answer.body["data"][0][name], page["data"][0][name], "{name}");
        }
    }
    let failed = workspace
        .api(method, &format!("{path}?status=failed"), None)
        .await;
    assert_eq!(failed.body["data"], serde_json::json!([]));
}

#[tokio::test]
async fn a_delivery_is_retried_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::recovering(1).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let delivery = test_delivery(&workspace, &endpoint).await;
    let failed = wait_until_status(&workspace, &delivery, "failed").await;
    let ids = [
        (":id", endpoint.as_str()),
        (":delivery_id", failed["id"].as_str().expect("an id")),
    ];
    let (method, path) = route("Retry a delivery", &ids);
    assert!(section("Retry a delivery").contains("HTTP 202"));

    let answer = workspace.api(method, &path, None).await;

    assert_eq!(answer.status, StatusCode::ACCEPTED);
    receiver.wait_for(2, PATIENCE).await.expect("another attempt");
}

#[tokio::test]
async fn a_test_event_is_sent_as_on_the_page() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let request = &objects("Send a test event")[0];
    let (method, path) = route("Send a test event", &[(":id", &endpoint)]);

    let answer = workspace.api(method, &path, Some(request)).await;

    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let requests = receiver
        .wait_for(1, PATIENCE)
        .await
        .expect("the test event arrives");
    let payload: Value = serde_json::from_slice(&requests[0].body).expect("JSON");
    assert_eq!(payload["test"], true);
    assert_eq!(payload["event"], request["event"]);
    assert!(
        payload["data"].as_object().is_some_and(|data| !data.is_empty()),
        "it has mock data"
    );
}

#[test]
fn every_route_of_the_page_is_tested() {
    let routes = PAGE.matches("/api/integrations/webhooks").count();

    assert_eq!(routes, 8, "one test above for each");
}
