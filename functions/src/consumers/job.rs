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
    add: impl Fn(&mut RowKeys, &Job<'_>),
) -> Option<Rows> {
    let keys = |jobs: &[Job<'_>]| {
        let mut keys = RowKeys::default();
        for job in jobs {
            add(&mut keys, job);
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

#[cfg(test)]
mod tests {
    use shared::domain::task::Kind;

    use super::*;
    use crate::serve::Attributes;

    fn message(id: &str) -> Message {
        Message {
            id: id.to_owned(),
            receipt_handle: String::new(),
            body: String::new(),
            queue_arn: String::new(),
            attributes: Attributes {
                approximate_receive_count: "1".to_owned(),
            },
        }
    }

    fn task(delivery: &str, attempt: u32) -> Task {
        Task {
            workspace: "ws_1".parse().unwrap(),
            endpoint: "whe_1".parse().unwrap(),
            delivery: delivery.parse().unwrap(),
            event_id: "evt_1".parse().unwrap(),
            event: "a.b".to_owned().try_into().unwrap(),
            attempt,
            kind: Kind::Automatic,
            manual_retry: None,
            body: None,
        }
    }

    #[test]
    fn of_each_delivery_the_first_job_is_done_and_the_others_wait() {
        let messages: Vec<_> = ["a", "b", "c", "d"].map(message).into();
        let tasks = [
            task("del_1", 1),
            task("del_2", 1),
            task("del_1", 1),
            task("del_1", 2),
        ];
        let jobs = messages.iter().zip(tasks);
        let jobs = jobs.map(|(message, task)| Job { message, task }).collect();

        let (first, others) = one_per_delivery(jobs);

        let ids = |jobs: Vec<Job<'_>>| jobs.iter().map(|job| job.message.id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (ids(first), ids(others)),
            (
                vec!["a".to_owned(), "b".to_owned()],
                vec!["c".to_owned(), "d".to_owned()]
            )
        );
    }
}
