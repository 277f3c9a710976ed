//! What surrounds every batch of messages. A batch never fails as a whole: the handler names the messages that are
//! to come back, and Lambda deletes the others.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use super::Deadline;
use crate::app::App;

/// A received message. Its body is text until the handler has looked at it: one that is malformed concerns no other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id, which stays the same when it comes back.
    #[serde(rename = "messageId")]
    pub id: String,
    /// What it is made visible again with.
    pub receipt_handle: String,
    /// What was sent.
    pub body: String,
    /// The ARN of its queue.
    #[serde(rename = "eventSourceARN")]
    pub queue_arn: String,
    /// What SQS knows of it.
    pub attributes: Attributes,
}

/// What SQS knows of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// How often it was received, this time included, as text.
    pub approximate_receive_count: String,
}

impl Message {
    /// How often it was received, this time included.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.attributes.approximate_receive_count.parse().unwrap_or(1)
    }
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

/// A batch from a queue or from a stream.
#[derive(Deserialize)]
struct AnyBatch {
    #[serde(rename = "Records")]
    records: Vec<serde_json::Value>,
}

/// Lambda's "partial batch response".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchResponse {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl From<Vec<String>> for BatchResponse {
    fn from(ids: Vec<String>) -> Self {
        let failure = |item_identifier| BatchItemFailure { item_identifier };
        Self {
            batch_item_failures: ids.into_iter().map(failure).collect(),
        }
    }
}

/// Serves a queue: `handler` gets a batch of messages and names those that are to come back.
///
/// # Errors
/// The environment is incomplete, or Lambda's Runtime API is not there.
pub async fn messages<H>(handler: H) -> Result<(), Error>
where
    H: AsyncFn(&App, Vec<Message>, Deadline) -> Vec<String>,
{
    let app = super::start()?;
    let (app, handler) = (app.as_ref(), &handler);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Batch>| {
        let deadline = Deadline::of(app, &event.context);
        // Boxed, because the compiler gives up on the layout of futures that are nested this deep.
        let failed = Box::pin(handler(app, event.payload.records, deadline)).await;
        Ok::<BatchResponse, Error>(failed.into())
    }))
    .await
}

/// Serves a queue and a stream: `on_messages` as with [`messages`], `on_records` gets the records of a stream and
/// names the sequence number of the first that is to come back.
///
/// # Errors
/// The environment is incomplete, or Lambda's Runtime API is not there.
pub async fn stream_or_messages<M, R, T>(on_messages: M, on_records: R) -> Result<(), Error>
where
    M: AsyncFn(&App, Vec<Message>, Deadline) -> Vec<String>,
    R: AsyncFn(&App, Vec<T>) -> Vec<String>,
    T: serde::de::DeserializeOwned,
{
    let app = super::start()?;
    let (app, on_messages, on_records) = (app.as_ref(), &on_messages, &on_records);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<AnyBatch>| {
        let deadline = Deadline::of(app, &event.context);
        let records = event.payload.records;
        let from_stream = records
            .first()
            .is_some_and(|record| record["eventSource"] == "aws:dynamodb");
        let records = serde_json::Value::Array(records);
        let failed = if from_stream {
            Box::pin(on_records(app, serde_json::from_value(records)?)).await
        } else {
            Box::pin(on_messages(app, serde_json::from_value(records)?, deadline)).await
        };
        Ok::<BatchResponse, Error>(failed.into())
    }))
    .await
}
