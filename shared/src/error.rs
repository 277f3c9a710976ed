//! What can go wrong in the adapters. The texts are for the log; what a caller of the API is told is written where the
//! answer is made.

use std::error::Error as StdError;

use crate::domain::id::RecoveryId;
use crate::domain::manual_retry::NotRetriable;
use crate::domain::recovery;

/// What an error of another library is kept as.
pub type Source = Box<dyn StdError + Send + Sync>;

/// A failure of an adapter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing in the caller's workspace.
    #[error("not found")]
    NotFound,
    /// The state of the resource does not allow it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// An endpoint's secret was rotated so often within a day that Secrets Manager keeps no further version of it.
    #[error("Secrets Manager keeps no further version of the secret")]
    TooManyRotations,
    /// Another write came first, so that what was decided may no longer be right.
    #[error("another write came first")]
    Overtaken,
    /// An AWS call failed, after its retries.
    #[error("{action} failed")]
    Aws {
        /// The call, as AWS names it.
        action: &'static str,
        /// What the SDK says.
        source: Source,
    },
    /// The scheduler takes no further schedule now: the account has as many as it may have, or makes them too fast.
    #[error("the scheduler refused a schedule")]
    ScheduleRefused(#[source] Source),
    /// The time of the invocation was used up.
    #[error("the time of the invocation was used up")]
    OutOfTime,
    /// AWS did a part of what a call asked for, and left the rest after several tries, as it does when it throttles.
    #[error("{0} did not complete for every entry")]
    LeftUndone(&'static str),
    /// A call was never made, because what it was to send can't be written.
    #[error("a {action} request could not be built")]
    Unsendable {
        /// The call, as AWS names it.
        action: &'static str,
        /// What is wrong with it.
        source: Source,
    },
    /// What is stored can't be read.
    #[error("{place} holds something unreadable")]
    Corrupt {
        /// The table, or Secrets Manager.
        place: &'static str,
        /// What is wrong with it.
        source: Source,
    },
    /// The sample of an event type is malformed.
    #[error("the sample of {event_type} is malformed")]
    Sample {
        /// The event type's name.
        event_type: &'static str,
        /// What is wrong with it.
        source: Source,
    },
}

/// Why the state of a resource does not allow what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The workspace has as many endpoints as it may have.
    #[error("the limit of {0} endpoints is reached")]
    EndpointLimit(u32),
    /// Another request is rotating the endpoint's secret.
    #[error("another rotation is under way")]
    RotationUnderWay,
    /// The delivery can't be retried now.
    #[error("the delivery can't be retried: {0:?}")]
    NotRetriable(NotRetriable),
    /// The endpoint is disabled.
    #[error("the endpoint is disabled")]
    EndpointDisabled,
    /// Another recovery runs or is paused at the endpoint.
    #[error("the recovery {0} has not ended")]
    RecoveryUnderWay(RecoveryId),
    /// The recovery has ended, so it can't be cancelled.
    #[error("the recovery is {0:?}")]
    RecoveryEnded(recovery::Status),
}

impl From<NotRetriable> for Conflict {
    fn from(reason: NotRetriable) -> Self {
        Self::NotRetriable(reason)
    }
}

impl Error {
    /// Turns an SDK's error into ours, remembering the call.
    pub fn aws<E: Into<Source>>(action: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Aws {
            action,
            source: error.into(),
        }
    }

    /// Turns the error of a builder or a serializer into ours, remembering the call that it was for.
    pub fn unsendable<E: Into<Source>>(action: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Unsendable {
            action,
            source: error.into(),
        }
    }

    /// Turns the error of reading something stored into ours, remembering where it is stored.
    pub fn corrupt<E: Into<Source>>(place: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Corrupt {
            place,
            source: error.into(),
        }
    }

    /// Turns the error of making a sample into ours, remembering the event type.
    pub fn sample<E: Into<Source>>(event_type: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Sample {
            event_type,
            source: error.into(),
        }
    }

    /// The same error for another entry of the call that failed.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Unsendable { action, source } => Self::unsendable(action)(chain(source.as_ref())),
            Self::Aws { action, source } => Self::aws(action)(chain(source.as_ref())),
            Self::LeftUndone(action) => Self::LeftUndone(action),
            other => Self::aws("the call")(other.chain()),
        }
    }

    /// The error with all its causes, for one log line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
