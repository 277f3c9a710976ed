//! The demo: an event that is put on the queue arrives at an endpoint, signed; and the dashboard has something to show, an
//! endpoint that is healthy, one that fails and one that is disabled.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::clients::aws_config;
use crate::ids::new_id;
use crate::progress::Progress;
use crate::receiver::{Answer, Received, Receiver};
use crate::state::StackState;

const DEADLINE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(200);

/// An endpoint of the demo.
struct Example {
    path: &'static str,
    description: &'static str,
    /// What its receiver answers.
    status: u16,
    answer: &'static str,
}

const HEALTHY: Example = Example {
    path: "/hooks",
    description: "Answers 200",
    status: 200,
    answer: "",
};
const FAILING: Example = Example {
    path: "/failing",
    description: "Answers 503, so everything is retried",
    status: 503,
    answer: r#"{"error": "the database is being restarted"}"#,
};
const GONE: Example = Example {
    path: "/gone",
    description: "Answered 410, which disabled it",
    status: 410,
    answer: "",
};

/// The receiver of the demo's endpoints, which listens until this is dropped, and what it received.
#[derive(Debug)]
pub struct Demo {
    /// Receives what is sent to the endpoints.
    pub receiver: Receiver,
    /// What happened, to show to people.
    pub report: String,
}

/// Creates an endpoint at a receiver of its own, sends an event, and reports what arrived; then creates the other
/// endpoints, and sends an event of every type to all three.
pub async fn run(state: &StackState, progress: Progress) -> Result<Demo> {
    let receiver = Receiver::start(answer_of_example).await?;
    let step = progress.step("creating an endpoint through the API");
    let endpoint = create_endpoint(state, &receiver, &HEALTHY).await?;
    step.done();
    let step = progress.step("putting an event on the queue, and waiting for it at the endpoint");
    let data = json!({ "score": 9, "comment": "Größe passt" });
    let event = send_event(state, "survey.response.created", &data).await?;
    let request = receiver.wait_for(1, DEADLINE).await?.remove(0);
    step.done();
    request
        .verify(text(&endpoint, "secret")?)
        .context("the signature does not verify")?;
    ensure!(
        request.body == event.as_bytes(),
        "the body is not what was put on the queue"
    );
    let delivery = finished_delivery(state, text(&endpoint, "id")?).await?;
    let report = report(&endpoint, &request, &delivery)?;
    let step = progress
        .step("sending an event of every type, also to an endpoint that fails and to one that is gone");
    send_every_type(state, &receiver).await?;
    step.done();
    Ok(Demo { receiver, report })
}

fn answer_of_example(received: &Received) -> Answer {
    let mut others = [FAILING, GONE].into_iter();
    let example = others
        .find(|example| example.path == received.path)
        .unwrap_or(HEALTHY);
    Answer::status(example.status).body(example.answer)
}

/// Returns when each endpoint has received what it will get at first.
async fn send_every_type(state: &StackState, receiver: &Receiver) -> Result<()> {
    for example in [FAILING, GONE] {
        create_endpoint(state, receiver, &example).await?;
    }
    let types = answer(state, client()?.get(format!("{}/event-types", state.api))).await?;
    let types = types["data"].as_array().context("the API's answer has no data")?;
    for event_type in types {
        send_event(state, text(event_type, "name")?, &event_type["sample"]["data"]).await?;
    }
    let arrived = |received: &[Received]| {
        let at = |example: &Example| {
            received
                .iter()
                .filter(|received| received.path == example.path)
                .count()
        };
        at(&HEALTHY) > types.len() && at(&FAILING) >= types.len() && at(&GONE) > 0
    };
    receiver.wait_until(DEADLINE, arrived).await?;
    Ok(())
}

async fn create_endpoint(state: &StackState, receiver: &Receiver, example: &Example) -> Result<Value> {
    let url = receiver.url(example.path);
    let request = json!({ "url": url, "events": ["*"], "description": example.description });
    let builder = client()?
        .post(&state.api)
        .header("content-type", "application/json")
        .body(request.to_string());
    answer(state, builder).await
}

async fn send_event(state: &StackState, name: &str, data: &Value) -> Result<String> {
    let event = json!({
        "id": new_id("evt_"),
        "event": name,
        "created_at": jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
        "workspace_id": state.workspace_id,
        "data": data,
    })
    .to_string();
    let queue = aws_sdk_sqs::Client::new(&aws_config(state));
    queue
        .send_message()
        .queue_url(&state.events_queue_url)
        .message_group_id(&state.workspace_id)
        .message_body(&event)
        .send()
        .await?;
    Ok(event)
}

async fn finished_delivery(state: &StackState, endpoint: &str) -> Result<Value> {
    let deadline = Instant::now() + DEADLINE;
    let url = format!("{}/{endpoint}/deliveries", state.api);
    while Instant::now() < deadline {
        let list = answer(state, client()?.get(&url)).await?;
        if list["data"][0]["status"] == "delivered" {
            return Ok(list["data"][0].clone());
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("the delivery was not recorded as delivered within {DEADLINE:?}")
}

fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(DEADLINE).build()?)
}

async fn answer(state: &StackState, request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request
        .header("authorization", format!("Bearer {}", state.token))
        .send()
        .await?;
    let (status, body) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "the API answered {status}: {body}");
    Ok(serde_json::from_str(&body)?)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("the API's answer has no {name}"))
}

fn report(endpoint: &Value, received: &Received, delivery: &Value) -> Result<String> {
    Ok(format!(
        "Endpoint {} received:\n\n{}\n\n\
         The signature verifies with the official Standard Webhooks library.\n\n\
         The delivery record:\n\n{}",
        text(endpoint, "id")?,
        indented(&received.to_string()),
        indented(&serde_json::to_string_pretty(delivery)?),
    ))
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}
