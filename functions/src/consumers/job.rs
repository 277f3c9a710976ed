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

/// The first job of each delivery, and the others of the same deliveries.
pub(super) fn one_per_delivery(jobs: Vec<Job<'_>>) -> (Vec<Job<'_>>, Vec<Job<'_>>) {
    let mut deliveries = HashSet::new();
    jobs.into_iter()
        .partition(|job| deliveries.insert(job.task.delivery.clone()))
}

/// Reads what the jobs need, all at once. A job that needs an unreadable item, or one whose partition is throttled, is
/// taken out, so that it holds up no other. `None` if the reading fails. Whatever is not read comes back.
pub(super) async fn read(
    store: &Store,
    jobs: &mut Vec<Job<'_>>,
    add: impl Fn(&mut RowKeys, &Task),
) -> Option<Rows> {
    let keys = |jobs: &[Job<'_>]| {
        let mut keys = RowKeys::default();
        for job in jobs {
            add(&mut keys, &job.task);
        }
        keys
    };
    let mut rows = store.read(keys(jobs)).await;
    if let Err(Error::Corrupt { .. } | Error::LeftUndone(_)) = rows {
        let each = jobs.iter().map(|job| store.read(keys(slice::from_ref(job))));
        let mut each = join_all(each).await.into_iter();
        jobs.retain(|job| match each.next() {
            Some(Err(error @ Error::Corrupt { .. })) => {
                tracing::error!(error = error.chain(), delivery.id = %job.task.delivery, "a message needs an unreadable item");
                false
            }
            Some(Err(error @ Error::LeftUndone(_))) => {
                tracing::warn!(error = error.chain(), delivery.id = %job.task.delivery, "a message needs an item that is throttled");
                false
            }
            _ => true,
        });
        rows = store.read(keys(jobs)).await;
    }
    if let Err(error) = &rows {
        tracing::warn!(error = error.chain(), "a batch could not be read");
    }
    rows.ok()
}
