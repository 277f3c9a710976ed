//! `purge`: makes sure that nothing remains of an endpoint that is not there: no secret, no history.
//!
//! The table's stream tells of every deletion; each is put on the purges queue, twice: at once, and again when every
//! attempt that was under way has been recorded. `delete-endpoint` announces the second one as well, so that no deletion
//! depends on the stream alone, and `create-endpoint` announces a purge for the case that it dies half-way. A purge does
//! only a few seconds of work and then queues itself again, however long the history is.

use std::time::Duration;

use futures::future::join_all;
use shared::Error;
use shared::aws::CALL_TIMEOUT;
use shared::config::Config;
use shared::domain::id::{EndpointId, WorkspaceId};
use shared::domain::wait::MAX_DELAY_SECONDS;
use shared::queues::{Outgoing, Purge};
use shared::store::Removed;

use super::set_aside;
use crate::app::App;
use crate::serve::{Batch, ComeBack, Consumer, Deadline, StreamRecord};

/// The consumer of the purges queue and of the endpoints table's stream.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_TABLE",
        "DELIVER_TIMEOUT_SECONDS",
        "ENDPOINTS_TABLE",
        "PURGES_QUEUE_URL",
        "SECRET_PREFIX",
        "UNREADABLE_QUEUE_URL",
    ],
    on_messages: |app, batch| Box::pin(purge(app, batch)),
    come_back: ComeBack::AfterBackoff,
    on_records: Some(|app, records| Box::pin(announce(app, records))),
};

/// Records deleted between two looks at the time.
const RECORDS_AT_ONCE: usize = 200;

/// What must remain of an invocation to begin another round of two calls, after which the rest is left.
pub(crate) const RESERVE: Duration = CALL_TIMEOUT.saturating_mul(3);

/// How long after everything that was under way has ended the second purge comes.
const MARGIN: Duration = Duration::from_secs(5);

/// Puts purges on the queue for every deleted endpoint. The stream comes back at the first that fails.
async fn announce(app: &App, records: Vec<StreamRecord>) -> Vec<String> {
    let deleted = records.iter().filter_map(|record| {
        let purge = deleted_endpoint(record)?;
        Some((&record.dynamodb.sequence_number, purge))
    });
    let mut announcements = Vec::new();
    for (sequence_number, purge) in deleted {
        match both_purges(app, &purge) {
            Ok(purges) => announcements.extend(purges.map(|purge| (sequence_number, purge))),
            Err(error) => {
                tracing::error!(error = error.chain(), endpoint.id = %purge.endpoint, "a purge can't be written");
            }
        }
    }
    let results = app
        .queues
        .send_each(&app.config.queues.purges, announcements)
        .await;
    let failed = results
        .into_iter()
        .find_map(|(sequence_number, result)| result.err().map(|error| (sequence_number, error)));
    let Some((sequence_number, error)) = failed else {
        return Vec::new();
    };
    tracing::warn!(error = error.chain(), "purges were not announced");
    vec![sequence_number.clone()]
}

/// Purges a batch of endpoints.
async fn purge(app: &App, batch: &Batch) {
    let purges = batch
        .messages
        .iter()
        .map(async |message| match serde_json::from_str(&message.body) {
            Ok(purge) => match make_sure(app, &purge, batch.deadline).await {
                Ok(()) => batch.acknowledge(message),
                Err(error) => {
                    tracing::warn!(error = error.chain(), message.id, "a purge comes back");
                }
            },
            Err(error) => set_aside(app, batch, message, "purge", &error.to_string()).await,
        });
    join_all(purges).await;
}

fn deleted_endpoint(record: &StreamRecord) -> Option<Purge> {
    let keys = &record.dynamodb.keys;
    let workspace: WorkspaceId = keys.workspace.text.parse().ok()?;
    let endpoint: EndpointId = keys.endpoint.text.parse().ok()?;
    (record.event_name == "REMOVE").then_some(Purge { workspace, endpoint })
}

/// How long it takes until everything has been recorded that is under way at a deletion, which happens within
/// `head_start` from now.
pub(crate) fn settled_after(config: &Config, head_start: Duration) -> Duration {
    head_start + config.longest_recording() + MARGIN
}

/// The delay of a purge that comes then, as far as a queue can delay it.
pub(crate) fn settled_seconds(config: &Config, head_start: Duration) -> u16 {
    delay_seconds(settled_after(config, head_start).as_secs())
}

fn delay_seconds(seconds: u64) -> u16 {
    u16::try_from(seconds)
        .unwrap_or(MAX_DELAY_SECONDS)
        .min(MAX_DELAY_SECONDS)
}

/// One at once, and one when every attempt that was under way has been recorded.
fn both_purges(app: &App, purge: &Purge) -> Result<[Outgoing; 2], Error> {
    let settled = settled_seconds(&app.config, Duration::ZERO);
    Ok([purge.outgoing(0)?, purge.outgoing(settled)?])
}

async fn make_sure(app: &App, purge: &Purge, deadline: Deadline) -> Result<(), Error> {
    match app.store.endpoint(&purge.workspace, &purge.endpoint).await {
        Err(Error::NotFound) => {}
        other => return other.map(|_| ()),
    }
    let deletion = app.store.deletion(&purge.workspace, &purge.endpoint).await?;
    let looked_at = app.clock.now();
    let removed = clean_up(app, &purge.endpoint, deadline).await?;
    let deleted = removed.count;
    if removed.more {
        tracing::info!(endpoint.id = %purge.endpoint, deleted, "a purge goes on");
        return send_again(app, purge, 0).await;
    }
    tracing::info!(endpoint.id = %purge.endpoint, deleted, "purged");
    match deletion {
        Some(deletion) if deletion.is_over(looked_at) => {
            app.store.forget_deletion(&purge.workspace, &purge.endpoint).await
        }
        // Attempts that were under way may still be recorded.
        Some(deletion) => {
            let seconds = deletion.seconds_left(app.clock.now());
            send_again(app, purge, delay_seconds(seconds)).await
        }
        None => Ok(()),
    }
}

/// Deletes the history of an endpoint that does not exist, and then its secret; says how many records, and whether any of
/// it may be left because the time is over.
pub(crate) async fn clean_up(app: &App, endpoint: &EndpointId, deadline: Deadline) -> Result<Removed, Error> {
    let mut count = 0;
    loop {
        if deadline.left() < RESERVE {
            return Ok(Removed { count, more: true });
        }
        let removed = app.store.delete_some_history(endpoint, RECORDS_AT_ONCE).await?;
        count += removed.count;
        if !removed.more {
            break;
        }
    }
    app.secrets.delete(endpoint).await?;
    Ok(Removed { count, more: false })
}

async fn send_again(app: &App, purge: &Purge, delay_seconds: u16) -> Result<(), Error> {
    app.queues
        .send_one(&app.config.queues.purges, purge.outgoing(delay_seconds)?)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A record as DynamoDB writes it, with both images
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>).
    fn record(event: &str, endpoint: &str) -> StreamRecord {
        let keys = json!({ "workspace": { "S": "ws_1" }, "endpoint": { "S": endpoint } });
        let image = json!({ "workspace": { "S": "ws_1" }, "endpoint": { "S": endpoint }, "enabled": { "BOOL": true } });
        let mut change = json!({
            "ApproximateCreationDateTime": 1_795_435_200,
            "Keys": keys,
            "SequenceNumber": "111",
            "SizeBytes": 190,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        let images: &[&str] = match event {
            "INSERT" => &["NewImage"],
            "MODIFY" => &["OldImage", "NewImage"],
            _ => &["OldImage"],
        };
        for name in images {
            change[name] = image.clone();
        }
        let record: Value = json!({
            "eventID": "c4ca4238a0b923820dcc509a6f75849b",
            "eventName": event,
            "eventSource": "aws:dynamodb",
            "dynamodb": change,
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn only_the_deletion_of_an_endpoint_is_announced() {
        let purge = deleted_endpoint(&record("REMOVE", "whe_1")).unwrap();

        assert_eq!(
            (purge.workspace.as_str(), purge.endpoint.as_str()),
            ("ws_1", "whe_1")
        );
        for (event, endpoint) in [("INSERT", "whe_1"), ("MODIFY", "whe_1"), ("REMOVE", "#count")] {
            assert!(
                deleted_endpoint(&record(event, endpoint)).is_none(),
                "{event} {endpoint}"
            );
        }
    }
}
