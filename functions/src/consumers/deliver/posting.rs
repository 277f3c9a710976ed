//! Making one attempt: a slot, a fresh endpoint, its secret, the POST.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join;
use shared::Error;
use shared::domain::delivery::{Delivery, Failure, Outcome};
use shared::domain::endpoint::Endpoint;
use shared::domain::failure_record::Observation;
use shared::domain::id::EndpointId;
use shared::domain::lane::{Lane, SLOW_AFTER};
use shared::domain::secret::Secret;
use shared::domain::slots::slots;
use shared::domain::task::Task;
use shared::http::SetUpFailed;
use shared::sender::{Request, Sender};
use shared::store::{Expected, RowKeys, Rows};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::super::job::Job;
use super::fresh::{Fresh, fresh};
use super::record::Finished;
use super::time::Time;
use crate::app::App;
use crate::serve::{Batch, Deadline, Message};

/// How long noting it may take.
const NOTE_WITHIN: Duration = Duration::from_secs(2);

/// What came of a job.
pub(super) enum Posted<'a> {
    /// It was made, or the delivery ends without it; that is to be recorded.
    Finished(Box<Finished<'a>>),
    /// Nothing is left to do: the endpoint was deleted meanwhile.
    Nothing(&'a Message),
    /// It could not begin, and its message comes back.
    NotBegun,
    /// It waited for the others of its endpoint, or for what it needs, and that took too long.
    Deferred(Job<'a>),
}

/// The slots of the endpoints of a batch.
pub(super) struct Slots {
    /// The messages of the batch.
    messages: usize,
    by_endpoint: Mutex<HashMap<EndpointId, Arc<Semaphore>>>,
}

impl Slots {
    fn new(messages: usize) -> Self {
        Self {
            messages,
            by_endpoint: Mutex::default(),
        }
    }

    fn of(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let count = || slots(endpoint.failures.is_in_trouble(), self.messages);
        let mut by_endpoint = self.by_endpoint.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = by_endpoint.entry(endpoint.id.clone());
        Arc::clone(of_this.or_insert_with(|| Arc::new(Semaphore::new(count()))))
    }
}

/// The attempts of a batch.
pub(super) struct Posting<'app> {
    app: &'app App,
    sender: &'app Sender,
    deadline: Deadline,
    time: Time,
    slots: Slots,
    read_at: Instant,
    /// The endpoints that this batch noted as slow.
    slow: Mutex<HashSet<EndpointId>>,
}

impl<'app> Posting<'app> {
    /// To be made before the batch is read: what it reads is fresh from now on.
    pub(super) fn new(app: &'app App, batch: &Batch) -> Result<Self, SetUpFailed> {
        let deadline = batch.deadline;
        let sender = app.sender()?;
        Ok(Self {
            app,
            sender,
            deadline,
            time: Time::share(deadline.left(), *app.config.post_deadline),
            slots: Slots::new(batch.messages.len()),
            read_at: Instant::now(),
            slow: Mutex::default(),
        })
    }

    /// The lane by which a job came.
    pub(super) fn lane(&self, job: &Job<'_>) -> Lane {
        let queues = &self.app.config.queues;
        let came_first = queues.url_of(&job.message.queue_arn) == Some(queues.of_lane(Lane::First));
        if came_first { Lane::First } else { Lane::Retries }
    }

    /// Makes one attempt.
    pub(super) async fn attempt<'a>(
        &self,
        job: Job<'a>,
        endpoint: Endpoint,
        record: Delivery,
        expected: Expected,
        rows: &Rows,
    ) -> Posted<'a> {
        let stored = || rows.event(&job.task.workspace, &job.task.event_id);
        let carried = job.task.body.as_deref();
        let Some(body) = carried.or_else(|| stored().map(|event| event.body.as_str())) else {
            let outcome = Outcome::Ended(Failure::EventExpired);
            return finished(job, endpoint, record, expected, outcome);
        };
        let slots = self.slots.of(&endpoint);
        let waited = slots.available_permits() == 0;
        let Ok(_slot) = slots.acquire().await else {
            return Posted::NotBegun;
        };
        if waited && self.is_better_made_later(&job, &endpoint) {
            return Posted::Deferred(job);
        }
        let (mut endpoint, secret) = match self.fresh(&job.task, endpoint).await {
            Ok(Fresh::Yes(endpoint, secret)) => (endpoint, secret),
            Ok(Fresh::Gone) => return Posted::Nothing(job.message),
            Ok(Fresh::No) => {
                tracing::warn!(delivery.id = %job.task.delivery, "an attempt was not made, because reading its endpoint is slow");
                return Posted::NotBegun;
            }
            Err(error) => {
                tracing::warn!(error = error.chain(), delivery.id = %job.task.delivery, "an attempt could not be made");
                return Posted::NotBegun;
            }
        };
        if !endpoint.takes(job.task.kind) {
            let outcome = Outcome::Ended(Failure::EndpointDisabled);
            return finished(job, endpoint, record, expected, outcome);
        }
        if !self.time.lasts(self.deadline.left()) {
            // What came with the retries goes back as the same message, or it would go round for as long as AWS is slow.
            return match self.lane(&job) {
                Lane::First => Posted::Deferred(job),
                Lane::Retries => Posted::NotBegun,
            };
        }
        let target = endpoint.clone();
        let request = Request {
            url: &target.url,
            event_id: &job.task.event_id,
            body,
            secret: &secret,
        };
        let attempt = self
            .sender
            .attempt(request, self.app.clock.now(), self.time.attempt);
        let attempt = self.note_if_slow(&mut endpoint, attempt).await;
        finished(job, endpoint, record, expected, Outcome::Attempted(attempt))
    }

    /// Whether an attempt that had to wait for a slot goes to the retries: its endpoint was noted as slow meanwhile.
    fn is_better_made_later(&self, job: &Job<'_>, endpoint: &Endpoint) -> bool {
        let mut endpoint = endpoint.clone();
        if self.slow().contains(&endpoint.id) {
            endpoint.failures = endpoint
                .failures
                .after(Observation::Slowness, self.app.clock.now());
        }
        self.lane(job).is_left_by(&job.task, &endpoint)
    }

    /// Waits for an attempt. If that takes long, the endpoint is noted as slow meanwhile.
    async fn note_if_slow<T>(&self, endpoint: &mut Endpoint, attempt: impl Future<Output = T>) -> T {
        let mut attempt = pin!(attempt);
        if let Ok(ended) = timeout(SLOW_AFTER, &mut attempt).await {
            return ended;
        }
        if !endpoint.failures.is_changed_by(Observation::Slowness) {
            return attempt.await;
        }
        let now = self.app.clock.now();
        let first = self.slow().insert(endpoint.id.clone());
        let note = async {
            let noted = Box::pin(self.app.store.observe(endpoint, Observation::Slowness, now));
            // Whoever answers meanwhile is not recorded before that.
            if first && !matches!(timeout(NOTE_WITHIN, noted).await, Ok(Ok(_))) {
                tracing::warn!(endpoint.id = %endpoint.id, "a slow endpoint was not noted");
            }
        };
        let (ended, ()) = join(attempt, note).await;
        endpoint.failures = endpoint.failures.after(Observation::Slowness, now);
        ended
    }

    fn slow(&self) -> MutexGuard<'_, HashSet<EndpointId>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fresh(&self, task: &Task, endpoint: Endpoint) -> Result<Fresh<Endpoint, Secret>, Error> {
        fresh(
            endpoint,
            self.read_at,
            async |endpoint: &Endpoint| self.app.secrets.current(endpoint).await,
            async || {
                let mut keys = RowKeys::default();
                keys.add_endpoint(&task.workspace, &task.endpoint);
                let rows = Box::pin(self.app.store.read(keys)).await?;
                Ok(rows.endpoint(&task.endpoint).cloned())
            },
        )
        .await
    }
}

fn finished(
    job: Job<'_>,
    endpoint: Endpoint,
    record: Delivery,
    expected: Expected,
    outcome: Outcome,
) -> Posted<'_> {
    Posted::Finished(Box::new(Finished::new(job, endpoint, record, expected, outcome)))
}
