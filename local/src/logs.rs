//! What the functions logged. The emulator keeps it in the log groups that the template names, and nowhere else.

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use crate::state::StackState;

/// The emulator does not check the signatures of its root user, so this one is made up.
const ROOT: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0";

/// Every line of one function, by its name in the template. A line appears when its invocation is over.
pub async fn of(state: &StackState, function: &str) -> Result<Vec<String>> {
    lines(&client()?, state, function).await
}

async fn lines(client: &Client, state: &StackState, function: &str) -> Result<Vec<String>> {
    let group = function.replace("Function", "LogGroup");
    let group = state
        .log_groups
        .get(&group)
        .with_context(|| format!("the template has no {group}"))?;
    let (mut lines, mut next) = (Vec::new(), Value::Null);
    loop {
        let page = page(client, state, group, &next).await?;
        let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        lines.extend(
            events
                .iter()
                .filter_map(|event| event["message"].as_str().map(str::to_owned)),
        );
        next = page["nextToken"].clone();
        if next.is_null() {
            return Ok(lines);
        }
    }
}

/// Every line of every function.
pub async fn all(state: &StackState) -> Result<Vec<String>> {
    let (client, mut all) = (client()?, Vec::new());
    for function in state.functions.keys() {
        all.extend(lines(&client, state, function).await?);
    }
    Ok(all)
}

/// The warnings and errors of every function.
pub async fn complaints(state: &StackState) -> Result<Vec<String>> {
    let complains = |line: &String| line.contains(r#""level":"ERROR""#) || line.contains(r#""level":"WARN""#);
    Ok(all(state).await?.into_iter().filter(complains).collect())
}

fn client() -> Result<Client> {
    Ok(Client::builder().no_proxy().build()?)
}

async fn page(client: &Client, state: &StackState, group: &str, next: &Value) -> Result<Value> {
    let mut request = json!({ "logGroupName": group });
    if !next.is_null() {
        request["nextToken"] = next.clone();
    }
    let builder = client.post(&state.aws_endpoint_url).header("authorization", ROOT);
    let builder = builder.header("x-amz-target", "Logs_20140328.FilterLogEvents");
    let builder = builder
        .header("content-type", "application/x-amz-json-1.1")
        .body(request.to_string());
    let answer = builder.send().await?;
    ensure!(
        answer.status().is_success(),
        "reading {group}: {}",
        answer.status()
    );
    Ok(serde_json::from_str(&answer.text().await?)?)
}
