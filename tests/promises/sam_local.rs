//! `sam local` runs the functions of this stack in Lambda's container. It takes a Docker engine that has Lambda's image;
//! where there is none, these tests print that they did not run.

use futures::{StreamExt, stream};
use http::Method;
use http::StatusCode;
use local::{aws_config, new_id};
use serde_json::{Value, json};
use tests::names::in_template;
use tests::sam_local::Sam;
use tests::{Workspace, aws, document, issued};

use crate::promises::STACK;
use crate::promises::replay::{Stage, expected, samples};

/// Containers at a time, each with a SAM CLI of its own.
const AT_ONCE: usize = 2;

#[tokio::test]
async fn every_function_answers_its_sample_event_in_lambdas_container() {
    let Some(sam) = Sam::for_stack(&STACK, "sam local invoke").await else {
        return;
    };

    let expected = expected();
    let (sam, expected) = (&sam, &expected);
    let replays = samples().into_iter().map(async |(function, sample)| {
        let stage = Stage::set().await;
        let answer = sam.invoke(&in_template(&function), &stage.replace(&sample)).await;
        expected[function.as_str()].check(&function, &answer);
    });

    let replayed = stream::iter(replays).buffer_unordered(AT_ONCE).count().await;
    assert_eq!(replayed, expected.len());
}

#[tokio::test]
async fn the_api_of_sam_local_reads_and_writes_what_the_deployed_one_does() {
    let Some(sam) = Sam::for_stack(&STACK, "sam local start-api").await else {
        return;
    };
    let workspace = Workspace::new(&STACK).await;
    let server = sam.serve("start-api").await;

    let request = |method| {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.request(method, format!("{}{}", server.url, document::BASE_PATH))
    };
    let anonymous = request(Method::GET).send().await.expect("an answer");
    let body = json!({ "url": "http://127.0.0.1:8000/", "events": ["*"] });
    let create = request(Method::POST)
        .bearer_auth(&workspace.token)
        .header("content-type", "application/json");
    let created = create.body(body.to_string()).send().await.expect("an answer");
    let status = created.status();
    let created: Value = serde_json::from_slice(&created.bytes().await.expect("a body")).expect("JSON");
    issued::remember(created["secret"].as_str().expect("a secret"));

    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let listed = request(Method::GET)
        .bearer_auth(&workspace.token)
        .send()
        .await
        .expect("an answer");
    let listed: Value = serde_json::from_slice(&listed.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(listed, workspace.get("").await.body);
    assert_eq!(listed["data"][0]["id"], created["id"]);
}

#[tokio::test]
async fn a_token_from_sam_local_start_lambda_is_one_of_the_stack() {
    let Some(sam) = Sam::for_stack(&STACK, "sam local start-lambda").await else {
        return;
    };
    let server = sam.serve("start-lambda").await;
    let config = aws_config(&STACK)
        .into_builder()
        .endpoint_url(&server.url)
        .build();
    let lambda = aws_sdk_lambda::Client::new(&config);

    let request = json!({ "workspace_id": new_id("ws_") });
    let issued = aws::invoke(&lambda, "IssueTokenFunction", &request)
        .await
        .expect("a token");
    let refused = aws::invoke(&lambda, "IssueTokenFunction", &json!({})).await;

    let token = issued["token"].as_str().expect("a token");
    issued::remember(token);
    let revoked = STACK
        .invoke("RevokeTokenFunction", &json!({ "token": token }))
        .await;
    assert_eq!(
        revoked.expect("the stack knows the token")["token_id"],
        issued["token_id"]
    );
    assert_eq!(refused.expect_err("no workspace")["errorType"], "InvalidInput");
}
