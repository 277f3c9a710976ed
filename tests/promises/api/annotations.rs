//! What an owner notes with an endpoint: a description and metadata, in each answer about the endpoint.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::Workspace;

use super::{assert_problem, bad_fields};
use crate::promises::STACK;

const URL: &str = "https://hooks.example.com/";

/// What an answer says of both.
fn noted(endpoint: &Value) -> Value {
    json!([endpoint["description"], endpoint["metadata"]])
}

#[tokio::test]
async fn a_description_and_metadata_are_in_every_answer_and_change_by_themselves() {
    let workspace = Workspace::new(&STACK).await;
    let body = json!({ "url": URL, "events": ["*"], "description": "Production", "metadata": { "customer": "1042", "plan": "" } });
    let created = workspace.post("", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let path = format!("/{}", created.body["id"].as_str().expect("an id"));
    let patched = async |body: Value| noted(&workspace.patch(&path, &body).await.body);

    let whole = json!(["Production", { "customer": "1042", "plan": "" }]);
    assert_eq!(noted(&created.body), whole);
    assert_eq!(noted(&workspace.get(&path).await.body), whole);
    assert_eq!(noted(&workspace.get("").await.body["data"][0]), whole);
    assert_eq!(patched(json!({ "events": ["*"] })).await, whole);
    let rotate = format!("{path}/rotate-secret");
    let rotated = workspace.api(Method::POST, &rotate, None).await.body;
    assert_eq!(noted(&rotated), whole);

    let replaced = patched(json!({ "metadata": { "region": "eu" } })).await;
    assert_eq!(replaced, json!(["Production", { "region": "eu" }]));
    let cleared = patched(json!({ "description": null })).await;
    assert_eq!(cleared, json!([null, { "region": "eu" }]));
    let renamed = patched(json!({ "description": "", "metadata": {} })).await;
    assert_eq!(renamed, json!(["", {}]));
    assert_eq!(noted(&workspace.get(&path).await.body), renamed);
}

#[tokio::test]
async fn an_endpoint_without_them_has_null_and_an_empty_object() {
    let workspace = Workspace::new(&STACK).await;

    for body in [
        json!({ "url": URL, "events": ["*"] }),
        json!({ "url": URL, "events": ["*"], "description": null, "metadata": {} }),
    ] {
        let created = workspace.post("", &body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
        assert_eq!(noted(&created.body), json!([null, {}]));
    }
}

#[tokio::test]
async fn everything_wrong_with_them_is_named_at_once_and_what_just_fits_is_taken() {
    let workspace = Workspace::new(&STACK).await;
    let path = format!("/{}", workspace.create_endpoint(URL, &["*"]).await.id);
    let long = "ž".repeat(201);
    let wrong = json!({
        "enabled": null,
        "description": "ž".repeat(256),
        "metadata": { "number": 1, "null": null, "long": long, "": "", "k".repeat(41): "" },
    });
    let most: serde_json::Map<_, _> = (0..20)
        .map(|n| {
            (
                format!("{n:040}"),
                json!("v".repeat(if n == 0 { 200 } else { 1 })),
            )
        })
        .collect();

    let refused = workspace.patch(&path, &wrong).await;

    assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, "wrong in every way");
    let (key, fields) = (format!("metadata.{}", "k".repeat(41)), bad_fields(&refused));
    let expected = [
        "enabled",
        "description",
        "metadata.",
        &key,
        "metadata.long",
        "metadata.null",
        "metadata.number",
    ];
    assert_eq!(fields, expected);
    for (metadata, field) in [
        (json!(null), "metadata"),
        (json!(["a"]), "metadata"),
        (json!({ "a": { "b": "c" } }), "metadata.a"),
        (
            Value::Object((0..21).map(|n| (n.to_string(), json!(""))).collect()),
            "metadata",
        ),
        (
            json!({ "a": "ž".repeat(200), "b": "ž".repeat(200), "c": "ž".repeat(111) }),
            "metadata",
        ),
    ] {
        let body = json!({ "url": URL, "events": ["*"], "metadata": metadata });
        let refused = workspace.post("", &body).await;
        assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, field);
        assert_eq!(bad_fields(&refused), [field]);
    }
    let twice = br#"{"metadata":{"a":"1","a":"2"}}"#.to_vec();
    let refused = workspace
        .raw(Method::PATCH, &path, Some(("application/json", twice)))
        .await;
    assert_problem(&refused, StatusCode::BAD_REQUEST, "a key twice");
    let untouched = workspace.get(&path).await.body;
    assert_eq!(noted(&untouched), json!([null, {}]));
    let fitting = json!({ "description": "🧪".repeat(255), "metadata": most });
    let taken = workspace.patch(&path, &fitting).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    assert_eq!(
        noted(&taken.body),
        json!([fitting["description"], fitting["metadata"]])
    );
}
