//! `retry`: reads the failed-attempts queue and decides what follows each failed attempt. It is the one place that
//! knows the retry schedule.
//!
//! Invariants: the record decides, not the message; an attempt without a recorded outcome was cut off and is recorded
//! as interrupted. A message is acknowledged only when what follows is recorded and on its way. What can't be read is
//! set aside.

use futures::future::{join, join_all, join3};
use jiff::Timestamp;
use shared::Error;
use shared::domain::delivery::{Delivery, Failure};
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::failure_record::Observation;
use shared::domain::lane::Lane;
use shared::domain::plan::{self, Failed, FollowUp};
use shared::domain::task::Task;
use shared::domain::wait::{self, Wait};
use shared::queues::Outgoing;
use shared::schedules;
use shared::store::{DeliveryWrite, Expected, Rows, Written};

use super::job::{self, Job, one_per_delivery};
use super::{WRITES, pass_on, pass_tasks_on};
use crate::app::App;
use crate::serve::{Batch, ComeBack, Consumer, Message};

/// The consumer of the failed-attempts queue.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_TABLE",
        "DISABLE_AFTER_SECONDS",
        "ENDPOINTS_TABLE",
        "FAILED_ATTEMPTS_QUEUE_ARN",
        "FAILED_ATTEMPTS_QUEUE_URL",
        "OPERATOR_WORKSPACE",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_ARN",
        "RETRIES_QUEUE_URL",
        "RETRY_SCHEDULE",
        "SCHEDULE_GROUP",
        "SCHEDULER_ROLE_ARN",
        "SCHEDULER_THRESHOLD_SECONDS",
        "UNREADABLE_QUEUE_URL",
    ],
    on_messages: |app, batch| Box::pin(retry(app, batch)),
    come_back: ComeBack::AfterBackoff,
    on_records: None,
};

/// What follows a failed attempt, and what its record may replace.
struct Decision<'a> {
    job: Job<'a>,
    failed: Failed<'a>,
    expected: Expected,
}

/// A task that is to be made when it is due, in the place of the message.
struct Waiting<'a> {
    message: &'a Message,
    task: Task,
    due: Timestamp,
}

/// Decides what follows a batch of failed attempts.
async fn retry(app: &App, batch: &Batch) {
    let (mut jobs, unreadable) = parse(batch);
    let following_up = async {
        // Two messages of one delivery are decided one after the other.
        while !jobs.is_empty() {
            let round;
            (round, jobs) = one_per_delivery(jobs);
            follow_up(app, batch, round).await;
        }
    };
    let queue = &app.config.queues.unreadable;
    join(pass_on(app, batch, queue, unreadable), following_up).await;
}

/// Decides what follows failed attempts of different deliveries, and does it.
async fn follow_up(app: &App, batch: &Batch, mut jobs: Vec<Job<'_>>) {
    let rows = job::read(&app.store, &mut jobs, |keys, Job { task, .. }| {
        keys.add_endpoint(&task.workspace, &task.endpoint);
        keys.add_delivery(&task.endpoint, &task.delivery);
    });
    let Some(rows) = rows.await else {
        return;
    };
    let decided = decide(app, batch, jobs, &rows);
    let recording = async {
        let decisions = keep_failure_records(app, decided.decisions).await;
        record(app, batch, decisions).await;
    };
    join3(
        put_on_their_way(app, batch, decided.waiting),
        delay(app, batch, decided.early),
        recording,
    )
    .await;
}

/// The tasks of a batch, and the messages that are none, to be set aside.
fn parse(batch: &Batch) -> (Vec<Job<'_>>, Vec<(&Message, Outgoing)>) {
    let (mut jobs, mut unreadable) = (Vec::with_capacity(batch.messages.len()), Vec::new());
    for message in &batch.messages {
        let task = serde_json::from_str(&message.body);
        match task.or_else(|error| schedules::undelivered(&message.body).ok_or(error)) {
            Ok(task) => jobs.push(Job { message, task }),
            Err(error) => {
                let reason = format!("not a delivery: {error}");
                tracing::error!(
                    message.id,
                    reason,
                    outcome = "set_aside",
                    "a message is not a delivery and is set aside"
                );
                unreadable.push((message, Outgoing::set_aside(message.body.clone(), &reason)));
            }
        }
    }
    (jobs, unreadable)
}

/// What is to be done with the messages of a batch.
struct Decided<'a> {
    /// To be recorded.
    decisions: Vec<Decision<'a>>,
    /// Planned already, and only to be put on its way.
    waiting: Vec<Waiting<'a>>,
    /// Before its time, with the seconds that it waits on its queue. Without the scheduler: if that failed until the task is
    /// due, an attempt would count that was never made.
    early: Vec<(Waiting<'a>, u16)>,
}

fn decide<'a>(app: &App, batch: &Batch, jobs: Vec<Job<'a>>, rows: &'a Rows) -> Decided<'a> {
    let now = app.clock.now();
    let (mut decisions, mut waiting, mut early) = (Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        let endpoint = rows.endpoint(&job.task.endpoint);
        let record = rows.delivery(&job.task.endpoint, &job.task.delivery);
        match plan::follow_up(
            &job.task,
            &job.message.id,
            endpoint,
            record,
            &app.config.schedule,
            now,
        ) {
            FollowUp::Nothing => batch.acknowledge(job.message),
            FollowUp::NotDue { due } => {
                let seconds = wait::delay_seconds(due, now);
                early.push((Waiting::new(job.message, job.task, due), seconds));
            }
            FollowUp::SendNext { due } => waiting.push(Waiting::new(job.message, job.task.next(), due)),
            FollowUp::Failed(failed) => decisions.push(Decision {
                job,
                failed,
                expected: Expected::of(record),
            }),
        }
    }
    Decided {
        decisions,
        waiting,
        early,
    }
}

impl<'a> Waiting<'a> {
    fn new(message: &'a Message, task: Task, due: Timestamp) -> Self {
        Self { message, task, due }
    }
}

/// Keeps the endpoints' failure records, before the deliveries' own: a delivery that has ended is not looked at again.
/// Returns the decisions that may be recorded.
async fn keep_failure_records<'a>(app: &App, decisions: Vec<Decision<'a>>) -> Vec<Decision<'a>> {
    let kept = join_all(
        decisions
            .iter()
            .map(|decision| keep_failure_record(app, decision)),
    )
    .await;
    let mut recordable = Vec::with_capacity(decisions.len());
    for (decision, kept) in decisions.into_iter().zip(kept) {
        match kept {
            Ok(()) => recordable.push(decision),
            Err(error) => {
                let endpoint = decision.failed.endpoint;
                tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "a failure record was not kept");
            }
        }
    }
    recordable
}

async fn keep_failure_record(app: &App, decision: &Decision<'_>) -> Result<(), Error> {
    let now = app.clock.now();
    let read: &Endpoint = decision.failed.endpoint;
    let record = &decision.failed.record;
    let mut endpoint = Some(read.clone());
    if decision.failed.is_first_interruption() {
        endpoint = app.store.observe(read, Observation::Failure, now).await?;
    }
    if decision.failed.is_exhausted {
        endpoint = app.store.note_exhaustion(read, record, now).await?;
    }
    let Some(endpoint) = endpoint else {
        return Ok(());
    };
    if app.config.operator_workspace.is_some() && decision.failed.shows_a_failing_endpoint(&endpoint, now) {
        app.store.note_failing(&endpoint, record, now).await?;
    }
    if !endpoint.is_to_be_disabled(*app.config.disable_after, now) {
        return Ok(());
    }
    let reason = DisabledReason::Failing;
    if app.store.disable_endpoint(&endpoint, reason, now).await? {
        tracing::warn!(endpoint.id = %endpoint.id, "an endpoint was disabled, because it keeps failing");
    }
    Ok(())
}

/// Records what follows, several times if that is throttled, and puts the next attempts on their way.
async fn record(app: &App, batch: &Batch, mut open: Vec<Decision<'_>>) {
    let mut waits = WRITES;
    while !open.is_empty() {
        let (recorded, left) = record_once(app, batch, open).await;
        open = left;
        put_on_their_way(app, batch, recorded).await;
        if !open.is_empty() && !waits.wait().await {
            for decision in &open {
                log_return(decision.job.message, &Error::LeftUndone("BatchExecuteStatement"));
            }
            return;
        }
    }
}

/// Tries to record what follows. Returns the attempts that do, and what is still open.
async fn record_once<'a>(
    app: &App,
    batch: &Batch,
    decisions: Vec<Decision<'a>>,
) -> (Vec<Waiting<'a>>, Vec<Decision<'a>>) {
    let writes = decisions.iter().map(|decision| DeliveryWrite {
        record: decision.failed.record.clone(),
        expected: decision.expected.clone(),
    });
    let writes: Vec<_> = writes.collect();
    let writes: Vec<_> = writes.iter().collect();
    let (mut recorded, mut open) = (Vec::new(), Vec::new());
    let written = app.store.record_deliveries(&writes, app.clock.now()).await;
    for (decision, written) in decisions.into_iter().zip(written) {
        let message = decision.job.message;
        match (written, decision.failed.record.next_attempt_at) {
            (Written::Yes, Some(due)) => {
                recorded.push(Waiting::new(message, decision.job.task.next(), due));
            }
            (Written::Yes, None) => {
                log_end(&decision.failed.record);
                batch.acknowledge(message);
            }
            (Written::Open(error), _) => {
                tracing::warn!(
                    error = error.chain(),
                    message.id,
                    "a failed attempt is not recorded yet"
                );
                open.push(decision);
            }
            // What follows from the other write is decided when the message comes back.
            (Written::Overtaken, _) => log_return(message, &Error::Overtaken),
            (Written::Failed(error), _) => log_return(message, &error),
        }
    }
    (recorded, open)
}

/// Puts tasks on the retries queue when they are due: by the queue's delay, many in one call, or by a schedule if the wait
/// is longer than the queue offers.
async fn put_on_their_way(app: &App, batch: &Batch, tasks: Vec<Waiting<'_>>) {
    let now = app.clock.now();
    let (mut delayed, mut scheduled) = (Vec::new(), Vec::new());
    for task in tasks {
        match Wait::until(task.due, now, *app.config.scheduler_threshold) {
            Wait::Delay(seconds) => delayed.push((task, seconds)),
            Wait::Schedule => scheduled.push(schedule(app, batch, task)),
        }
    }
    let (refused, ()) = join(join_all(scheduled), delay(app, batch, delayed)).await;
    let hops = refused.into_iter().flatten();
    let hops = hops.map(|task| {
        let seconds = wait::delay_seconds(task.due, now);
        (task, seconds)
    });
    delay(app, batch, hops.collect()).await;
}

async fn delay(app: &App, batch: &Batch, tasks: Vec<(Waiting<'_>, u16)>) {
    let tasks = tasks
        .into_iter()
        .map(|(Waiting { message, task, .. }, seconds)| (message, task, seconds));
    pass_tasks_on(app, batch, app.config.queues.of_lane(Lane::Retries), tasks).await;
}

/// Schedules a task. If the scheduler refuses it, returns it: it then waits on the queue, hop by hop.
async fn schedule<'a>(app: &App, batch: &Batch, task: Waiting<'a>) -> Option<Waiting<'a>> {
    match app.schedules.send_at(task.task.clone(), task.due).await {
        Ok(()) => batch.acknowledge(task.message),
        Err(error @ Error::ScheduleRefused(_)) => {
            tracing::warn!(
                error = error.chain(),
                outcome = "schedule_refused",
                delivery.id = %task.task.delivery,
                "a wait goes in hops, because the scheduler refused its schedule"
            );
            return Some(task);
        }
        Err(error) => log_return(task.message, &error),
    }
    None
}

/// Says that a message is handled again, since it is not certain what follows.
fn log_return(message: &Message, error: &Error) {
    tracing::warn!(error = error.chain(), message.id, "a failed attempt comes back");
}

fn log_end(record: &Delivery) {
    tracing::info!(
        delivery.id = %record.id,
        endpoint.id = %record.endpoint,
        event.id = %record.event_id,
        attempt.number = record.attempt_count,
        outcome = "given_up",
        error = record.last_error.map(Failure::as_str),
        "delivery failed"
    );
}
