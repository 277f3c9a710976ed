//! `purge`: makes sure that nothing remains of an endpoint that is not there: no secret, no history.
//!
//! The table's stream tells of every deletion; each is put on the purges queue, twice: at once, and again when every
//! attempt that was under way has been recorded. `create-endpoint` announces a purge as well, for the case that it
//! dies half-way. A purge does only a few seconds of work and then queues itself again, however long the history is.

use std::time::Duration;

use futures::future::join_all;
use shared::Error;
use shared::domain::id::{EndpointId, WorkspaceId};
use shared::queues::{MAX_DELAY_SECONDS, Outgoing, Purge};

use super::hand_back;
use crate::app::App;
use crate::serve::{Consumer, Deadline, Invocation, Message, StreamRecord};

/// The consumer of the purges queue and of the endpoints table's stream.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_TABLE",
        "DELIVER_TIMEOUT_SECONDS",
        "ENDPOINTS_TABLE",
        "PARKED_QUEUE_URL",
        "PURGES_QUEUE_URL",
        "SECRET_PREFIX",
    ],
    on_messages: |app, invocation| Box::pin(purge(app, invocation)),
    on_records: Some(|app, records| Box::pin(announce(app, records))),
};

/// Records deleted between two looks at the time.
const RECORDS_AT_ONCE: usize = 200;

/// What must remain of an invocation to begin another round: a call that is throttled gives up after about six seconds,
/// and after it the message is handed back.
const RESERVE: Duration = Duration::from_secs(20);

/// How long after everything that was under way has ended the second purge comes.
const MARGIN: Duration = Duration::from_secs(5);

/// Puts a purge on the queue for every deleted endpoint. Stops at the first that fails: the stream comes back there.
async fn announce(app: &App, records: Vec<StreamRecord>) -> Vec<String> {
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
async fn purge(app: &App, Invocation { messages, deadline }: Invocation) -> Vec<String> {
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
        "a message is not a purge and is parked"
    );
    let parked = Outgoing::set_aside(message.body.clone(), &format!("not a purge: {reason}"));
    app.queues.send_one(&app.config.queues.parked, parked).await
}
