//! What can go wrong in the adapters. Callers turn it into an answer or a message that comes back;
//! the text of an AWS error is for the log only.

use std::error::Error as StdError;

/// A failure of an adapter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing in the caller's workspace.
    #[error("not found")]
    NotFound,
    /// The state of the resource does not allow it; the text is for the caller.
    #[error("{0}")]
    Conflict(String),
    /// An AWS call failed, after its retries.
    #[error("{action} failed")]
    Aws {
        /// The call, as AWS names it.
        action: &'static str,
        /// What the SDK says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// AWS took a part of a batch not, after retries; the log says why.
    #[error("{0} was refused")]
    Refused(&'static str),
    /// A stored item can't be read.
    #[error("the table {table} holds an unreadable item")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Turns an SDK's error into ours, remembering the call.
    pub fn aws<E: StdError + Send + Sync + 'static>(action: &'static str) -> impl Fn(E) -> Self {
        move |source| Self::Aws {
            action,
            source: Box::new(source),
        }
    }

    /// Turns a conversion's error into ours, remembering the table.
    pub fn corrupt<E: StdError + Send + Sync + 'static>(table: &'static str) -> impl Fn(E) -> Self {
        move |source| Self::Corrupt {
            table,
            source: Box::new(source),
        }
    }

    /// The error with all its causes, for one log line.
    #[must_use]
    pub fn chain(&self) -> String {
        let causes =
            std::iter::successors(Some(self as &(dyn StdError + 'static)), |cause| (*cause).source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}
