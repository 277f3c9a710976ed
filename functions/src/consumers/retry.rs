//! `retry`: reads the failed-attempts queue and decides what follows each failed attempt. It is the one place that
//! knows the retry schedule.
//!
//! Invariants: the record decides, not the message; an attempt without a recorded outcome was cut off and is recorded
//! as interrupted. A message is deleted only when what follows is recorded and on its way. What can't be read is
//! parked.

use futures::future::{join, join_all};
use jiff::SignedDuration;
use shared::Error;
use shared::domain::delivery::{Delivery, Failure};
use shared::domain::endpoint::DisabledReason;
use shared::domain::failure_record::Observation;
use shared::domain::lane::Lane;
use shared::domain::plan::{self, FollowUp};
use shared::queues::{MAX_DELAY_SECONDS, Outgoing};
use shared::schedules;
use shared::store::{DeliveryWrite, Expected, Rows, Written};

use super::hand_back;
use super::job::{self, Job, one_per_delivery};
use crate::app::App;
use crate::serve::{Consumer, Invocation, Message};

/// The consumer of the failed-attempts queue.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_TABLE",
        "DISABLE_AFTER_SECONDS",
        "ENDPOINTS_TABLE",
        "FAILED_ATTEMPTS_QUEUE_ARN",
        "FAILED_ATTEMPTS_QUEUE_URL",
        "PARKED_QUEUE_URL",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_ARN",
        "RETRIES_QUEUE_URL",
        "RETRY_SCHEDULE",
        "SCHEDULE_GROUP",
        "SCHEDULER_ROLE_ARN",
        "SCHEDULER_THRESHOLD_SECONDS",
    ],
    on_messages: |app, invocation| Box::pin(retry(app, invocation)),
    on_records: None,
};

/// What follows a failed attempt, and what its record may replace.
struct Decision<'a> {
    job: Job<'a>,
    follow_up: FollowUp<'a>,
    expected: Expected,
}

/// Decides what follows a batch of failed attempts.
async fn retry(app: &App, Invocation { messages, .. }: Invocation) -> Vec<String> {
    let mut unhandled = Vec::new();
    let (mut jobs, others) = one_per_delivery(parse(app, &messages, &mut unhandled).await);
    unhandled.extend(others.iter().map(|job| job.message));
    let read = job::read(&app.store, &mut jobs, |keys, task| {
        keys.add_endpoint(&task.workspace, &task.endpoint);
        keys.add_delivery(&task.endpoint, &task.delivery);
    });
    let rows = match read.await {
        Ok((rows, unreadable)) => {
            unhandled.extend(unreadable.iter().map(|job| job.message));
            rows
        }
        Err(error) => {
            tracing::warn!(
                error = error.chain(),
                "a batch of failed attempts could not be read"
            );
            unhandled.extend(jobs.iter().map(|job| job.message));
            return hand_back(app, unhandled).await;
        }
    };
    let decisions = note_exhaustions(app, decide(app, jobs, &rows), &mut unhandled).await;
    let recorded = record(app, decisions, &mut unhandled).await;
    unhandled.extend(put_on_their_way(app, recorded).await);
    hand_back(app, unhandled).await
}

/// Reads the tasks; what is not a task is parked.
async fn parse<'a>(app: &App, messages: &'a [Message], unhandled: &mut Vec<&'a Message>) -> Vec<Job<'a>> {
    let mut jobs = Vec::with_capacity(messages.len());
    let mut strange = Vec::new();
    for message in messages {
        let task = serde_json::from_str(&message.body);
        match task.or_else(|error| schedules::undelivered(&message.body).ok_or(error)) {
            Ok(task) => jobs.push(Job { message, task }),
            Err(error) => {
                let reason = format!("not a delivery: {error}");
                tracing::error!(
                    message.id,
                    reason,
                    outcome = "parked",
                    "a message is not a delivery and is parked"
                );
                strange.push((message, Outgoing::set_aside(message.body.clone(), &reason)));
            }
        }
    }
    let results = app.queues.send_each(&app.config.queues.parked, strange).await;
    let unsent = results.into_iter().filter(|(_, result)| result.is_err());
    unhandled.extend(unsent.map(|(message, _)| message));
    jobs
}

fn decide<'a>(app: &App, jobs: Vec<Job<'a>>, rows: &'a Rows) -> Vec<Decision<'a>> {
    let now = app.clock.now();
    let decisions = jobs.into_iter().filter_map(|job| {
        let endpoint = rows.endpoint(&job.task.endpoint);
        let record = rows.delivery(&job.task.endpoint, &job.task.delivery);
        Some(Decision {
            follow_up: plan::follow_up(&job.task, endpoint, record, &app.config.schedule, now)?,
            expected: Expected::of(record),
            job,
        })
    });
    decisions.collect()
}

/// Keeps the endpoints' failure records, before the deliveries' own: a delivery that has ended is not looked at again.
/// Returns the decisions that may be recorded.
async fn note_exhaustions<'a>(
    app: &App,
    decisions: Vec<Decision<'a>>,
    unhandled: &mut Vec<&'a Message>,
) -> Vec<Decision<'a>> {
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
                let endpoint = decision.follow_up.endpoint;
                tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "a failure record was not kept");
                unhandled.push(decision.job.message);
            }
        }
    }
    recordable
}

async fn keep_failure_record(app: &App, decision: &Decision<'_>) -> Result<(), Error> {
    let now = app.clock.now();
    let read = decision.follow_up.endpoint;
    let endpoint = if decision.follow_up.is_exhausted {
        app.store.observe(read, Observation::Exhaustion, now).await?
    } else {
        Some(read.clone())
    };
    let Some(endpoint) =
        endpoint.filter(|endpoint| endpoint.is_to_be_disabled(*app.config.disable_after, now))
    else {
        return Ok(());
    };
    let reason = DisabledReason::Failing;
    if app.store.disable_endpoint(&endpoint, reason, now).await? {
        tracing::warn!(endpoint.id = %endpoint.id, "an endpoint was disabled, because it keeps failing");
    }
    Ok(())
}

/// Records what follows, and returns what is recorded with its record.
async fn record<'a>(
    app: &App,
    decisions: Vec<Decision<'a>>,
    unhandled: &mut Vec<&'a Message>,
) -> Vec<(Job<'a>, Delivery)> {
    let (jobs, writes): (Vec<_>, Vec<_>) = decisions
        .into_iter()
        .map(
            |Decision {
                 job,
                 follow_up,
                 expected,
             }| {
                let record = follow_up.record;
                (job, DeliveryWrite { record, expected })
            },
        )
        .unzip();
    let written = match app.store.record_deliveries(&writes, app.clock.now()).await {
        Ok(written) => written,
        Err(error) => {
            tracing::error!(error = error.chain(), "failed attempts can't be recorded");
            unhandled.extend(jobs.iter().map(|job| job.message));
            return Vec::new();
        }
    };
    let mut recorded = Vec::with_capacity(jobs.len());
    for ((job, write), written) in jobs.into_iter().zip(writes).zip(written) {
        match written {
            Written::Yes => recorded.push((job, write.record)),
            // What follows from the other write is decided when the message comes back.
            Written::Overtaken => unhandled.push(log_return(job.message, &Error::Overtaken)),
            Written::Failed(error) => unhandled.push(log_return(job.message, &error)),
        }
    }
    recorded
}

/// Puts the next attempts on the retries queue when they are due: by the queue's delay, many in one call, or by a
/// schedule if the wait is longer than the queue offers. Returns the messages of those that are not on their way.
async fn put_on_their_way<'a>(app: &App, recorded: Vec<(Job<'a>, Delivery)>) -> Vec<&'a Message> {
    let now = app.clock.now();
    let (mut delayed, mut scheduled, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for (Job { message, task }, record) in recorded {
        let Some(due) = record.next_attempt_at else {
            log_end(&record);
            continue;
        };
        let task = task.next();
        let wait = due.duration_since(now).max(SignedDuration::ZERO);
        if wait > *app.config.scheduler_threshold {
            scheduled.push(async move { (message, app.schedules.send_at(task, due).await) });
            continue;
        }
        match Outgoing::task(&task, whole_seconds(wait)) {
            Ok(again) => delayed.push((message, again)),
            Err(error) => left.push(log_return(message, &error)),
        }
    }
    let (sent, scheduled) = join(
        app.queues
            .send_each(app.config.queues.of_lane(Lane::Retries), delayed),
        join_all(scheduled),
    )
    .await;
    for (message, result) in sent.into_iter().chain(scheduled) {
        if let Err(error) = result {
            left.push(log_return(message, &error));
        }
    }
    left
}

/// Rounded up: the wait may get longer, never shorter.
fn whole_seconds(wait: SignedDuration) -> u16 {
    let seconds = u16::try_from((wait.as_millis() + 999) / 1000);
    seconds.map_or(MAX_DELAY_SECONDS, |seconds| seconds.min(MAX_DELAY_SECONDS))
}

/// Says that a message is handled again, since it is not certain what follows, and returns it.
fn log_return<'a>(message: &'a Message, error: &Error) -> &'a Message {
    tracing::warn!(error = error.chain(), message.id, "a failed attempt comes back");
    message
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
