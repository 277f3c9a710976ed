//! What becomes of each delivery of a page: whether it gets an attempt, and how that ended. The record decides, whoever
//! wrote it last.

use jiff::Timestamp;

use super::{Recovery, Taken};
use crate::domain::delivery::{Attempt, Delivery, Failure, Status};
use crate::domain::id::WorkspaceId;
use crate::domain::task::{Kind, Task};

/// What is to be done about a delivery of a page that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// It has no record: insert this one, then send its task.
    Insert(Delivery),
    /// It has failed: reopen it, as this record, then send its task.
    Reopen(Delivery),
    /// It is reopened already: send its task, maybe again.
    Send(Delivery),
    /// Its attempt is made and recorded.
    Done,
    /// It is not ours: it was delivered meanwhile, or somebody else's attempt is under way, or it is gone.
    Leave,
}

/// How a delivery of a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its attempt is not recorded yet.
    Pending,
    /// It was delivered.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Its attempt failed.
    Failed {
        /// When.
        at: Timestamp,
    },
    /// There was none, because its event or its record has expired. It says nothing about the endpoint.
    Lost,
}

impl Outcome {
    /// When the attempt failed, if it did.
    pub(super) fn failed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Failed { at } => Some(*at),
            _ => None,
        }
    }

    /// When it was delivered, if it was.
    pub(super) fn delivered_at(&self) -> Option<Timestamp> {
        match self {
            Self::Delivered { at } => Some(*at),
            _ => None,
        }
    }
}

impl Recovery {
    /// Decides what is to be done about a delivery, given its record. Nothing more is reopened once the recovery has ended.
    #[must_use]
    pub fn opening(&self, taken: &Taken, record: Option<&Delivery>, workspace: &WorkspaceId) -> Opening {
        let name = self.name();
        let ended = self.status.has_ended();
        let Some(record) = record else {
            return match &taken.missing {
                Some(_) if !ended => self.missing_record(taken, &name, workspace),
                _ => Opening::Leave,
            };
        };
        let is_ours = record.manual_retry.as_deref() == Some(name.as_str());
        match record.status {
            Status::Pending if is_ours => Opening::Send(record.clone()),
            Status::Delivered | Status::Failed if is_ours => Opening::Done,
            Status::Failed if !ended && self.wants(record) => {
                let reopened = record.clone().reopened(&name);
                reopened.map_or(Opening::Leave, Opening::Reopen)
            }
            Status::Pending | Status::Delivered | Status::Failed => Opening::Leave,
        }
    }

    /// How a delivery of the page stands, given its record. A delivery that is pending under another name has had our
    /// attempt, which failed, or somebody else's would not be under way.
    #[must_use]
    pub fn outcome(&self, record: Option<&Delivery>) -> Outcome {
        let Some(record) = record else {
            return Outcome::Lost;
        };
        let is_ours = record.manual_retry.as_deref() == Some(self.name().as_str());
        if record.status == Status::Pending && is_ours {
            return Outcome::Pending;
        }
        let Some(at) = record.attempts.last().map(Attempt::ended_at) else {
            return Outcome::Lost;
        };
        match record.status {
            Status::Delivered => Outcome::Delivered { at },
            _ if record.last_error == Some(Failure::EventExpired) => Outcome::Lost,
            Status::Pending | Status::Failed => Outcome::Failed { at },
        }
    }

    fn missing_record(&self, taken: &Taken, name: &str, workspace: &WorkspaceId) -> Opening {
        let Some((event_id, event)) = taken.missing.clone() else {
            return Opening::Leave;
        };
        let task = Task {
            workspace: workspace.clone(),
            endpoint: self.endpoint.clone(),
            delivery: taken.delivery.clone(),
            event_id,
            event,
            attempt: 1,
            kind: Kind::Manual,
            manual_retry: Some(name.to_owned()),
            body: None,
        };
        Opening::Insert(Delivery {
            manual_retry: Some(name.to_owned()),
            ..Delivery::pending(&task)
        })
    }
}
