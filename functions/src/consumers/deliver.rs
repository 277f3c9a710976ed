//! `deliver`: makes the attempts of a batch, all at once, and records what came of each.
//!
//! Invariants: nothing is acknowledged before it is recorded or on another queue. A failed attempt that is to be followed
//! by another is recorded, put on the failed-attempts queue, which `retry` reads, and then acknowledged. Whatever is not
//! recorded (not begun, cut off, or made and not recorded) comes back after the visibility time-out as the same attempt;
//! after five receives SQS moves it to the failed-attempts queue itself. An attempt begins only while what was read of
//! its endpoint is fresh (`shared::domain::freshness`), and only if time is left to record it.

mod fresh;
mod posting;
mod record;
mod time;

use std::time::Duration;

use futures::StreamExt;
use futures::future::{LocalBoxFuture, join};
use futures::stream::FuturesUnordered;
use shared::domain::delivery::{Failure, Outcome};
use shared::domain::lane::Lane;
use shared::domain::plan::{self, Step};
use shared::domain::task::Task;
use shared::domain::wait;
use shared::queues::Outgoing;
use shared::store::{Expected, Rows};

use self::posting::{Posted, Posting};
use self::record::Finished;
use super::job::{self, Job, one_per_delivery};
use super::{pass_on, pass_tasks_on};
use crate::app::App;
use crate::serve::{Batch, ComeBack, Consumer, Message};

/// How long finished attempts wait for others before they are recorded: full batches cost less, but an endpoint that
/// hangs must not hold back the records of the others.
const RECORD_WITHIN: Duration = Duration::from_millis(500);

/// The consumer of the deliveries and the retries queue.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "ALLOW_INSECURE_TARGETS",
        "DELIVERIES_QUEUE_URL",
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "EVENTS_TABLE",
        "FAILED_ATTEMPTS_QUEUE_URL",
        "POST_DEADLINE_SECONDS",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_URL",
        "SECRET_PREFIX",
    ],
    on_messages: |app, batch| Box::pin(deliver(app, batch)),
    come_back: ComeBack::AfterVisibilityTimeout,
    on_records: None,
};

/// What is done with the jobs of a batch once they need no attempt any more.
#[derive(Default)]
struct Settling<'a> {
    /// To be recorded.
    finished: Vec<Finished<'a>>,
    /// The same attempt is to be made later, with the retries: after so many seconds.
    later: Vec<(Job<'a>, u16)>,
    /// The attempt failed and is recorded.
    failed: Vec<Job<'a>>,
}

/// Delivers a batch.
async fn deliver(app: &App, batch: &Batch) {
    let (jobs, unreadable) = parse(batch);
    let (mut jobs, others) = one_per_delivery(jobs);
    let mut settling = Settling::default();
    for other in others {
        let first = jobs.iter().find(|job| job.task.is_same_as(&other.task));
        match first {
            // The first message answers for the attempt. SQS may also bring one message twice, as one.
            Some(first) if first.message.id != other.message.id => batch.acknowledge(other.message),
            Some(_) => {}
            None => settling.later.push((other, 0)),
        }
    }
    let work = async {
        let Some((rows, posting)) = read(app, batch, &mut jobs).await else {
            return;
        };
        // Each on the heap from the start: they are moved twice, and are large.
        let mut attempts: Vec<LocalBoxFuture<'_, Posted<'_>>> = Vec::new();
        let now = app.clock.now();
        for job in jobs {
            let record = rows.delivery(&job.task.endpoint, &job.task.delivery);
            let expected = Expected::of(record);
            match plan::step(&job.task, rows.endpoint(&job.task.endpoint), record, now) {
                Step::Skip => batch.acknowledge(job.message),
                Step::HandOver => settling.failed.push(job),
                Step::NotDue { due } => settling.later.push((job, wait::delay_seconds(due, now))),
                Step::EndDisabled { endpoint, record } => {
                    let outcome = Outcome::Ended(Failure::EndpointDisabled);
                    let finished = Finished::new(job, endpoint.clone(), record, expected, outcome);
                    settling.finished.push(finished);
                }
                Step::Attempt { endpoint, .. } if posting.lane(&job).is_left_by(&job.task, endpoint) => {
                    settling.later.push((job, 0));
                }
                Step::Attempt { endpoint, record } => {
                    let attempt = posting.attempt(job, endpoint.clone(), record, expected, &rows);
                    attempts.push(Box::pin(attempt));
                }
            }
        }
        post_and_settle(app, batch, attempts, settling).await;
    };
    // `retry` sets aside what can't be read.
    let queue = &app.config.queues.failed_attempts;
    join(pass_on(app, batch, queue, unreadable), work).await;
}

/// Makes the attempts, and settles the finished ones while others are still running.
async fn post_and_settle<'a>(
    app: &App,
    batch: &Batch,
    attempts: Vec<LocalBoxFuture<'_, Posted<'a>>>,
    mut settling: Settling<'a>,
) {
    let mut running: FuturesUnordered<_> = attempts.into_iter().collect();
    let mut settled = FuturesUnordered::new();
    loop {
        if running.is_empty() && !settling.is_empty() {
            settled.push(std::mem::take(&mut settling).settle(app, batch));
        }
        tokio::select! {
            Some(posted) = running.next() => settling.add(posted, batch),
            Some(()) = settled.next() => {}
            () = tokio::time::sleep(RECORD_WITHIN), if !settling.is_empty() => {
                settled.push(std::mem::take(&mut settling).settle(app, batch));
            }
            else => return,
        }
    }
}

impl<'a> Settling<'a> {
    fn is_empty(&self) -> bool {
        self.finished.is_empty() && self.later.is_empty() && self.failed.is_empty()
    }

    fn add(&mut self, posted: Posted<'a>, batch: &Batch) {
        match posted {
            Posted::Finished(one) => self.finished.push(*one),
            Posted::Nothing(message) => batch.acknowledge(message),
            Posted::Deferred(job) => self.later.push((job, 0)),
            Posted::NotBegun => {}
        }
    }

    async fn settle(self, app: &App, batch: &Batch) {
        join(
            record::record(app, batch, self.finished),
            join(
                send_later(app, batch, self.later),
                hand_over(app, batch, self.failed),
            ),
        )
        .await;
    }
}

/// Puts tasks on the retries queue, to be made after a time.
async fn send_later(app: &App, batch: &Batch, jobs: Vec<(Job<'_>, u16)>) {
    let jobs = jobs
        .into_iter()
        .map(|(Job { message, task }, delay)| (message, task, delay));
    let queue = app.config.queues.of_lane(Lane::Retries);
    pass_tasks_on(app, batch, queue, jobs).await;
}

/// Hands failed attempts over to `retry`.
async fn hand_over(app: &App, batch: &Batch, jobs: Vec<Job<'_>>) {
    let jobs = jobs.into_iter().map(|Job { message, task }| (message, task, 0));
    let queue = &app.config.queues.failed_attempts;
    pass_tasks_on(app, batch, queue, jobs).await;
}

/// The tasks of a batch, and the messages that are none.
fn parse(batch: &Batch) -> (Vec<Job<'_>>, Vec<(&Message, Outgoing)>) {
    let (mut jobs, mut unreadable) = (Vec::new(), Vec::new());
    for message in &batch.messages {
        match serde_json::from_str::<Task>(&message.body) {
            Ok(task) => jobs.push(Job { message, task }),
            Err(error) => {
                tracing::warn!(
                    message.id,
                    error = error.to_string(),
                    "a message is not a delivery"
                );
                unreadable.push((message, Outgoing::plain(message.body.clone(), 0)));
            }
        }
    }
    (jobs, unreadable)
}

/// Reads everything the batch needs, in one call; `None` if that fails.
async fn read<'app>(app: &'app App, batch: &Batch, jobs: &mut Vec<Job<'_>>) -> Option<(Rows, Posting<'app>)> {
    let posting = match Posting::new(app, batch) {
        Ok(posting) => posting,
        Err(error) => {
            tracing::error!(error = error.to_string(), "nothing can be sent");
            return None;
        }
    };
    let rows = job::read(&app.store, jobs, |keys, Job { message, task }| {
        keys.add_endpoint(&task.workspace, &task.endpoint);
        if task.begins_its_delivery() && message.receive_count() == 1 {
            keys.add_new_delivery(&task.endpoint, &task.delivery);
        } else {
            keys.add_delivery(&task.endpoint, &task.delivery);
        }
        if task.body.is_none() {
            keys.add_event(&task.workspace, &task.event_id);
        }
    });
    Some((rows.await?, posting))
}
