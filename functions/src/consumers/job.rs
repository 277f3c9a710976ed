//! A task and the message that brought it.

use std::collections::HashSet;
use std::slice;

use futures::future::join_all;
use shared::Error;
use shared::domain::task::Task;
use shared::store::{RowKeys, Rows, Store};

use crate::serve::Message;

/// One attempt of a delivery, to be made or to be followed up.
pub(super) struct Job<'a> {
    /// The message that brought it.
    pub(super) message: &'a Message,
    /// The attempt.
    pub(super) task: Task,
}

/// The first job of each delivery, and those with another attempt of the same delivery. The same attempt twice is one.
pub(super) fn one_per_delivery(jobs: Vec<Job<'_>>) -> (Vec<Job<'_>>, Vec<Job<'_>>) {
    let mut attempts = HashSet::new();
    let mut deliveries = HashSet::new();
    let distinct = jobs.into_iter().filter(|Job { task, .. }| {
        attempts.insert((task.delivery.clone(), task.attempt, task.manual_retry.clone()))
    });
    distinct.partition(|job| deliveries.insert(job.task.delivery.clone()))
}

/// Reads what the jobs need, all at once. A job that needs an unreadable item is taken out and returned, so that it holds
/// up no other.
///
/// # Errors
/// A call failed.
pub(super) async fn read<'a>(
    store: &Store,
    jobs: &mut Vec<Job<'a>>,
    add: impl Fn(&mut RowKeys, &Task),
) -> Result<(Rows, Vec<Job<'a>>), Error> {
    let keys = |jobs: &[Job<'_>]| {
        let mut keys = RowKeys::default();
        for job in jobs {
            add(&mut keys, &job.task);
        }
        keys
    };
    match store.read(keys(jobs)).await {
        Err(Error::Corrupt { .. }) => {}
        other => return other.map(|rows| (rows, Vec::new())),
    }
    let each = jobs.iter().map(|job| store.read(keys(slice::from_ref(job))));
    let each = join_all(each).await;
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for (job, read) in std::mem::take(jobs).into_iter().zip(each) {
        if let Err(error @ Error::Corrupt { .. }) = read {
            tracing::error!(error = error.chain(), delivery.id = %job.task.delivery, "a message needs an unreadable item");
            unreadable.push(job);
        } else {
            readable.push(job);
        }
    }
    *jobs = readable;
    let rows = store.read(keys(jobs)).await;
    match rows {
        Ok(rows) => Ok((rows, unreadable)),
        Err(error) => {
            jobs.extend(unreadable);
            Err(error)
        }
    }
}
