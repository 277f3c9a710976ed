//! Operational events: what a change of an endpoint tells the operator. The events are a pure function of the record that
//! the table's stream has of the change, so that a record that comes twice makes the same events, byte for byte.
//!
//! Nothing in here knows a secret; that one was replaced shows in its version, which is compared and never told.

mod data;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use self::data::Data;
use super::id::{EndpointId, EventId, WorkspaceId};
use super::time;

/// An endpoint as the stream shows it. Its words are texts: one that only a later release knows is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Whom the endpoint belongs to.
    pub workspace: WorkspaceId,
    /// Its id.
    pub endpoint: EndpointId,
    /// Where deliveries are sent.
    pub url: String,
    /// What it receives.
    pub events: Vec<String>,
    /// What its owner calls it.
    pub description: Option<String>,
    /// What its owner keeps with it.
    pub metadata: BTreeMap<String, String>,
    /// Whether it receives anything.
    pub enabled: bool,
    /// Why this system disabled it.
    pub disabled_reason: Option<String>,
    /// The version of its secret that signs.
    pub secret_version: String,
    /// When its owner or this system last changed it.
    pub updated_at: Timestamp,
    /// When an attempt first failed since the last success.
    pub failing_since: Option<Timestamp>,
    /// The last attempt when it was noted that the endpoint is failing; there is none unless it was noted.
    pub failing: Option<LastAttempt>,
    /// The delivery that last used up its attempts, since the last success.
    pub exhausted: Option<Exhausted>,
    /// The recovery that ended last.
    pub last_recovery: Option<EndedRecovery>,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// When it began.
    pub at: Timestamp,
    /// The status of the response, if one came.
    pub http_status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// A delivery that used up its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// The delivery's id.
    pub delivery: String,
    /// The event's id.
    pub event_id: String,
    /// The event's name.
    pub event: String,
    /// Its last attempt.
    pub last_attempt: LastAttempt,
}

/// A recovery that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRecovery {
    /// Its id.
    pub id: String,
    /// `finished` or `cancelled`.
    pub status: String,
    /// `failed` or `missing`.
    pub include: String,
    /// Where its window begins.
    pub since: Timestamp,
    /// Where its window ends.
    pub until: Timestamp,
    /// How many deliveries it had to send; `None` if it ended before they were counted.
    pub total: Option<u64>,
    /// How many were sent.
    pub retried: u64,
    /// How many of those were delivered.
    pub delivered: u64,
    /// How many of those failed.
    pub failed: u64,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
}

/// A record of the stream: how an endpoint was before a write, and how it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record's id, which it keeps however often it is read.
    pub record_id: String,
    /// When the write was made.
    pub at: Timestamp,
    /// The endpoint before; `None` if it was created.
    pub old: Option<Image>,
    /// The endpoint after; `None` if it was deleted.
    pub new: Option<Image>,
}

/// An event for the operator's workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationalEvent {
    /// Its id.
    pub id: EventId,
    /// Its name.
    pub name: &'static str,
    /// The whole JSON object, as a producer puts it on the events queue.
    pub body: String,
}

/// What a write did to an endpoint; a write may do several of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Created,
    Updated,
    Deleted,
    Enabled,
    Disabled,
    SecretRotated,
    Exhausted,
    Failing,
    Recovered,
    RecoveryFinished,
}

impl Happening {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "endpoint.created",
            Self::Updated => "endpoint.updated",
            Self::Deleted => "endpoint.deleted",
            Self::Enabled => "endpoint.enabled",
            Self::Disabled => "endpoint.disabled",
            Self::SecretRotated => "endpoint.secret_rotated",
            Self::Exhausted => "delivery.exhausted",
            Self::Failing => "endpoint.failing",
            Self::Recovered => "endpoint.recovered",
            Self::RecoveryFinished => "recovery.finished",
        }
    }
}

/// The events of a change, in the operator's workspace. What happens to the operator's own endpoints is none, or each event
/// about them would be followed by others for ever.
///
/// # Errors
/// An event can't be written as JSON, which its types rule out.
pub fn events(change: &Change, operator: &WorkspaceId) -> Result<Vec<OperationalEvent>, serde_json::Error> {
    let images = (change.old.as_ref(), change.new.as_ref());
    let (Some(image), happenings) = (match images {
        (None, None) => return Ok(Vec::new()),
        (None, Some(new)) => (Some(new), vec![Happening::Created]),
        (Some(old), None) => (Some(old), vec![Happening::Deleted]),
        (Some(old), Some(new)) => (Some(new), happenings(old, new)),
    }) else {
        return Ok(Vec::new());
    };
    if image.workspace == *operator {
        return Ok(Vec::new());
    }
    let events = happenings.into_iter().map(|happening| {
        let data = Data::of(happening, change.old.as_ref(), image);
        event(happening, change, operator, data)
    });
    events.collect()
}

fn happenings(old: &Image, new: &Image) -> Vec<Happening> {
    let by_its_owner_or_system = old.updated_at != new.updated_at;
    let recovery = |image: &Image| image.last_recovery.as_ref().map(|recovery| recovery.id.clone());
    let finished = |recovery: &EndedRecovery| recovery.status == "finished";
    let exhausted = |image: &Image| {
        image
            .exhausted
            .as_ref()
            .map(|exhausted| exhausted.delivery.clone())
    };
    let all = [
        (!data::changed(old, new).is_empty(), Happening::Updated),
        (!old.enabled && new.enabled, Happening::Enabled),
        (old.secret_version != new.secret_version, Happening::SecretRotated),
        (
            new.exhausted.is_some() && exhausted(old) != exhausted(new),
            Happening::Exhausted,
        ),
        (old.failing.is_none() && new.failing.is_some(), Happening::Failing),
        (old.enabled && !new.enabled, Happening::Disabled),
        (
            // Enabling removes the note as well, and is an update of the endpoint; a success is none.
            old.failing.is_some() && new.failing.is_none() && !by_its_owner_or_system,
            Happening::Recovered,
        ),
        (
            new.last_recovery.as_ref().is_some_and(finished) && recovery(old) != recovery(new),
            Happening::RecoveryFinished,
        ),
    ];
    let happened = all.into_iter().filter(|(happened, _)| *happened);
    happened.map(|(_, happening)| happening).collect()
}

fn event(
    happening: Happening,
    change: &Change,
    operator: &WorkspaceId,
    data: Data<'_>,
) -> Result<OperationalEvent, serde_json::Error> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        id: &'a str,
        event: &'a str,
        created_at: String,
        workspace_id: &'a str,
        data: Data<'a>,
    }
    let name = happening.name();
    let id = EventId::derive(change.at, &change.record_id, name);
    let body = serde_json::to_string(&Envelope {
        id: id.as_str(),
        event: name,
        created_at: time::format(change.at),
        workspace_id: operator.as_str(),
        data,
    })?;
    Ok(OperationalEvent { id, name, body })
}

#[cfg(test)]
mod tests;
