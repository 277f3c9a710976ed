//! `deliver`: makes the attempts of a batch, all at once, and records what came of each.
//!
//! Invariants: nothing is acknowledged before its outcome is recorded. A failed attempt that is to be followed by
//! another is recorded, its message made visible at once and reported as failed; since it was received once already,
//! SQS then moves it to the failed-attempts queue, which `retry` reads. An attempt begins only while what was read of
//! its endpoint is fresh (`shared::domain::freshness`). At least once: if this function dies between a POST and its
//! record, the attempt counts as interrupted and is made again.

mod fresh;
mod posting;
mod record;
mod unfinished;

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use shared::domain::delivery::{Failure, Outcome};
use shared::domain::plan::{self, Step};
use shared::domain::task::Task;
use shared::store::{Expected, Rows};

use self::posting::{Posted, Posting};
use self::record::Finished;
use self::unfinished::Unfinished;
use super::job::{self, Job, one_per_delivery};
use crate::app::App;
use crate::serve::{Consumer, Deadline, Invocation, Message};

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
        "POST_DEADLINE_SECONDS",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_URL",
        "SECRET_PREFIX",
    ],
    on_messages: |app, invocation| Box::pin(deliver(app, invocation)),
    on_records: None,
};

/// Delivers a batch.
async fn deliver(app: &App, Invocation { messages, deadline }: Invocation) -> Vec<String> {
    let mut unfinished = Unfinished::default();
    let (mut jobs, others) = one_per_delivery(parse(&messages, &mut unfinished));
    for job in others {
        unfinished.defer(job);
    }
    let Some((rows, posting)) = read(app, &mut jobs, deadline, &mut unfinished).await else {
        unfinished.fail_all(jobs);
        return unfinished.hand_over(app).await;
    };
    let mut attempts = Vec::new();
    let mut finished = Vec::new();
    for job in jobs {
        let record = rows.delivery(&job.task.endpoint, &job.task.delivery);
        let expected = Expected::of(record);
        match plan::step(&job.task, rows.endpoint(&job.task.endpoint), record) {
            Step::Skip => {}
            Step::HandOver => unfinished.fail(job.message),
            Step::EndDisabled { endpoint, record } => {
                let outcome = Outcome::Ended(Failure::EndpointDisabled);
                finished.push(Finished::new(job, endpoint.clone(), record, expected, outcome));
            }
            Step::Attempt { endpoint, .. } if posting.lane(&job).is_left_by(&job.task, endpoint) => {
                unfinished.defer(job);
            }
            Step::Attempt { endpoint, record } => {
                attempts.push(posting.attempt(job, endpoint.clone(), record, expected, &rows));
            }
        }
    }
    post_and_record(app, attempts, finished, &mut unfinished).await;
    unfinished.hand_over(app).await
}

/// Makes the attempts, and records the finished ones while others are still running.
async fn post_and_record<'a>(
    app: &App,
    attempts: Vec<impl Future<Output = Posted<'a>>>,
    mut finished: Vec<Finished<'a>>,
    unfinished: &mut Unfinished<'a>,
) {
    let mut running: FuturesUnordered<_> = attempts.into_iter().collect();
    loop {
        let next = if finished.is_empty() && !unfinished.holds_failures() {
            Ok(running.next().await)
        } else {
            tokio::time::timeout(RECORD_WITHIN, running.next()).await
        };
        match next {
            Ok(Some(posted)) => posted.sort_into(&mut finished, unfinished),
            Ok(None) => break,
            Err(_) => {
                let recording = Box::pin(record::record(app, std::mem::take(&mut finished), unfinished));
                let meanwhile = while_posting(recording, &mut running).await;
                for posted in meanwhile {
                    posted.sort_into(&mut finished, unfinished);
                }
            }
        }
    }
    record::record(app, finished, unfinished).await;
}

/// Records while the other attempts go on, and returns those that end meanwhile.
async fn while_posting<F: Future>(
    mut recording: impl Future<Output = ()> + Unpin,
    running: &mut FuturesUnordered<F>,
) -> Vec<F::Output> {
    let mut ended = Vec::new();
    loop {
        tokio::select! {
            () = &mut recording => return ended,
            Some(posted) = running.next() => ended.push(posted),
        }
    }
}

fn parse<'a>(messages: &'a [Message], unfinished: &mut Unfinished<'a>) -> Vec<Job<'a>> {
    let jobs = messages
        .iter()
        .filter_map(|message| match serde_json::from_str::<Task>(&message.body) {
            Ok(task) => Some(Job { message, task }),
            Err(error) => {
                tracing::warn!(
                    message.id,
                    error = error.to_string(),
                    "a message is not a delivery"
                );
                unfinished.fail(message);
                None
            }
        });
    jobs.collect()
}

/// Reads everything the batch needs, in one call; `None` if that fails. Jobs that need something unreadable fail.
async fn read<'app, 'a>(
    app: &'app App,
    jobs: &mut Vec<Job<'a>>,
    deadline: Deadline,
    unfinished: &mut Unfinished<'a>,
) -> Option<(Rows, Posting<'app>)> {
    let posting = match Posting::new(app, deadline) {
        Ok(posting) => posting,
        Err(error) => {
            tracing::error!(error = error.to_string(), "nothing can be sent");
            return None;
        }
    };
    let read = job::read(&app.store, jobs, |keys, task| {
        keys.add_endpoint(&task.workspace, &task.endpoint);
        keys.add_delivery(&task.endpoint, &task.delivery);
        if task.body.is_none() {
            keys.add_event(&task.workspace, &task.event_id);
        }
    });
    match read.await {
        Ok((rows, unreadable)) => {
            unfinished.fail_all(unreadable);
            Some((rows, posting))
        }
        Err(error) => {
            tracing::warn!(error = error.chain(), "a batch of deliveries could not be read");
            None
        }
    }
}
