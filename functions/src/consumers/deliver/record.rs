//! Recording what came of the attempts of a batch, in one call for many.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::{join, join_all, join3};
use shared::Error;
use shared::backoff::Backoff;
use shared::domain::delivery::{Attempt, Delivery, Failure, Outcome, Overtaken, Status};
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::failure_record::{FailureRecord, Observation};
use shared::domain::id::EndpointId;
use shared::store::{DeliveryWrite, Expected, RowKeys, Written};

use super::super::job::Job;
use super::hand_over;
use crate::app::App;
use crate::serve::Batch;

/// The waits between two tries of records that are throttled. They end with the invocation: an attempt that is not recorded
/// is made again. The longest wait is short, so that of many writers none is unlucky for long.
const WRITES: Backoff = Backoff::endless(Duration::from_millis(100), Duration::from_millis(800));

/// What became of an outcome that was to be recorded.
enum Recorded {
    /// It is recorded, or need not be; this is the delivery's status.
    As(Status),
    /// It is not, or nobody knows.
    NotYet(Error),
    /// It is not, and never will be.
    Never(Error),
}

/// A task whose outcome is not recorded yet.
pub(super) struct Finished<'a> {
    job: Job<'a>,
    endpoint: Endpoint,
    outcome: Outcome,
    write: DeliveryWrite,
}

impl<'a> Finished<'a> {
    /// What came of a task, to be added to the record that was read.
    pub(super) fn new(
        job: Job<'a>,
        endpoint: Endpoint,
        record: Delivery,
        expected: Expected,
        outcome: Outcome,
    ) -> Self {
        let record = record.with(&outcome, job.task.kind);
        Self {
            job,
            endpoint,
            outcome,
            write: DeliveryWrite { record, expected },
        }
    }
}

/// Records the outcomes. As soon as one is recorded, its message is acknowledged, or handed over if another attempt
/// follows.
pub(super) async fn record(app: &App, batch: &Batch, finished: Vec<Finished<'_>>) {
    finished.iter().for_each(log);
    let observations = observations(&finished);
    let is_gone = |one: &Finished<'_>| one.outcome.attempt().is_some_and(Attempt::is_gone);
    let (gone, others): (Vec<_>, Vec<_>) = finished.into_iter().partition(is_gone);
    let recording_gone = async {
        let gone = without_undisabled(app, gone).await;
        record_all(app, batch, gone).await;
    };
    join3(
        keep_failure_records(app, observations),
        record_all(app, batch, others),
        recording_gone,
    )
    .await;
}

/// Records again and again what is throttled, until it is recorded or the invocation ends: what is not recorded is sent
/// again.
async fn record_all(app: &App, batch: &Batch, mut open: Vec<Finished<'_>>) {
    let mut waits = WRITES;
    let mut is_known = false;
    while !open.is_empty() {
        let round = record_once(app, batch, open).await;
        let overtaken = round.overtaken.into_iter().map(async |one| {
            let recorded = overtaken(app, &one).await;
            (one, recorded.unwrap_or_else(Recorded::NotYet))
        });
        let ((), overtaken) = join(hand_over(app, batch, round.failed), join_all(overtaken)).await;
        let mut later = Round {
            open: round.open,
            error: round.error,
            ..Round::default()
        };
        for (one, recorded) in overtaken {
            later.add(batch, one, recorded);
        }
        hand_over(app, batch, later.failed).await;
        open = later.open;
        if let Some(error) = later.error {
            if !is_known {
                let deliveries = open.len();
                tracing::warn!(error = error.chain(), deliveries, "attempts are not recorded yet");
            }
            is_known = true;
            waits.wait().await;
        }
    }
}

/// What became of outcomes when they were tried to be recorded once.
#[derive(Default)]
struct Round<'a> {
    /// They are recorded, and handed over next.
    failed: Vec<Job<'a>>,
    /// Other writes came first.
    overtaken: Vec<Finished<'a>>,
    /// They are not recorded yet.
    open: Vec<Finished<'a>>,
    /// Why one of those is not.
    error: Option<Error>,
}

impl<'a> Round<'a> {
    fn add(&mut self, batch: &Batch, one: Finished<'a>, recorded: Recorded) {
        match recorded {
            Recorded::As(Status::Pending) => self.failed.push(one.job),
            Recorded::As(_) => batch.acknowledge(one.job.message),
            Recorded::NotYet(error) => {
                self.error = Some(error);
                self.open.push(one);
            }
            Recorded::Never(error) => {
                tracing::error!(error = error.chain(), delivery.id = %one.write.record.id, "an attempt can't be recorded");
            }
        }
    }
}

async fn record_once<'a>(app: &App, batch: &Batch, finished: Vec<Finished<'a>>) -> Round<'a> {
    let mut round = Round::default();
    let writes: Vec<_> = finished.iter().map(|one| &one.write).collect();
    let written = app.store.record_deliveries(&writes, app.clock.now()).await;
    for (one, written) in finished.into_iter().zip(written) {
        let status = one.write.record.status;
        match written {
            Written::Yes => round.add(batch, one, Recorded::As(status)),
            Written::Overtaken => round.overtaken.push(one),
            Written::Open(error) => round.add(batch, one, Recorded::NotYet(error)),
            Written::Failed(error) => round.add(batch, one, Recorded::Never(error)),
        }
    }
    round
}

/// Disables the endpoints of these attempts, which were answered with 410, before that is recorded: a record that says so
/// must be true. Where that fails, the attempt is left unrecorded and its message comes back.
async fn without_undisabled<'a>(app: &App, gone: Vec<Finished<'a>>) -> Vec<Finished<'a>> {
    let mut disabled: HashMap<EndpointId, bool> = HashMap::new();
    let mut recordable = Vec::with_capacity(gone.len());
    for one in gone {
        let id = &one.endpoint.id;
        if !disabled.contains_key(id) {
            disabled.insert(id.clone(), disable(app, &one.endpoint).await);
        }
        if disabled[id] {
            recordable.push(one);
        }
    }
    recordable
}

async fn disable(app: &App, endpoint: &Endpoint) -> bool {
    let disabled = app
        .store
        .disable_endpoint(endpoint, DisabledReason::Gone, app.clock.now())
        .await;
    if let Err(error) = &disabled {
        tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "an endpoint that is gone stays enabled for now");
    }
    disabled.is_ok()
}

/// What the outcomes say of their endpoints, as far as it is news. On the happy path there is none.
fn observations(finished: &[Finished<'_>]) -> Vec<(Endpoint, Observation)> {
    let mut endpoints: HashMap<&EndpointId, (&Endpoint, FailureRecord, bool)> = HashMap::new();
    for one in finished.iter().filter(|one| one.outcome.attempt().is_some()) {
        let (endpoint, success) = (&one.endpoint, one.outcome.is_success());
        endpoints
            .entry(&endpoint.id)
            .and_modify(|(_, known, any_success)| {
                *known = known.merged_with(endpoint.failures);
                *any_success |= success;
            })
            .or_insert((endpoint, endpoint.failures, success));
    }
    let news = endpoints
        .into_values()
        .filter_map(|(endpoint, known, any_success)| {
            known
                .observed_in(any_success)
                .map(|observation| (endpoint.clone(), observation))
        });
    news.collect()
}

async fn keep_failure_records(app: &App, observations: Vec<(Endpoint, Observation)>) {
    let kept = observations.into_iter().map(async |(endpoint, observation)| {
        let kept = app.store.observe(&endpoint, observation, app.clock.now()).await;
        if let Err(error) = kept {
            tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "the failure record was not kept");
        }
    });
    join_all(kept).await;
}

/// Records an outcome whose record was changed by another write.
///
/// # Errors
/// It is not recorded, and may be tried again.
async fn overtaken(app: &App, one: &Finished<'_>) -> Result<Recorded, Error> {
    let (endpoint, id) = (&one.write.record.endpoint, &one.write.record.id);
    let mut keys = RowKeys::default();
    keys.add_delivery(endpoint, id);
    let rows = app.store.read(keys).await?;
    let current = rows.delivery(endpoint, id);
    let record = match Overtaken::of(current, &one.job.task, &one.outcome) {
        Overtaken::Leave(status) => return Ok(Recorded::As(status)),
        Overtaken::Record(record) => record,
    };
    let (status, expected) = (record.status, Expected::of(current));
    let write = DeliveryWrite { record, expected };
    let mut written = app.store.record_deliveries(&[&write], app.clock.now()).await;
    Ok(match written.pop() {
        Some(Written::Yes) => Recorded::As(status),
        Some(Written::Failed(error)) => Recorded::Never(error),
        Some(Written::Open(error)) => Recorded::NotYet(error),
        Some(Written::Overtaken) | None => Recorded::NotYet(Error::Overtaken),
    })
}

/// The canonical line of an attempt.
fn log(one: &Finished<'_>) {
    let record = &one.write.record;
    let attempt = one.outcome.attempt();
    tracing::info!(
        delivery.id = record.id.as_str(),
        endpoint.id = record.endpoint.as_str(),
        event.id = record.event_id.as_str(),
        attempt.number = one.job.task.attempt,
        outcome = if record.last_error.is_none() {
            "delivered"
        } else {
            "failed"
        },
        error = record.last_error.map(Failure::as_str),
        http.status = attempt.and_then(|attempt| attempt.http_status),
        duration_ms = attempt.map(|attempt| attempt.duration_ms),
        "attempt"
    );
}
