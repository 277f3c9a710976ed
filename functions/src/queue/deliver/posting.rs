//! Making one attempt: a slot, a fresh endpoint, its secret, the POST.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join;
use shared::Error;
use shared::domain::delivery::{Delivery, Failure};
use shared::domain::endpoint::Endpoint;
use shared::domain::freshness::FRESH_FOR;
use shared::domain::id::EndpointId;
use shared::domain::secret::Secret;
use shared::domain::task::{Kind, Task};
use shared::sender::{Request, Sender, SetUpFailed};
use shared::store::{BatchKeys, BatchRows, Expected};
use tokio::sync::Semaphore;

use super::super::job::Job;
use super::batch::Batch;
use super::record::Finished;
use crate::app::App;
use crate::serve::{Deadline, Message};

/// Attempts in flight to one endpoint from one process. A full batch for one endpoint takes two rounds, for which the
/// time-out of this function has room.
const MAX_IN_FLIGHT_PER_ENDPOINT: usize = 5;

/// What remains of an invocation after the last attempt may end: time to record it.
const RESERVE: Duration = Duration::from_secs(3);

/// The least deadline of an attempt, should the time-out of this function leave less.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(1);

/// An endpoint that has not answered for so long counts as failing from then on, and not only from the deadline: its
/// other deliveries wait beside the retries, before they fill the first lane.
const SLOW_AFTER: Duration = Duration::from_secs(1);

/// What came of an attempt.
pub(super) enum Outcome<'a> {
    /// It was made, or the delivery ends without it; that is to be recorded.
    Finished(Box<Finished<'a>>),
    /// Nothing is left to do: the endpoint was deleted meanwhile.
    Nothing,
    /// It could not be made; `retry` counts it as interrupted.
    Failed(&'a Message),
    /// It waited for the others of its endpoint, which took too long.
    Deferred(Job<'a>),
}

impl<'a> Outcome<'a> {
    pub(super) fn sort_into(self, finished: &mut Vec<Finished<'a>>, batch: &mut Batch<'a>) {
        match self {
            Self::Finished(outcome) => finished.push(*outcome),
            Self::Nothing => {}
            Self::Failed(message) => batch.fail(message),
            Self::Deferred(job) => batch.defer(job),
        }
    }
}

/// The slots of the endpoints of a batch.
#[derive(Default)]
pub(super) struct Slots(Mutex<HashMap<EndpointId, Arc<Semaphore>>>);

impl Slots {
    fn of(&self, endpoint: &EndpointId) -> Arc<Semaphore> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = slots.entry(endpoint.clone());
        Arc::clone(slots.or_insert_with(|| Arc::new(Semaphore::new(MAX_IN_FLIGHT_PER_ENDPOINT))))
    }
}

/// The attempts of a batch.
pub(super) struct Posting<'app> {
    app: &'app App,
    sender: &'app Sender,
    deadline: Deadline,
    /// The deadline of an attempt.
    attempt_deadline: Duration,
    slots: Slots,
    read_at: Instant,
    /// The endpoints that this batch noted as slow.
    slow: Mutex<HashSet<EndpointId>>,
}

impl<'app> Posting<'app> {
    /// To be made before the batch is read: what it reads is fresh from now on.
    pub(super) fn new(app: &'app App, deadline: Deadline) -> Result<Self, SetUpFailed> {
        let sender = app.sender()?;
        // A function that may not run long enough makes shorter attempts, instead of none.
        let longest = deadline.left().saturating_sub(RESERVE).max(SHORTEST_DEADLINE);
        let attempt_deadline = app.config.post_deadline.min(longest);
        Ok(Self {
            app,
            sender,
            deadline,
            attempt_deadline,
            slots: Slots::default(),
            read_at: Instant::now(),
            slow: Mutex::default(),
        })
    }

    /// Whether a first attempt is to wait beside the retries, where it holds up no healthy endpoint.
    pub(super) fn belongs_beside_retries(&self, job: &Job<'_>, endpoint: &Endpoint) -> bool {
        self.is_in_first_lane(job) && endpoint.failing_since.is_some()
    }

    fn is_in_first_lane(&self, job: &Job<'_>) -> bool {
        let queues = &self.app.config.queues;
        let first_lane = queues.url_of(&job.message.queue_arn) == Some(&queues.deliveries);
        first_lane && job.task.kind == Kind::Automatic
    }

    /// Makes one attempt.
    pub(super) async fn attempt<'a>(
        &self,
        job: Job<'a>,
        endpoint: Endpoint,
        record: Delivery,
        expected: Expected,
        rows: &BatchRows,
    ) -> Outcome<'a> {
        let stored = rows
            .event(&job.task.workspace, &job.task.event_id)
            .map(|event| event.body.as_str());
        let Some(body) = job.task.body.as_deref().or(stored).map(str::to_owned) else {
            return Outcome::Finished(Box::new(Finished::ended(
                job,
                record,
                expected,
                Failure::EventExpired,
            )));
        };
        let slots = self.slots.of(&endpoint.id);
        let waited = slots.available_permits() == 0;
        let Ok(_slot) = slots.acquire().await else {
            return Outcome::Failed(job.message);
        };
        let hopeless = self.is_in_first_lane(&job) && self.slow().contains(&endpoint.id);
        if waited && (hopeless || self.deadline.left() < self.attempt_deadline + RESERVE) {
            return Outcome::Deferred(job);
        }
        let (mut endpoint, secret) = match self.fresh(&job.task, endpoint).await {
            Ok(Some(fresh)) => fresh,
            Ok(None) => return Outcome::Nothing,
            Err(error) => {
                tracing::warn!(error = error.chain(), delivery.id = %job.task.delivery, "an attempt could not be made");
                return Outcome::Failed(job.message);
            }
        };
        if !endpoint.enabled && job.task.kind != Kind::Test {
            return Outcome::Finished(Box::new(Finished::refused(job, record, expected)));
        }
        let target = endpoint.clone();
        let request = Request {
            url: &target.url,
            event_id: &job.task.event_id,
            body: &body,
            secret: &secret,
        };
        let attempt = self
            .sender
            .attempt(request, self.app.clock.now(), self.attempt_deadline);
        let attempt = self.note_if_slow(&mut endpoint, attempt).await;
        Outcome::Finished(Box::new(Finished::attempted(
            job, endpoint, record, expected, attempt,
        )))
    }

    /// Waits for an attempt. If that takes long, the endpoint is noted as failing meanwhile.
    async fn note_if_slow<T>(&self, endpoint: &mut Endpoint, attempt: impl Future<Output = T>) -> T {
        let mut attempt = pin!(attempt);
        if let Ok(ended) = tokio::time::timeout(SLOW_AFTER, &mut attempt).await {
            return ended;
        }
        if endpoint.failing_since.is_some() {
            return attempt.await;
        }
        let now = self.app.clock.now();
        endpoint.failing_since = Some(now);
        let first = self.slow().insert(endpoint.id.clone());
        let note = async {
            if first && let Err(error) = self.app.store.note_failure(endpoint, now).await {
                tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "a slow endpoint was not noted");
            }
        };
        join(attempt, note).await.0
    }

    fn slow(&self) -> MutexGuard<'_, HashSet<EndpointId>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint as it was read less than [`FRESH_FOR`] ago, and its secret; `None` if it is gone.
    async fn fresh(&self, task: &Task, mut endpoint: Endpoint) -> Result<Option<(Endpoint, Secret)>, Error> {
        let mut read_at = self.read_at;
        loop {
            let secret = self.app.secrets.current(&endpoint).await?;
            if read_at.elapsed() < FRESH_FOR {
                return Ok(Some((endpoint, secret)));
            }
            read_at = Instant::now();
            let mut keys = BatchKeys::default();
            keys.add_endpoint(&task.workspace, &task.endpoint);
            let rows = self.app.store.read(keys).await?;
            let Some(current) = rows.endpoint(&task.endpoint) else {
                return Ok(None);
            };
            endpoint = current.clone();
        }
    }
}
