//! The consumers of queues and of the endpoints table's stream, one file each, and what they share: passing a message on
//! to another queue.

pub mod announce;
pub mod deliver;
pub mod fan_out;
mod job;
pub mod purge;
pub mod recover;
pub mod retry;

use std::time::Duration;

use shared::backoff::Backoff;
use shared::domain::task::Task;
use shared::queues::Outgoing;

use crate::app::App;
use crate::serve::{Batch, Message};

/// Tries of writes that are throttled, where their messages can be handed back: about three seconds. Whoever insisted
/// longer would keep its place from others, for a key that has no room.
const WRITES: Backoff = Backoff::new(6, Duration::from_millis(140), Duration::from_secs(2));

/// Puts messages on a queue, each in the place of a received one, which is acknowledged once SQS has it.
async fn pass_on(app: &App, batch: &Batch, queue: &str, messages: Vec<(&Message, Outgoing)>) {
    if messages.is_empty() {
        return;
    }
    for (message, result) in app.queues.send_each(queue, messages).await {
        match result {
            Ok(()) => batch.acknowledge(message),
            Err(error) => {
                tracing::warn!(
                    message.id,
                    error = error.chain(),
                    "a message comes back, because it was not passed on"
                );
            }
        }
    }
}

/// Puts a message aside that is not what its queue is for, such as `a purge`, with the reason.
async fn set_aside(app: &App, batch: &Batch, message: &Message, what: &str, reason: &str) {
    let reason = format!("not a {what}: {reason}");
    tracing::error!(
        message.id,
        reason,
        outcome = "set_aside",
        "a message is not what its queue is for and is set aside"
    );
    let unreadable = Outgoing::set_aside(message.body.clone(), &reason);
    let queue = &app.config.queues.unreadable;
    pass_on(app, batch, queue, vec![(message, unreadable)]).await;
}

/// Puts tasks on a queue, each in the place of a received message and after a delay in seconds.
async fn pass_tasks_on<'a>(
    app: &App,
    batch: &Batch,
    queue: &str,
    tasks: impl Iterator<Item = (&'a Message, Task, u16)>,
) {
    let tasks = tasks.filter_map(|(message, task, delay)| match Outgoing::task(&task, delay) {
        Ok(outgoing) => Some((message, outgoing)),
        Err(error) => {
            tracing::error!(error = error.chain(), delivery.id = %task.delivery, "a task can't be written");
            None
        }
    });
    pass_on(app, batch, queue, tasks.collect()).await;
}
