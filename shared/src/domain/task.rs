//! The message on the deliveries, retries and failed-attempts queues: one attempt that is to be made.

use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::event_type::EventName;
use super::id::{DeliveryId, EndpointId, EventId, WorkspaceId};

/// Bodies up to this many bytes travel in the message; larger ones are read from the events table.
/// Ten such messages stay under the 256 KiB that a call of SQS may have.
pub const MAX_INLINE_BODY_BYTES: usize = 24 * 1024;

/// One attempt to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Whom the event belongs to.
    pub workspace: WorkspaceId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The delivery that the attempt is part of.
    pub delivery: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// The event's name.
    pub event: EventName,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// What follows if it fails.
    pub kind: Kind,
    /// Which manual retry it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_retry: Option<String>,
    /// The event's bytes, if they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What an attempt is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The schedule: a failed attempt is followed by the next one.
    Automatic,
    /// A manual retry: one attempt.
    Manual,
    /// A test event: one attempt, on a disabled endpoint as well.
    Test,
}

impl Task {
    /// The attempt that follows those of a record, under the manual retry that the record names; `deliver` reads the event.
    #[must_use]
    pub fn after(record: &Delivery, kind: Kind, workspace: &WorkspaceId) -> Self {
        Self {
            workspace: workspace.clone(),
            endpoint: record.endpoint.clone(),
            delivery: record.id.clone(),
            event_id: record.event_id.clone(),
            event: record.event.clone(),
            attempt: record.attempt_count + 1,
            kind,
            manual_retry: record.manual_retry.clone(),
            body: None,
        }
    }

    /// The next automatic attempt of the same delivery.
    #[must_use]
    pub fn next(mut self) -> Self {
        self.attempt += 1;
        self
    }

    /// Whether it is the attempt with which its delivery begins: there is no record yet.
    #[must_use]
    pub fn begins_its_delivery(&self) -> bool {
        self.attempt == 1 && self.kind == Kind::Automatic && self.manual_retry.is_none()
    }

    /// Whether both are the same attempt.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let attempt = |task: &Self| (task.attempt, task.kind, task.manual_retry.clone());
        self.delivery == other.delivery && attempt(self) == attempt(other)
    }

    /// The same attempt without the event's bytes.
    #[must_use]
    pub fn by_reference(mut self) -> Self {
        self.body = None;
        self
    }
}

/// A body as it travels in a message: `None` if it is too large for that.
#[must_use]
pub fn inline_body(body: &str) -> Option<String> {
    (body.len() <= MAX_INLINE_BODY_BYTES).then(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn a_delivery_begins_with_its_first_automatic_attempt_that_nobody_asked_for() {
        let mut missing = testing::task(1, Kind::Automatic);
        missing.manual_retry = Some("r".to_owned());

        assert!(testing::task(1, Kind::Automatic).begins_its_delivery());
        for other in [
            missing,
            testing::task(2, Kind::Automatic),
            testing::task(1, Kind::Test),
        ] {
            assert!(!other.begins_its_delivery(), "{other:?}");
        }
    }

    #[test]
    fn the_same_attempt_is_of_one_delivery_number_kind_and_manual_retry() {
        let task = testing::task(1, Kind::Automatic);
        let (mut other_delivery, mut retried) = (task.clone(), task.clone());
        other_delivery.delivery = "del_2".parse().unwrap();
        retried.manual_retry = Some("r".to_owned());

        assert!(task.is_same_as(&task.clone().by_reference()));
        for other in [
            other_delivery,
            retried,
            testing::task(2, Kind::Automatic),
            testing::task(1, Kind::Manual),
        ] {
            assert!(!task.is_same_as(&other), "{other:?}");
        }
    }
}
