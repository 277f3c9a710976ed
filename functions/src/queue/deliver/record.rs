//! Recording what came of the attempts of a batch, in one call for many.

use std::collections::HashMap;

use shared::Error;
use shared::domain::delivery::{Attempt, Delivery, Failure, Status};
use shared::domain::endpoint::{DisabledReason, Endpoint};
use shared::domain::id::EndpointId;
use shared::store::{BatchKeys, DeliveryWrite, Expected, Written};

use super::super::job::Job;
use super::batch::Batch;
use crate::app::App;

/// Tries of a record that others keep overtaking.
const MAX_OVERTAKEN: usize = 5;

/// A task of which the outcome is to be recorded.
pub(super) struct Finished<'a> {
    job: Job<'a>,
    write: DeliveryWrite,
    attempt: Option<(Endpoint, Attempt)>,
}

impl<'a> Finished<'a> {
    /// An attempt was made.
    pub(super) fn attempted(
        job: Job<'a>,
        endpoint: Endpoint,
        record: Delivery,
        expected: Expected,
        attempt: Attempt,
    ) -> Self {
        let record = record.after(attempt.clone(), job.task.kind);
        Self {
            job,
            write: DeliveryWrite { record, expected },
            attempt: Some((endpoint, attempt)),
        }
    }

    /// The endpoint is disabled.
    pub(super) fn refused(job: Job<'a>, record: Delivery, expected: Expected) -> Self {
        Self::ended(job, record, expected, Failure::EndpointDisabled)
    }

    /// The delivery ends without an attempt.
    pub(super) fn ended(job: Job<'a>, record: Delivery, expected: Expected, failure: Failure) -> Self {
        Self {
            job,
            write: DeliveryWrite {
                record: record.failed(failure),
                expected,
            },
            attempt: None,
        }
    }
}

/// Records the outcomes. What fails to be recorded, and what is to be followed by another attempt, fails its message,
/// which is let go of at once.
pub(super) async fn record<'a>(app: &App, finished: Vec<Finished<'a>>, batch: &mut Batch<'a>) {
    if finished.is_empty() {
        return batch.release(app).await;
    }
    let finished = without_undisabled(app, finished, batch).await;
    let writes: Vec<_> = finished.iter().map(|outcome| outcome.write.clone()).collect();
    let mut written = match app.store.record_deliveries(&writes, app.clock.now()).await {
        Ok(written) => written.into_iter(),
        Err(error) => {
            tracing::error!(error = error.chain(), "attempts can't be recorded");
            Vec::new().into_iter()
        }
    };
    keep_failure_records(app, &finished).await;
    for outcome in finished {
        log(&outcome);
        let status = match written.next() {
            Some(Written::Yes) => Ok(outcome.write.record.status),
            Some(Written::Overtaken) => overtaken(app, &outcome).await,
            Some(Written::Failed(error)) => Err(error),
            None => Err(Error::Refused("BatchExecuteStatement")),
        };
        match status {
            Ok(Status::Pending) => batch.fail(outcome.job.message),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = error.chain(), delivery.id = %outcome.write.record.id, "an attempt was not recorded");
                batch.fail(outcome.job.message);
            }
        }
    }
    batch.release(app).await;
}

/// Disables the endpoints that answered 410, before that is recorded: a record that says so must be true. Where that
/// fails, the attempt is left unrecorded and its message fails.
async fn without_undisabled<'a>(
    app: &App,
    finished: Vec<Finished<'a>>,
    batch: &mut Batch<'a>,
) -> Vec<Finished<'a>> {
    let mut disabled: HashMap<EndpointId, bool> = HashMap::new();
    let mut recordable = Vec::with_capacity(finished.len());
    for outcome in finished {
        let gone = outcome.attempt.as_ref().filter(|(_, attempt)| attempt.is_gone());
        let Some((endpoint, _)) = gone else {
            recordable.push(outcome);
            continue;
        };
        if !disabled.contains_key(&endpoint.id) {
            disabled.insert(endpoint.id.clone(), disable(app, endpoint).await);
        }
        if disabled[&endpoint.id] {
            recordable.push(outcome);
        } else {
            batch.fail(outcome.job.message);
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

/// Remembers the first failure of an endpoint since its last success, and forgets it at the next success. On the
/// happy path nothing is written.
async fn keep_failure_records(app: &App, finished: &[Finished<'_>]) {
    let mut endpoints: HashMap<&EndpointId, (&Endpoint, bool, bool)> = HashMap::new();
    for (endpoint, attempt) in finished.iter().filter_map(|outcome| outcome.attempt.as_ref()) {
        let (success, failing) = (attempt.failure.is_none(), endpoint.failing_since.is_some());
        endpoints
            .entry(&endpoint.id)
            .and_modify(|(_, any_success, any_failing)| {
                *any_success |= success;
                *any_failing |= failing;
            })
            .or_insert((endpoint, success, failing));
    }
    for (endpoint, success, failing) in endpoints.into_values() {
        let kept = match (success, failing) {
            (true, true) => app.store.forget_failures(endpoint).await,
            (false, false) => app.store.note_failure(endpoint, app.clock.now()).await,
            _ => Ok(()),
        };
        if let Err(error) = kept {
            tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "the failure record was not kept");
        }
    }
}

/// The record changed since it was read: another process made the same attempt, or `send-test-event` added it.
/// While the delivery is pending, a success is recorded all the same, and a failure if its attempt is not recorded
/// yet. Returns how the delivery stands then.
async fn overtaken(app: &App, outcome: &Finished<'_>) -> Result<Status, Error> {
    let write = &outcome.write;
    for _ in 0..MAX_OVERTAKEN {
        let mut keys = BatchKeys::default();
        keys.add_delivery(&write.record.endpoint, &write.record.id);
        let rows = app.store.read(keys).await?;
        let current = rows.delivery(&write.record.endpoint, &write.record.id);
        let expected = Expected::of(current);
        let current = match current {
            Some(current) if current.status != Status::Pending => return Ok(current.status),
            Some(current) => current.clone(),
            // It was purged, or has expired: nothing is left to record.
            None => return Ok(Status::Failed),
        };
        let success = write.record.status == Status::Delivered;
        if current.attempt_count >= outcome.job.task.attempt && !success {
            return Ok(current.status);
        }
        let record = match (&outcome.attempt, write.record.last_error) {
            (Some((_, attempt)), _) => current.after(attempt.clone(), outcome.job.task.kind),
            (None, failure) => current.failed(failure.unwrap_or(Failure::Interrupted)),
        };
        let status = record.status;
        match app
            .store
            .record_deliveries(&[DeliveryWrite { record, expected }], app.clock.now())
            .await?
            .pop()
        {
            Some(Written::Yes) => return Ok(status),
            Some(Written::Failed(error)) => return Err(error),
            Some(Written::Overtaken) | None => {}
        }
    }
    Err(Error::Refused("BatchExecuteStatement"))
}

/// The canonical line of an attempt.
fn log(outcome: &Finished<'_>) {
    let record = &outcome.write.record;
    let attempt = outcome.attempt.as_ref().map(|(_, attempt)| attempt);
    tracing::info!(
        delivery.id = %record.id,
        endpoint.id = %record.endpoint,
        event.id = %record.event_id,
        attempt.number = outcome.job.task.attempt,
        outcome = if record.last_error.is_none() { "delivered" } else { "failed" },
        error = record.last_error.map(Failure::as_str),
        http.status = attempt.and_then(|attempt| attempt.http_status),
        duration_ms = attempt.map(|attempt| attempt.duration_ms),
        "attempt"
    );
}
