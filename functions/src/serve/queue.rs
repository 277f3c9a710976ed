//! What surrounds every batch of messages. A batch never fails as a whole: the handler names the messages that are
//! to come back, and Lambda deletes the others.

use futures::future::LocalBoxFuture;
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

/// A function that serves until Lambda ends the process.
pub type Serving = LocalBoxFuture<'static, Result<(), Error>>;

/// Handles a batch of messages and names those that are to come back.
pub type OnMessages = for<'a> fn(&'a App, Vec<Message>, Deadline) -> LocalBoxFuture<'a, Vec<String>>;

/// Serves a queue. Fails if the environment is incomplete.
#[must_use]
pub fn messages(handler: OnMessages) -> Serving {
    Box::pin(async move {
        let app = super::start()?;
        let app = app.as_ref();
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| async move {
            let deadline = Deadline::of(app, &event.context);
            let failed = handler(app, event.payload.records, deadline).await;
            Ok::<BatchResponse, Error>(failed.into())
        }))
        .await
    })
}

/// Serves a queue and a stream: `on_records` gets the records of the stream and names the sequence number of the
/// first that is to come back. Fails if the environment is incomplete.
pub fn stream_or_messages<T>(
    on_messages: OnMessages,
    on_records: for<'a> fn(&'a App, Vec<T>) -> LocalBoxFuture<'a, Vec<String>>,
) -> Serving
where
    T: serde::de::DeserializeOwned + 'static,
{
    Box::pin(async move {
        let app = super::start()?;
        let app = app.as_ref();
        lambda_runtime::run(service_fn(move |event: LambdaEvent<AnyBatch>| async move {
            let deadline = Deadline::of(app, &event.context);
            let records = event.payload.records;
            let from_stream = records
                .first()
                .is_some_and(|record| record["eventSource"] == "aws:dynamodb");
            let records = serde_json::Value::Array(records);
            let failed = if from_stream {
                on_records(app, serde_json::from_value(records)?).await
            } else {
                on_messages(app, serde_json::from_value(records)?, deadline).await
            };
            Ok::<BatchResponse, Error>(failed.into())
        }))
        .await
    })
}
