//! What an operator set or left alone: who may call, who may send, and what is seen of it.

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use local::{aws_config, logs};
use serde_json::Value;
use tests::Workspace;
use tests::workspace::answer;

use crate::promises::STACK;
use crate::promises::options::PRODUCERS_ACCOUNT;

/// An account that no parameter names.
const STRANGERS_ACCOUNT: &str = "333333333333";

#[tokio::test]
async fn a_browser_is_told_what_a_page_of_a_named_origin_may_send() {
    let workspace = Workspace::new(&STACK).await;

    for origin in ["https://app.example.com", "https://admin.example.com"] {
        let preflight = preflight(&workspace, origin).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        assert_eq!(preflight.headers["access-control-allow-origin"], origin);
        let headers = list(&preflight.headers, "access-control-allow-headers");
        assert_eq!(headers, ["authorization", "content-type"]);
        let methods = list(&preflight.headers, "access-control-allow-methods");
        assert_eq!(methods, ["delete", "get", "patch", "post"]);

        let request = workspace.request(Method::GET, "").bearer_auth(&workspace.token);
        let answered = answer(request.header("origin", origin)).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.headers["access-control-allow-origin"], origin);
    }
}

#[tokio::test]
async fn a_browser_is_told_nothing_for_a_page_of_another_origin() {
    let workspace = Workspace::new(&STACK).await;

    let preflight = preflight(&workspace, "https://app.example.com.attacker.example").await;

    assert!(!preflight.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn only_a_named_account_may_put_events_on_the_queue_and_may_do_nothing_else_there() {
    let producer = sqs_of(PRODUCERS_ACCOUNT);
    let stranger = sqs_of(STRANGERS_ACCOUNT);
    let queue = &STACK.events_queue_url;
    let workspace = Workspace::new(&STACK).await;
    let event = workspace.event("poster.scanned").body;

    let sent = producer
        .send_message()
        .queue_url(queue)
        .message_body(&event)
        .send()
        .await;
    sent.expect("a named account may send");

    let refused = stranger
        .send_message()
        .queue_url(queue)
        .message_body(&event)
        .send()
        .await;
    assert!(refused.is_err(), "an account that is not named sent an event");
    let refused = producer.receive_message().queue_url(queue).send().await;
    assert!(refused.is_err(), "a producer received what others had sent");
    let other = &STACK.queues["DeliveriesQueue"];
    let refused = producer
        .send_message()
        .queue_url(other)
        .message_body(&event)
        .send()
        .await;
    assert!(refused.is_err(), "a producer sent to another queue");
}

#[tokio::test]
async fn every_log_line_has_the_level_and_the_time_that_lambda_filters_by() {
    let workspace = Workspace::new(&STACK).await;
    workspace.get("").await;

    let lines = logs::of(&STACK, "ListEndpointsFunction").await.expect("the log");

    let requests: Vec<Value> = lines
        .iter()
        .filter(|line| line.contains(r#""message":"request""#))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert!(!requests.is_empty());
    for request in requests {
        assert_eq!(request["level"], "INFO");
        let timestamp = request["timestamp"].as_str().expect("a timestamp");
        assert!(timestamp.parse::<Timestamp>().is_ok(), "{timestamp}");
    }
}

#[tokio::test]
async fn a_local_stack_protects_no_table_and_has_the_log_group_of_the_gateway() {
    let dynamodb = STACK.dynamodb();

    for (name, table) in &STACK.tables {
        let described = dynamodb.describe_table().table_name(table).send().await;
        let described = described.expect("the table").table.expect("a description");
        assert_eq!(described.deletion_protection_enabled, Some(false), "{name}");
    }
    assert!(STACK.log_groups.contains_key("ApiAccessLogGroup"));
}

async fn preflight(workspace: &Workspace, origin: &str) -> Preflight {
    let request = workspace
        .request(Method::OPTIONS, "")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization, content-type");
    let answer = request.send().await.expect("the gateway answers");
    Preflight {
        status: answer.status(),
        headers: answer.headers().clone(),
    }
}

/// What the gateway answered to a preflight request, which is no operation of the API.
struct Preflight {
    status: StatusCode,
    headers: HeaderMap,
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers[name].to_str().expect("a text").to_lowercase();
    let mut values: Vec<_> = value.split(',').map(|value| value.trim().to_owned()).collect();
    values.sort();
    values
}

fn sqs_of(account: &str) -> aws_sdk_sqs::Client {
    let mut state = STACK.clone();
    account.clone_into(&mut state.access_key_id);
    aws_sdk_sqs::Client::new(&aws_config(&state))
}
