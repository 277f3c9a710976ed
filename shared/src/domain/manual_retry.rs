//! A retry that somebody asks for: one further attempt of a delivery that failed, or the next attempt of one that waits,
//! now. It has a name, which the record and the task hold. Messages that belong to another name, or to none, then do
//! nothing (`plan`): whatever was to make the next attempt later may still come, however often.

use jiff::{SignedDuration, Timestamp};

use super::delivery::{Delivery, Status};
use super::task::Kind;
use super::wait;

/// How long an attempt that was due is taken for one that is under way: as long as its message may be received five times.
/// After that it waits behind many others, or was set aside, and nobody who asks need wait for it.
const UNDER_WAY_FOR: SignedDuration = SignedDuration::from_mins(20);

/// A retry that can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualRetry {
    /// The record while the attempt is under way.
    pub record: Delivery,
    /// What follows if the attempt fails: nothing, or the rest of the schedule.
    pub kind: Kind,
}

/// Why a delivery can't be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRetriable {
    /// It was delivered.
    Delivered,
    /// An attempt is under way or due, or one has just failed and what follows is not decided yet.
    UnderWay,
    /// It has gone on since it was read.
    Changed,
}

impl ManualRetry {
    /// The retry of a delivery under a name. A delivery that failed gets one attempt outside the schedule. Of one that
    /// waits, the attempt that is planned is made now, and the schedule goes on from it.
    ///
    /// # Errors
    /// The delivery can't be retried now.
    pub fn of(read: &Delivery, name: &str, now: Timestamp) -> Result<Self, NotRetriable> {
        let kind = match (read.status, read.next_attempt_at) {
            (Status::Delivered, _) => return Err(NotRetriable::Delivered),
            (Status::Failed, _) => Kind::Manual,
            (Status::Pending, Some(due)) if waits(due, now) => Kind::Automatic,
            (Status::Pending, _) => return Err(NotRetriable::UnderWay),
        };
        let record = read.clone().retried_under(name);
        Ok(Self { record, kind })
    }
}

impl NotRetriable {
    /// Why a retry was not begun, given the record that another write has made of the one that was read.
    #[must_use]
    pub fn after_another_write(current: &Delivery) -> Self {
        match (current.status, current.next_attempt_at) {
            (Status::Delivered, _) => Self::Delivered,
            (Status::Pending, None) => Self::UnderWay,
            (Status::Pending, Some(_)) | (Status::Failed, _) => Self::Changed,
        }
    }
}

/// Whether an attempt that is planned for a time is not under way.
fn waits(due: Timestamp, now: Timestamp) -> bool {
    wait::is_early(due, now) || now.duration_since(due) > UNDER_WAY_FOR
}

#[cfg(test)]
mod tests;
