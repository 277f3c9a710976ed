//! What surrounds every batch of messages. A batch never fails as a whole: the handler acknowledges the messages that are
//! done, and the others come back.

use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use super::hand_back::hand_back;
use super::stream::{self, OnRecords};
use super::{Batch, Deadline, Message, Serving};
use crate::app::App;

/// What remains of an invocation when its work is cut off, to hand messages back.
const TO_HAND_BACK: Duration = Duration::from_millis(1500);

/// A consumer of queues: which variables of the environment it uses, and what it does with messages.
#[derive(Clone, Copy)]
pub struct Consumer {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Handles a batch of messages, and acknowledges those that are done.
    pub on_messages: OnMessages,
    /// When the others come back.
    pub come_back: ComeBack,
    /// Handles a batch of a table's stream, if it reads one, and names the sequence number of the first record that is
    /// to come back.
    pub on_records: Option<OnRecords>,
}

/// When a message comes back that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComeBack {
    /// After a wait that doubles with each receive.
    AfterBackoff,
    /// After the visibility time-out of its queue.
    AfterVisibilityTimeout,
}

type OnMessages = for<'a> fn(&'a App, &'a Batch) -> LocalBoxFuture<'a, ()>;

/// A batch from a queue.
#[derive(Deserialize)]
struct QueueBatch {
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
pub(super) struct BatchResponse {
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
            let handler = service_fn(move |event: LambdaEvent<QueueBatch>| async move {
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
                stream::read(app, on_records, serde_json::from_value(records)?, &event.context).await
            } else {
                messages(app, consumer, serde_json::from_value(records)?, &event.context).await
            })
        }))
        .await
    })
}

async fn messages(app: &App, consumer: Consumer, messages: Vec<Message>, context: &Context) -> BatchResponse {
    let deadline = Deadline::of(app, context);
    let batch = Batch::new(messages, deadline);
    let work = (consumer.on_messages)(app, &batch);
    let afterwards = match consumer.come_back {
        ComeBack::AfterBackoff => TO_HAND_BACK,
        ComeBack::AfterVisibilityTimeout => Duration::ZERO,
    };
    let is_cut = deadline.cut(work, afterwards).await.is_none();
    let left = batch.unacknowledged();
    if is_cut {
        tracing::warn!(messages = left.len(), "the time of the invocation is used up");
    }
    if consumer.come_back == ComeBack::AfterBackoff {
        deadline.cut(hand_back(app, &left), Duration::ZERO).await;
    }
    left.into_iter()
        .map(|message| message.id.clone())
        .collect::<Vec<_>>()
        .into()
}
