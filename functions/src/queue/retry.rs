//! `retry`: reads the failed-attempts queue and decides what follows each failed attempt. It is the one place that
//! knows the retry schedule.
//!
//! Invariants: the record decides, not the message; an attempt without a recorded outcome was cut off and is recorded
//! as interrupted. A message is deleted only when what follows is recorded and on its way. What can't be read is
//! parked.

use futures::future::{LocalBoxFuture, join, join_all};
use jiff::SignedDuration;
use shared::Error;
use shared::domain::delivery::Failure;
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::plan::{self, FollowUp};
use shared::queue::{MAX_DELAY_SECONDS, Outgoing};
use shared::schedules;
use shared::store::{BatchRows, DeliveryWrite, Expected, Written};

use super::hand_back;
use super::job::{self, Job, one_per_delivery};
use crate::app::App;
use crate::serve::{Deadline, Message};

/// What follows a failed attempt, and the record that says so.
struct Decision<'a> {
    job: Job<'a>,
    follow_up: FollowUp,
    write: DeliveryWrite,
    endpoint: Endpoint,
}

/// Decides what follows a batch of failed attempts.
pub fn handle(app: &App, messages: Vec<Message>, deadline: Deadline) -> LocalBoxFuture<'_, Vec<String>> {
    Box::pin(handle_batch(app, messages, deadline))
}

async fn handle_batch(app: &App, messages: Vec<Message>, _deadline: Deadline) -> Vec<String> {
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
    let writes: Vec<_> = decisions.iter().map(|decision| decision.write.clone()).collect();
    let written = app
        .store
        .record_deliveries(&writes, app.clock.now())
        .await
        .unwrap_or_else(|error| {
            tracing::error!(error = error.chain(), "failed attempts can't be recorded");
            Vec::new()
        });
    let mut written = written.into_iter();
    let mut recorded = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let error = match written.next() {
            Some(Written::Yes) => {
                recorded.push(decision);
                continue;
            }
            // Somebody else changed the record; what follows from it is decided when the message comes back.
            Some(Written::Overtaken) | None => Error::Refused("BatchExecuteStatement"),
            Some(Written::Failed(error)) => error,
        };
        unhandled.push(log_return(decision.job.message, &error));
    }
    unhandled.extend(put_on_their_way(app, recorded).await);
    hand_back(app, unhandled).await
}

/// Reads the tasks; what is none is parked.
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
                    "a message is no delivery and is parked"
                );
                strange.push((message, Outgoing::refused(message.body.clone(), &reason)));
            }
        }
    }
    let results = app.queues.send_each(&app.config.queues.parked, strange).await;
    let unsent = results.into_iter().filter(|(_, result)| result.is_err());
    unhandled.extend(unsent.map(|(message, _)| message));
    jobs
}

fn decide<'a>(app: &App, jobs: Vec<Job<'a>>, rows: &BatchRows) -> Vec<Decision<'a>> {
    let now = app.clock.now();
    let decisions = jobs.into_iter().filter_map(|job| {
        let endpoint = rows.endpoint(&job.task.endpoint)?.clone();
        let record = rows.delivery(&job.task.endpoint, &job.task.delivery);
        let follow_up = plan::follow_up(&job.task, Some(&endpoint), record, &app.config.schedule, now);
        let (FollowUp::End { record: new, .. } | FollowUp::Again { record: new, .. }) = &follow_up else {
            return None;
        };
        let write = DeliveryWrite {
            record: new.clone(),
            expected: Expected::of(record),
        };
        Some(Decision {
            job,
            follow_up,
            write,
            endpoint,
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
                tracing::warn!(error = error.chain(), endpoint.id = %decision.endpoint.id, "a failure record was not kept");
                unhandled.push(decision.job.message);
            }
        }
    }
    recordable
}

async fn keep_failure_record(app: &App, decision: &Decision<'_>) -> Result<(), Error> {
    let now = app.clock.now();
    let exhausted = matches!(decision.follow_up, FollowUp::End { exhausted: true, .. });
    let endpoint = match &decision.endpoint {
        endpoint if exhausted => app.store.note_exhaustion(endpoint, now).await?,
        endpoint => Some(endpoint.clone()),
    };
    let Some(endpoint) = endpoint else { return Ok(()) };
    if endpoint.enabled && endpoint.has_failed_for(app.config.disable_after, now) {
        app.store
            .disable_endpoint(&endpoint, DisabledReason::Failing, now)
            .await?;
        tracing::warn!(endpoint.id = %endpoint.id, "an endpoint was disabled, because it keeps failing");
    }
    Ok(())
}

/// Puts the next attempts on the retries queue when they are due: by the queue's delay, many in one call, or by a
/// schedule if the wait is longer than the queue offers. Returns the messages of those that are not on their way.
async fn put_on_their_way<'a>(app: &App, recorded: Vec<Decision<'a>>) -> Vec<&'a Message> {
    let now = app.clock.now();
    let (mut delayed, mut scheduled, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for decision in recorded {
        let FollowUp::Again { due, .. } = decision.follow_up else {
            log_end(&decision);
            continue;
        };
        let Job { message, task } = decision.job;
        let task = task.next();
        let wait = due.duration_since(now).max(SignedDuration::ZERO);
        if wait > app.config.scheduler_threshold {
            scheduled.push(async move { (message, app.schedules.send_at(task, due).await) });
            continue;
        }
        match Outgoing::task(&task, whole_seconds(wait)) {
            Ok(again) => delayed.push((message, again)),
            Err(error) => left.push(log_return(message, &error)),
        }
    }
    let (sent, scheduled) = join(
        app.queues.send_each(&app.config.queues.retries, delayed),
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

fn log_end(decision: &Decision<'_>) {
    let record = &decision.write.record;
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
