//! What surrounds every batch of the endpoints table's stream. The stream goes on from the first record that is to come
//! back.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;

use super::batch::BatchResponse;
use super::{Deadline, Serving};
use crate::app::App;

/// Handles a batch of records, and names the sequence number of the first that is to come back.
pub(super) type OnRecords = for<'a> fn(&'a App, Vec<StreamRecord>) -> LocalBoxFuture<'a, Vec<String>>;

/// A reader of the stream that reads no queue: which variables of the environment it uses, and what it does with records.
#[derive(Clone, Copy)]
pub struct StreamReader {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Handles a batch of records.
    pub on_records: OnRecords,
}

/// A record of the endpoints table's stream.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    /// Its id, which it keeps however often it is read.
    #[serde(rename = "eventID")]
    pub id: String,
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
    /// When the write was made, in seconds since 1970.
    pub approximate_creation_date_time: f64,
    /// The key of the item.
    pub keys: StreamKeys,
    /// The item before the write, in DynamoDB's JSON.
    #[serde(default)]
    pub old_image: Option<Value>,
    /// The item after it.
    #[serde(default)]
    pub new_image: Option<Value>,
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

/// A batch of the stream.
#[derive(Deserialize)]
struct StreamBatch {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

/// Serves the stream until Lambda ends the process.
pub(super) fn serve(app: Arc<App>, reader: StreamReader) -> Serving {
    Box::pin(async move {
        let app = app.as_ref();
        let handler = service_fn(move |event: LambdaEvent<StreamBatch>| async move {
            Ok::<_, Error>(read(app, reader.on_records, event.payload.records, &event.context).await)
        });
        lambda_runtime::run(handler).await
    })
}

/// If the time is used up, all records come back.
pub(super) async fn read(
    app: &App,
    on_records: OnRecords,
    records: Vec<StreamRecord>,
    context: &Context,
) -> BatchResponse {
    let first = records
        .first()
        .map(|record| record.dynamodb.sequence_number.clone());
    let left = Deadline::of(app, context)
        .cut(on_records(app, records), std::time::Duration::ZERO)
        .await;
    left.unwrap_or_else(|| first.into_iter().collect()).into()
}
