//! The demo: an event that is put on the queue arrives at an endpoint, signed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::clients::aws_config;
use crate::ids::new_id;
use crate::progress::Progress;
use crate::receiver::{Received, Receiver};
use crate::state::StackState;

const DEADLINE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(200);

/// The receiver of the demo's endpoint, which listens until this is dropped, and what it received.
#[derive(Debug)]
pub struct Demo {
    /// Receives what is sent to the endpoint.
    pub receiver: Receiver,
    /// What happened, to show to people.
    pub report: String,
}

/// Creates an endpoint at a receiver of its own, sends an event, and reports what arrived.
pub async fn run(state: &StackState, progress: Progress) -> Result<Demo> {
    let receiver = Receiver::start_ok().await?;
    let step = progress.step("creating an endpoint through the API");
    let endpoint = create_endpoint(state, &receiver.url("/hooks")).await?;
    step.done();
    let step = progress.step("putting an event on the queue, and waiting for it at the endpoint");
    let event = send_event(state).await?;
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
    Ok(Demo { receiver, report })
}

async fn create_endpoint(state: &StackState, url: &str) -> Result<Value> {
    let request = json!({ "url": url, "events": ["*"] });
    let builder = client()?
        .post(&state.api)
        .header("content-type", "application/json")
        .body(request.to_string());
    answer(state, builder).await
}

async fn send_event(state: &StackState) -> Result<String> {
    let event = json!({
        "id": new_id("evt_"),
        "event": "survey.response.created",
        "created_at": jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
        "workspace_id": state.workspace_id,
        "data": { "score": 9, "comment": "Größe passt" },
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
