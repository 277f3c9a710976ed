//! Events, keyed by workspace and event: the producer's bytes, stored once per event.

use jiff::Timestamp;
use serde::Deserialize;

use super::attribute::{Fields, Item, instant, item, key, number, text, time};
use super::partiql::{self, Execution, Statement};
use super::{Found, RowKeys, Store};
use crate::Error;
use crate::domain::event::{AcceptedEvent, Event};
use crate::domain::id::{EventId, WorkspaceId};
use crate::domain::recovery::KeptEvent;

const TABLE: &str = "events";

/// What a test event has in the place of the message that brought it.
const TEST_MESSAGE: &str = "test";

/// A part of a workspace's events, in the order of their ids.
#[derive(Debug)]
pub struct EventsPart {
    /// The events.
    pub events: Vec<KeptEvent>,
    /// The last one, readable or not; `None` if there is none.
    pub up_to: Option<EventId>,
    /// Whether no others follow.
    pub is_last: bool,
}

/// An event that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// The event.
    pub event: &'a Event,
    /// The message that brought it, which answers for its fan-out.
    pub message_id: &'a str,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The producer's bytes.
    pub body: String,
    /// When it was first stored.
    pub accepted_at: Timestamp,
    /// The message that brought it first.
    pub message_id: String,
}

/// What became of an event that was to be stored.
#[derive(Debug)]
pub enum Insertion {
    /// It is new.
    Stored,
    /// An event of this id is there already.
    Existing(StoredEvent),
    /// It is not stored for now, or nobody knows: its partition is throttled, say. To be tried again.
    Open(Error),
    /// It is not stored, and never will be.
    Failed(Error),
}

#[derive(Deserialize)]
struct EventItem {
    body: String,
    accepted_at: i64,
    message_id: String,
    expires_at: i64,
}

impl Store {
    /// Stores events that are not there yet, once, at the ordinary price of a write each and in one call for many.
    /// The results are in the order of the events, whose ids must differ within each workspace.
    ///
    /// # Errors
    /// Existing events could not be read back; every event may be stored then, or not.
    pub async fn insert_events(
        &self,
        events: &[NewEvent<'_>],
        now: Timestamp,
    ) -> Result<Vec<Insertion>, Error> {
        let statements = events.iter().map(|new| self.insertion(*new, now));
        let executions = partiql::run(&self.client, statements.collect()).await;
        let known = events
            .iter()
            .zip(&executions)
            .filter(|(_, execution)| matches!(execution, Execution::ConditionFailed));
        let mut keys = RowKeys::default();
        known.for_each(|(new, _)| keys.add_event(&new.event.workspace, &new.event.id));
        let mut existing = self.read(keys).await?;
        let insertions = events
            .iter()
            .zip(executions)
            .map(|(new, execution)| match execution {
                Execution::Done => Insertion::Stored,
                Execution::Failed(error) => Insertion::Failed(error),
                Execution::Open(error) => Insertion::Open(error),
                Execution::ConditionFailed => {
                    match existing.take_event(&new.event.workspace, &new.event.id) {
                        Some(stored) => Insertion::Existing(stored),
                        // It expired between the two calls, and finds room when it is tried again.
                        None => Insertion::Open(Error::Overtaken),
                    }
                }
            });
        Ok(insertions.collect())
    }

    /// Stores one event that is new by construction (its id is random).
    ///
    /// # Errors
    /// The call failed.
    pub async fn put_event(&self, event: &Event, now: Timestamp) -> Result<(), Error> {
        let new = NewEvent {
            event,
            message_id: TEST_MESSAGE,
        };
        let fields = fields(new, now, self.expiry(now));
        self.put(&self.tables.events, item(fields)).await
    }

    /// The bytes of an event; `None` once it has expired.
    ///
    /// # Errors
    /// The call failed.
    pub async fn event_body(&self, workspace: &WorkspaceId, id: &EventId) -> Result<Option<String>, Error> {
        let item = self.item(&self.tables.events, event_key(workspace, id)).await?;
        Ok(item.map(from_item).transpose()?.map(|stored| stored.body))
    }

    /// One event, as of this moment; it may have expired.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn event(&self, workspace: &WorkspaceId, id: &EventId) -> Result<AcceptedEvent, Error> {
        let item = self.item(&self.tables.events, event_key(workspace, id)).await?;
        accepted(item.ok_or(Error::NotFound)?)
    }

    /// The next events of a workspace behind `after`, at most `limit` or about 1 MB of them, as they were a moment ago.
    ///
    /// # Errors
    /// The call failed.
    pub async fn events_behind(
        &self,
        workspace: &WorkspaceId,
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<EventsPart, Error> {
        let query = self
            .client
            .query()
            .table_name(&*self.tables.events)
            .key_condition_expression("workspace = :workspace")
            .expression_attribute_values(":workspace", text(workspace))
            .set_exclusive_start_key(after.map(|after| event_key(workspace, after)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        let items = answer.items.unwrap_or_default();
        let last = items.last();
        let up_to = last.and_then(|item| item.get("event")?.as_s().ok()?.parse().ok());
        let events = items.into_iter().filter_map(|item| {
            let kept = kept(item);
            if let Err(error) = &kept {
                tracing::error!(error = error.chain(), workspace.id = %workspace, "an event is unreadable and left out");
            }
            kept.ok()
        });
        Ok(EventsPart {
            events: events.collect(),
            up_to,
            is_last: answer.last_evaluated_key.is_none(),
        })
    }

    /// About `limit` events of a workspace, as of this moment, for their deletion.
    ///
    /// # Errors
    /// The call failed.
    pub async fn find_events(&self, workspace: &WorkspaceId, limit: usize) -> Result<Found, Error> {
        let query = self
            .client
            .query()
            .consistent_read(true)
            .key_condition_expression("workspace = :workspace")
            .expression_attribute_values(":workspace", text(workspace))
            .projection_expression("workspace, event");
        self.find(&self.tables.events, query, limit).await
    }

    fn insertion(&self, new: NewEvent<'_>, now: Timestamp) -> Statement {
        Statement::insert(&self.tables.events, fields(new, now, self.expiry(now)))
    }
}

/// Writes an event.
pub(super) fn fields(new: NewEvent<'_>, accepted_at: Timestamp, expires_at: i64) -> Fields {
    vec![
        ("workspace", text(new.event.workspace.as_str())),
        ("event", text(new.event.id.as_str())),
        ("body", text(new.event.body.as_str())),
        ("accepted_at", time(accepted_at)),
        ("message_id", text(new.message_id)),
        ("expires_at", number(&expires_at)),
    ]
}

/// Reads an event with all that is kept of it.
pub(super) fn accepted(item: Item) -> Result<AcceptedEvent, Error> {
    let item: EventItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    Ok(AcceptedEvent {
        event: Event::parse(item.body).map_err(Error::corrupt(TABLE))?,
        accepted_at: instant(TABLE, item.accepted_at)?,
        expires_at: instant(TABLE, item.expires_at.saturating_mul(1000))?,
        test: item.message_id == TEST_MESSAGE,
    })
}

/// Reads an event as far as a recovery looks at it.
fn kept(item: Item) -> Result<KeptEvent, Error> {
    let accepted = accepted(item)?;
    Ok(KeptEvent {
        id: accepted.event.id,
        name: accepted.event.name,
        accepted_at: accepted.accepted_at,
        expires_at: accepted.expires_at,
        test: accepted.test,
    })
}

/// The key of an event.
pub(super) fn event_key(workspace: &WorkspaceId, id: &EventId) -> Item {
    key([("workspace", workspace.as_str()), ("event", id.as_str())])
}

/// Reads an event.
pub(super) fn from_item(item: Item) -> Result<StoredEvent, Error> {
    let item: EventItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let accepted_at = instant(TABLE, item.accepted_at)?;
    Ok(StoredEvent {
        body: item.body,
        accepted_at,
        message_id: item.message_id,
    })
}
