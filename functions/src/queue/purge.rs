//! `purge`: makes sure that nothing remains of an endpoint that is not there: no secret, no history.
//!
//! The table's stream tells of every deletion; each is put on the purges queue, twice: at once, and again when every
//! attempt that was under way has been recorded. `create-endpoint` announces a purge as well, for the case that it
//! dies half-way. A purge does only a few seconds of work and then queues itself again, however long the history is.

use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all};
use serde::Deserialize;
use shared::Error;
use shared::domain::id::{EndpointId, WorkspaceId};
use shared::queue::{MAX_DELAY_SECONDS, Outgoing, Purge};

use super::hand_back;
use crate::app::App;
use crate::serve::{Deadline, Message};

/// Records deleted between two looks at the time.
const RECORDS_AT_ONCE: usize = 200;

/// What must remain of an invocation to begin another round: a call that is throttled gives up after about six seconds,
/// and after it the message is handed back.
const RESERVE: Duration = Duration::from_secs(20);

/// How long after everything that was under way has ended the second purge comes.
const MARGIN: Duration = Duration::from_secs(5);

/// A record of the endpoints table's stream, of which only the key is used.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    #[serde(rename = "eventName")]
    event_name: String,
    dynamodb: StreamChange,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamChange {
    sequence_number: String,
    keys: StreamKeys,
}

#[derive(Debug, Deserialize)]
struct StreamKeys {
    workspace: StreamText,
    endpoint: StreamText,
}

#[derive(Debug, Deserialize)]
struct StreamText {
    #[serde(rename = "S")]
    text: String,
}

/// Puts a purge on the queue for every deleted endpoint. Stops at the first that fails: the stream comes back there.
pub fn announce(app: &App, records: Vec<StreamRecord>) -> LocalBoxFuture<'_, Vec<String>> {
    Box::pin(announce_all(app, records))
}

async fn announce_all(app: &App, records: Vec<StreamRecord>) -> Vec<String> {
    for record in records {
        let Some(purge) = deleted_endpoint(&record) else {
            continue;
        };
        if let Err(error) = announce_one(app, &purge).await {
            tracing::warn!(error = error.chain(), endpoint.id = %purge.endpoint, "a purge was not announced");
            return vec![record.dynamodb.sequence_number];
        }
    }
    Vec::new()
}

/// Purges a batch of endpoints.
pub fn handle(app: &App, messages: Vec<Message>, deadline: Deadline) -> LocalBoxFuture<'_, Vec<String>> {
    Box::pin(handle_batch(app, messages, deadline))
}

async fn handle_batch(app: &App, messages: Vec<Message>, deadline: Deadline) -> Vec<String> {
    let results = join_all(
        messages
            .iter()
            .map(async |message| match serde_json::from_str(&message.body) {
                Ok(purge) => make_sure(app, &purge, deadline).await,
                Err(error) => park(app, message, &error.to_string()).await,
            }),
    );
    let mut unhandled = Vec::new();
    for (message, result) in messages.iter().zip(results.await) {
        if let Err(error) = result {
            tracing::warn!(error = error.chain(), message.id, "a purge comes back");
            unhandled.push(message);
        }
    }
    hand_back(app, unhandled).await
}

fn deleted_endpoint(record: &StreamRecord) -> Option<Purge> {
    let keys = &record.dynamodb.keys;
    let workspace: WorkspaceId = keys.workspace.text.parse().ok()?;
    let endpoint: EndpointId = keys.endpoint.text.parse().ok()?;
    (record.event_name == "REMOVE").then_some(Purge { workspace, endpoint })
}

async fn announce_one(app: &App, purge: &Purge) -> Result<(), Error> {
    let settled = app.config.longest_recording() + MARGIN;
    let settled = u16::try_from(settled.as_secs())
        .unwrap_or(MAX_DELAY_SECONDS)
        .min(MAX_DELAY_SECONDS);
    let messages = [purge.outgoing(0)?, purge.outgoing(settled)?];
    app.queues
        .send(&app.config.queues.purges, &messages)
        .await
        .into_iter()
        .collect()
}

async fn make_sure(app: &App, purge: &Purge, deadline: Deadline) -> Result<(), Error> {
    match app.store.endpoint(&purge.workspace, &purge.endpoint).await {
        Err(Error::NotFound) => {}
        other => return other.map(|_| ()),
    }
    let mut deleted = 0;
    loop {
        if deadline.left() < RESERVE {
            tracing::info!(endpoint.id = %purge.endpoint, deleted, "a purge goes on");
            return app
                .queues
                .send_one(&app.config.queues.purges, purge.outgoing(0)?)
                .await;
        }
        let (count, more) = app
            .store
            .delete_some_history(&purge.endpoint, RECORDS_AT_ONCE)
            .await?;
        deleted += count;
        if !more {
            break;
        }
    }
    app.secrets.delete(&purge.endpoint).await?;
    tracing::info!(endpoint.id = %purge.endpoint, deleted, "purged");
    Ok(())
}

async fn park(app: &App, message: &Message, reason: &str) -> Result<(), Error> {
    tracing::error!(
        message.id,
        reason,
        outcome = "parked",
        "a message is no purge and is parked"
    );
    let parked = Outgoing::refused(message.body.clone(), &format!("not a purge: {reason}"));
    app.queues.send_one(&app.config.queues.parked, parked).await
}
