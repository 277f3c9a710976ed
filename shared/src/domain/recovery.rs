//! A recovery: an endpoint gets back, page by page, what failed or what it missed. The item that keeps it is the truth;
//! a message only names it and the number of the turn that is due, so that one that comes twice, late or after a crash
//! starts no second chain of turns.
//!
//! Here it is described, and it is decided whether a message has a turn to make. What a turn does is decided in `stage`,
//! what becomes of each delivery of a page in `page`.

mod missing;
mod page;
mod stage;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use missing::KeptEvent;
pub use page::{Opening, Outcome};
pub use stage::{Step, spread_seconds};

use super::delivery::{self, Delivery};
use super::endpoint::Subscriptions;
use super::event_type::EventName;
use super::id::{DeliveryId, EndpointId, EventId, RecoveryId};

/// Most deliveries of a page: what is queued already when somebody cancels.
pub const MAX_PAGE: usize = 100;

/// How long after a turn is due only those messages make it that are meant to. By then they may have been parked and
/// redriven, which gives them new ids: 100 receives take longer
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>).
const MESSAGE_ANSWERS_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A recovery of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Whose it is.
    pub endpoint: EndpointId,
    /// Its id.
    pub id: RecoveryId,
    /// What was asked for.
    pub wanted: Wanted,
    /// Its status.
    pub status: Status,
    /// How far it is.
    pub counts: Counts,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it was finished or cancelled.
    pub finished_at: Option<Timestamp>,
    /// Where it goes on.
    pub progress: Progress,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What is given back.
    pub include: Include,
    /// Accepted at this time or later.
    pub since: Timestamp,
    /// Accepted at this time or earlier.
    pub until: Timestamp,
    /// Which event types.
    pub events: Subscriptions,
    /// At most so many deliveries a second, from 1.
    pub per_second: u16,
}

/// What a recovery gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// Deliveries that failed.
    Failed,
    /// Events that have no delivery, because the endpoint was disabled or not subscribed.
    Missing,
}

impl Include {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// The status of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It makes its turns.
    Running,
    /// The endpoint fails; one delivery at a time is sent as a probe.
    Paused,
    /// The last outcome is known.
    Finished,
    /// Somebody asked for its end, the endpoint was disabled, or it does not name this recovery.
    Cancelled,
}

impl Status {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled)
    }
}

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Deliveries that were found when it began; `None` until they are counted.
    pub total: Option<u64>,
    /// Deliveries that got a further attempt, or have it on a queue.
    pub retried: u64,
    /// Those of them that were delivered.
    pub delivered: u64,
    /// Those that failed.
    pub failed: u64,
}

/// Where a recovery goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Writes of turns so far; each write requires the number that it read.
    pub turn: u64,
    /// The message that made the last write.
    pub made_by: Option<String>,
    /// When the next turn is due.
    pub due: Timestamp,
    /// What the next turn does.
    pub stage: Stage,
    /// Deliveries counted so far.
    pub counted: u64,
    /// How far the walk is: a delivery's id for what failed, an event's for what is missing.
    pub cursor: Option<String>,
    /// How often deliveries were reopened; the number is part of the name under which they are.
    pub round: u64,
    /// The deliveries that are under way, or are to be reopened after a pause.
    pub page: Vec<Taken>,
    /// Those of the page before that failed after its last success: nobody knows yet whether the endpoint was still well.
    pub unsure: Vec<Taken>,
    /// Looks at the page since it was sent.
    pub looks: u32,
    /// How often this page has led to a pause.
    pub pauses: u32,
    /// Probes of this pause that failed.
    pub probes: u32,
}

/// What the next turn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It counts what there is.
    Counting,
    /// It takes the next page.
    Taking,
    /// It reopens the page's deliveries and sends their tasks.
    Sending,
    /// It looks whether they have ended.
    Waiting,
    /// It sends a probe, unless the endpoint is well again.
    Resting,
}

/// A delivery of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub delivery: DeliveryId,
    /// The event, if the delivery has no record yet.
    pub missing: Option<(EventId, EventName)>,
}

/// What a message has to do about a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Nothing: another message makes the turn, or the recovery has ended.
    Stale,
    /// It is not due yet: send it again for then.
    Early,
    /// Make the turn when this time has passed, which is less than a second.
    In(Duration),
}

impl Recovery {
    /// A recovery before its first turn, which is due after a while.
    #[must_use]
    pub fn started(
        endpoint: EndpointId,
        id: RecoveryId,
        wanted: Wanted,
        now: Timestamp,
        first_turn_in: SignedDuration,
    ) -> Self {
        Self {
            endpoint,
            id,
            wanted,
            status: Status::Running,
            counts: Counts::default(),
            started_at: now,
            finished_at: None,
            progress: Progress {
                turn: 0,
                made_by: None,
                due: now.saturating_add(first_turn_in).unwrap_or(now),
                stage: Stage::Counting,
                counted: 0,
                cursor: None,
                round: 0,
                page: Vec::new(),
                unsure: Vec::new(),
                looks: 0,
                pauses: 0,
                probes: 0,
            },
        }
    }

    /// What a message has to do. The message of the turn that is due makes it. So does the one that made the last write, if
    /// it comes back: nobody knows whether it sent the next. Any other does nothing, unless the turn is an hour late.
    ///
    /// A recovery that was cancelled while a page was on its way has that page sent to its end: what is reopened would
    /// stay pending otherwise.
    #[must_use]
    pub fn admit(&self, message_id: &str, turn: u64, now: Timestamp) -> Admission {
        let progress = &self.progress;
        let is_due_for = progress.due.duration_since(now);
        let answers = turn == progress.turn
            || progress.made_by.as_deref() == Some(message_id)
            || is_due_for < -MESSAGE_ANSWERS_FOR;
        let is_over = self.status.has_ended() && progress.stage != Stage::Sending;
        if is_over || !answers {
            return Admission::Stale;
        }
        if self.status.has_ended() {
            return Admission::In(Duration::ZERO);
        }
        if is_due_for > SignedDuration::from_secs(1) {
            return Admission::Early;
        }
        Admission::In(Duration::try_from(is_due_for).unwrap_or_default())
    }

    /// How long the message of the next turn is delayed, in whole seconds; the turn waits for the rest.
    #[must_use]
    pub fn delay_seconds(&self, now: Timestamp) -> u16 {
        let seconds = self.progress.due.duration_since(now).as_secs().max(0);
        u16::try_from(seconds).unwrap_or(u16::MAX)
    }

    /// The recovery as a message writes it.
    #[must_use]
    pub fn written_by(mut self, message_id: &str) -> Self {
        self.progress.turn += 1;
        self.progress.made_by = Some(message_id.to_owned());
        self
    }

    /// The recovery after somebody cancelled it.
    #[must_use]
    pub fn cancelled(mut self, now: Timestamp) -> Self {
        self.status = Status::Cancelled;
        self.finished_at = Some(now);
        self
    }

    /// The name under which deliveries are reopened in this round.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.id, self.progress.round)
    }

    /// The least and the greatest delivery that can be meant.
    #[must_use]
    pub fn window(&self) -> (DeliveryId, DeliveryId) {
        let (since, until) = (self.wanted.since, self.wanted.until);
        (
            DeliveryId::first_at(since.max(Timestamp::UNIX_EPOCH)),
            DeliveryId::last_at(until.max(Timestamp::UNIX_EPOCH)),
        )
    }

    /// Whether a delivery that failed is meant.
    #[must_use]
    pub fn wants(&self, record: &Delivery) -> bool {
        record.status == delivery::Status::Failed && !record.test && self.wanted.events.include(&record.event)
    }
}

#[cfg(test)]
mod tests;
