//! Recording what came of the attempts of a batch, in one call for many.

use std::collections::HashMap;

use shared::Error;
use shared::domain::delivery::{Attempt, Delivery, Failure, Outcome, Overtaken, Status};
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::failure_record::FailureRecord;
use shared::domain::id::EndpointId;
use shared::store::{DeliveryWrite, Expected, RowKeys, Written};

use super::super::job::Job;
use super::unfinished::Unfinished;
use crate::app::App;

/// Tries of a record that others keep overtaking.
const MAX_OVERTAKEN: usize = 5;

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

/// Records the outcomes. A message fails, and is released at once, if its outcome was not recorded or another attempt
/// follows.
pub(super) async fn record<'a>(app: &App, finished: Vec<Finished<'a>>, unfinished: &mut Unfinished<'a>) {
    if finished.is_empty() {
        return unfinished.release(app).await;
    }
    let finished = without_undisabled(app, finished, unfinished).await;
    let writes: Vec<_> = finished.iter().map(|one| one.write.clone()).collect();
    let written = app.store.record_deliveries(&writes, app.clock.now()).await;
    keep_failure_records(app, &finished).await;
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            tracing::error!(error = error.chain(), "attempts can't be recorded");
            for one in finished {
                unfinished.fail(one.job.message);
            }
            return unfinished.release(app).await;
        }
    };
    for (one, written) in finished.into_iter().zip(written) {
        log(&one);
        let status = match written {
            Written::Yes => Ok(one.write.record.status),
            Written::Overtaken => overtaken(app, &one).await,
            Written::Failed(error) => Err(error),
        };
        match status {
            Ok(Status::Pending) => unfinished.fail(one.job.message),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = error.chain(), delivery.id = %one.write.record.id, "an attempt was not recorded");
                unfinished.fail(one.job.message);
            }
        }
    }
    unfinished.release(app).await;
}

/// Disables the endpoints that answered 410, before that is recorded: a record that says so must be true. Where that
/// fails, the attempt is left unrecorded and its message fails.
async fn without_undisabled<'a>(
    app: &App,
    finished: Vec<Finished<'a>>,
    unfinished: &mut Unfinished<'a>,
) -> Vec<Finished<'a>> {
    let mut disabled: HashMap<EndpointId, bool> = HashMap::new();
    let mut recordable = Vec::with_capacity(finished.len());
    for one in finished {
        if !one.outcome.attempt().is_some_and(Attempt::is_gone) {
            recordable.push(one);
            continue;
        }
        let id = &one.endpoint.id;
        if !disabled.contains_key(id) {
            disabled.insert(id.clone(), disable(app, &one.endpoint).await);
        }
        if disabled[id] {
            recordable.push(one);
        } else {
            unfinished.fail(one.job.message);
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

/// Keeps the endpoints' failure records. On the happy path nothing is written.
async fn keep_failure_records(app: &App, finished: &[Finished<'_>]) {
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
    for (endpoint, known, any_success) in endpoints.into_values() {
        let Some(observation) = known.observed_in(any_success) else {
            continue;
        };
        let kept = app.store.observe(endpoint, observation, app.clock.now()).await;
        if let Err(error) = kept {
            tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "the failure record was not kept");
        }
    }
}

/// Records an outcome whose record was changed by another write, and returns the delivery's status then.
async fn overtaken(app: &App, one: &Finished<'_>) -> Result<Status, Error> {
    let (endpoint, id) = (&one.write.record.endpoint, &one.write.record.id);
    for _ in 0..MAX_OVERTAKEN {
        let mut keys = RowKeys::default();
        keys.add_delivery(endpoint, id);
        let rows = app.store.read(keys).await?;
        let current = rows.delivery(endpoint, id);
        let record = match Overtaken::of(current, &one.job.task, &one.outcome) {
            Overtaken::Leave(status) => return Ok(status),
            Overtaken::Record(record) => record,
        };
        let (status, expected) = (record.status, Expected::of(current));
        let write = DeliveryWrite { record, expected };
        match app
            .store
            .record_deliveries(&[write], app.clock.now())
            .await?
            .pop()
        {
            Some(Written::Yes) => return Ok(status),
            Some(Written::Failed(error)) => return Err(error),
            Some(Written::Overtaken) | None => {}
        }
    }
    Err(Error::Overtaken)
}

/// The canonical line of an attempt.
fn log(one: &Finished<'_>) {
    let record = &one.write.record;
    let attempt = one.outcome.attempt();
    tracing::info!(
        delivery.id = %record.id,
        endpoint.id = %record.endpoint,
        event.id = %record.event_id,
        attempt.number = one.job.task.attempt,
        outcome = if record.last_error.is_none() { "delivered" } else { "failed" },
        error = record.last_error.map(Failure::as_str),
        http.status = attempt.and_then(|attempt| attempt.http_status),
        duration_ms = attempt.map(|attempt| attempt.duration_ms),
        "attempt"
    );
}
