//! What surrounds every batch of messages. A batch never fails as a whole: the handler names the messages that are
//! to come back, and Lambda deletes the others.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use super::{Deadline, Serving};
use crate::app::App;

/// A consumer of queues: which variables of the environment it uses, and what it does with messages.
#[derive(Clone, Copy)]
pub struct Consumer {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Handles a batch of messages and names those that are to come back.
    pub on_messages: OnMessages,
    /// Handles a batch of a table's stream, if it reads one, and names the sequence number of the first record that is
    /// to come back.
    pub on_records: Option<OnRecords>,
}

type OnMessages = for<'a> fn(&'a App, Invocation) -> LocalBoxFuture<'a, Vec<String>>;
type OnRecords = for<'a> fn(&'a App, Vec<StreamRecord>) -> LocalBoxFuture<'a, Vec<String>>;

/// A batch of messages, and the time there is for it.
#[derive(Debug)]
pub struct Invocation {
    /// The messages.
    pub messages: Vec<Message>,
    /// When the function is cut off.
    pub deadline: Deadline,
}

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

/// A record of the endpoints table's stream, of which only the key is used.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    #[serde(rename = "eventName")]
    pub event_name: String,
    /// What changed.
    pub dynamodb: StreamChange,
}

/// What changed, as the stream says it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamChange {
    /// Where the record is in the stream.
    pub sequence_number: String,
    /// The key of the item.
    pub keys: StreamKeys,
}

/// The key of an endpoint.
#[derive(Debug, Deserialize)]
pub struct StreamKeys {
    /// Its workspace.
    pub workspace: StreamText,
    /// Its id, or the key of the item that counts the endpoints.
    pub endpoint: StreamText,
}

/// A text as DynamoDB writes it.
#[derive(Debug, Deserialize)]
pub struct StreamText {
    /// The text.
    #[serde(rename = "S")]
    pub text: String,
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

/// Serves the queues, and the stream if there is one, until Lambda ends the process.
pub(super) fn serve(app: Arc<App>, consumer: Consumer) -> Serving {
    Box::pin(async move {
        let app = app.as_ref();
        let Some(on_records) = consumer.on_records else {
            let handler = service_fn(move |event: LambdaEvent<Batch>| async move {
                Ok::<_, Error>(messages(app, consumer, event.payload.records, &event.context).await)
            });
            return lambda_runtime::run(handler).await;
        };
        lambda_runtime::run(service_fn(move |event: LambdaEvent<AnyBatch>| async move {
            let records = event.payload.records;
            let is_stream = records
                .first()
                .is_some_and(|record| record["eventSource"] == "aws:dynamodb");
            let records = serde_json::Value::Array(records);
            Ok::<_, Error>(if is_stream {
                on_records(app, serde_json::from_value(records)?).await.into()
            } else {
                messages(app, consumer, serde_json::from_value(records)?, &event.context).await
            })
        }))
        .await
    })
}

async fn messages(app: &App, consumer: Consumer, messages: Vec<Message>, context: &Context) -> BatchResponse {
    let deadline = Deadline::of(app, context);
    (consumer.on_messages)(app, Invocation { messages, deadline })
        .await
        .into()
}
