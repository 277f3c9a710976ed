//! The local stack as a producer and a customer see it: the events queue and the API.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::{StreamExt, TryStreamExt, stream};
use local::receiver::Received;
use local::{Options, Stack, StackState, TokenRequest, aws_config, new_id, root};
use serde_json::{Value, json};

use crate::sample;

/// Calls under way at the same time, to SQS by a saturating producer or to the API.
const CALLS_AT_ONCE: usize = 8;
/// The most messages and bytes that SQS takes in one call.
const MAX_MESSAGES: usize = 10;
const MAX_BYTES: usize = 256 * 1024;

/// When each event was sent, by its id.
pub(crate) type SentAt = HashMap<String, Instant>;

/// A producer and a customer of a stack.
#[derive(Debug)]
pub(crate) struct Client {
    /// How to reach the stack.
    pub(crate) state: StackState,
    /// The group that events are sent in, if any.
    message_group: Option<String>,
    sqs: aws_sdk_sqs::Client,
    http: reqwest::Client,
}

/// A stack with the template's own parameters, except for these.
pub(crate) async fn start(parameters: &[(&str, &str)]) -> Result<Stack> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Stack::start(Options {
        optimized: true,
        parameters: parameters.iter().map(owned).collect(),
        state_dir: Some(root().join("target/local/bench")),
        ..Options::default()
    })
    .await
}

impl Client {
    /// Of the workspace that the stack comes with.
    pub(crate) fn new(state: &StackState) -> Result<Self> {
        Ok(Self {
            state: state.clone(),
            message_group: None,
            sqs: aws_sdk_sqs::Client::new(&aws_config(state)),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_mins(2))
                .build()?,
        })
    }

    /// Of a new workspace, whose events are a message group, as is recommended to producers.
    pub(crate) async fn of_new_workspace(state: &StackState) -> Result<Self> {
        let mut state = state.clone();
        state.workspace_id = new_id("ws_");
        let request = TokenRequest {
            workspace_id: state.workspace_id.clone(),
            ..TokenRequest::default()
        };
        state.token = request.issue(&state).await?.token;
        Ok(Self {
            message_group: Some(state.workspace_id.clone()),
            ..Self::new(&state)?
        })
    }

    /// Creates endpoints and returns their ids.
    pub(crate) async fn create_endpoints(&self, urls: &[String]) -> Result<Vec<String>> {
        stream::iter(urls)
            .map(|url| self.create_endpoint(url))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Deletes endpoints; each deletion waits for the attempts that have begun.
    pub(crate) async fn delete_endpoints(&self, ids: &[String]) -> Result<()> {
        let deletions =
            stream::iter(ids).map(|id| self.answer(self.http.delete(self.path(&format!("/{id}")))));
        deletions
            .buffered(CALLS_AT_ONCE)
            .try_for_each(async |_| Ok(()))
            .await
    }

    /// Changes an endpoint.
    pub(crate) async fn change_endpoint(&self, endpoint: &str, change: &Value) -> Result<Value> {
        let request = self.http.patch(self.path(&format!("/{endpoint}")));
        self.answer(with_json(request, change)).await
    }

    /// Starts a recovery at an endpoint.
    pub(crate) async fn start_recovery(&self, endpoint: &str, wanted: &Value) -> Result<Value> {
        let request = self.http.post(self.path(&format!("/{endpoint}/recoveries")));
        self.answer(with_json(request, wanted)).await
    }

    /// A page of an endpoint's deliveries, chosen by the query; the first by default.
    pub(crate) async fn deliveries(&self, endpoint: &str, query: &str) -> Result<Value> {
        self.answer(
            self.http
                .get(self.path(&format!("/{endpoint}/deliveries?{query}"))),
        )
        .await
    }

    /// An endpoint's statistics of the window in the query.
    pub(crate) async fn statistics(&self, endpoint: &str, query: &str) -> Result<Value> {
        let path = self.path(&format!("/{endpoint}/stats?{query}"));
        self.answer(self.http.get(path)).await
    }

    /// Sends events of this size as fast as the queue takes them.
    pub(crate) async fn send(&self, count: usize, bytes: usize) -> Result<SentAt> {
        let batch = (MAX_BYTES / bytes).clamp(1, MAX_MESSAGES);
        let sizes = (0..count.div_ceil(batch)).map(|index| batch.min(count - index * batch));
        let calls = stream::iter(sizes)
            .map(|size| self.send_batch(size, bytes))
            .buffer_unordered(CALLS_AT_ONCE);
        let sent: Vec<SentAt> = calls.try_collect().await?;
        Ok(sent.into_iter().flatten().collect())
    }

    /// Sends events of this size one by one at a steady rate.
    pub(crate) async fn send_steadily(
        &self,
        count: usize,
        bytes: usize,
        interval: Duration,
    ) -> Result<SentAt> {
        let mut clock = tokio::time::interval(interval);
        let mut sent = SentAt::new();
        for _ in 0..count {
            clock.tick().await;
            sent.extend(self.send_batch(1, bytes).await?);
        }
        Ok(sent)
    }

    async fn send_batch(&self, size: usize, bytes: usize) -> Result<SentAt> {
        let ids: Vec<_> = (0..size).map(|_| new_id("evt_")).collect();
        let entry = |id: &String| {
            let body = sample::event(&self.state.workspace_id, id, bytes);
            SendMessageBatchRequestEntry::builder()
                .id(id)
                .message_body(body)
                .set_message_group_id(self.message_group.clone())
                .build()
        };
        let entries: Result<Vec<_>, _> = ids.iter().map(entry).collect();
        let start = Instant::now();
        let call = self
            .sqs
            .send_message_batch()
            .queue_url(&self.state.events_queue_url);
        let answer = call.set_entries(Some(entries?)).send().await?;
        ensure!(answer.failed().is_empty(), "the queue did not take all events");
        Ok(ids.into_iter().map(|id| (id, start)).collect())
    }

    async fn create_endpoint(&self, url: &str) -> Result<String> {
        let endpoint = json!({ "url": url, "events": ["*"] });
        let request = with_json(self.http.post(self.path("")), &endpoint);
        let created = self.answer(request).await?;
        Ok(created["id"].as_str().context("no id")?.to_owned())
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.state.api)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer = request.bearer_auth(&self.state.token).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "the API answered {status}: {body}");
        if body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&body)?)
    }
}

fn with_json(request: reqwest::RequestBuilder, body: &Value) -> reqwest::RequestBuilder {
    let request = request.header("content-type", "application/json");
    request.body(body.to_string())
}

/// How long each delivery took from the call to SQS to its arrival, in milliseconds.
pub(crate) fn latencies(sent: &SentAt, received: &[Received]) -> Vec<f64> {
    let took = |request: &Received| {
        Some(
            request
                .at
                .duration_since(*sent.get(request.header("webhook-id"))?),
        )
    };
    received
        .iter()
        .filter_map(took)
        .map(|took| took.as_secs_f64() * 1e3)
        .collect()
}

/// The time from the first call to SQS to the last arrival, in seconds.
pub(crate) fn stretch(sent: &SentAt, received: &[Received]) -> f64 {
    let (first, last) = (
        sent.values().min(),
        received.iter().map(|request| request.at).max(),
    );
    first.zip(last).map_or(f64::NAN, |(first, last)| {
        last.duration_since(*first).as_secs_f64()
    })
}
