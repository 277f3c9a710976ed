//! The messages of a batch that are not done. Lambda deletes the others.

use std::time::Duration;

use shared::domain::lane::Lane;
use shared::queues::Outgoing;

use super::super::job::Job;
use crate::app::App;
use crate::serve::Message;

/// How long recording waits for failed messages to be released.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

/// The messages of a batch that are not done.
#[derive(Default)]
pub(super) struct Unfinished<'a> {
    failed: Vec<&'a Message>,
    /// How many of the failed are visible again already.
    released: usize,
    deferred: Vec<Job<'a>>,
}

impl<'a> Unfinished<'a> {
    /// The attempt failed, or could not be recorded: `retry` decides what follows.
    pub(super) fn fail(&mut self, message: &'a Message) {
        self.failed.push(message);
    }

    /// No attempt of these could be made.
    pub(super) fn fail_all(&mut self, jobs: Vec<Job<'a>>) {
        self.failed.extend(jobs.into_iter().map(|job| job.message));
    }

    /// The same attempt is to be made later, with the retries.
    pub(super) fn defer(&mut self, job: Job<'a>) {
        self.deferred.push(job);
    }

    /// Puts the deferred tasks on the retries queue, lets go of the failed messages, and returns their ids.
    pub(super) async fn hand_over(mut self, app: &App) -> Vec<String> {
        self.send_deferred(app).await;
        self.make_visible(app).await;
        self.failed
            .into_iter()
            .map(|message| message.id.clone())
            .collect()
    }

    /// Whether a message has failed that is not let go of yet.
    pub(super) fn holds_failures(&self) -> bool {
        self.released < self.failed.len()
    }

    /// Makes the messages that have failed by now visible, so that SQS moves them to the failed attempts, whatever the
    /// rest of the batch is still waiting for. If that takes long, they are let go of with the others.
    pub(super) async fn release(&mut self, app: &App) {
        let released = tokio::time::timeout(RELEASE_WITHIN, self.make_visible(app)).await;
        if released.is_err() {
            tracing::warn!("failed messages are let go of later");
        }
    }

    async fn make_visible(&mut self, app: &App) {
        let mut by_queue: Vec<(&str, Vec<String>)> = Vec::new();
        for message in &self.failed[self.released..] {
            let Some(url) = app.config.queues.url_of(&message.queue_arn) else {
                continue;
            };
            match by_queue.iter_mut().find(|(other, _)| *other == url) {
                Some((_, handles)) => handles.push(message.receipt_handle.clone()),
                None => by_queue.push((url, vec![message.receipt_handle.clone()])),
            }
        }
        for (url, handles) in by_queue {
            app.queues.make_visible_in(url, 0, &handles).await;
        }
        self.released = self.failed.len();
    }

    async fn send_deferred(&mut self, app: &App) {
        let jobs = std::mem::take(&mut self.deferred);
        if jobs.is_empty() {
            return;
        }
        let mut tasks = Vec::with_capacity(jobs.len());
        for job in jobs {
            match Outgoing::task(&job.task, 0) {
                Ok(task) => tasks.push((job.message, task)),
                Err(_) => self.failed.push(job.message),
            }
        }
        let results = app
            .queues
            .send_each(app.config.queues.of_lane(Lane::Retries), tasks)
            .await;
        let unsent = results.into_iter().filter(|(_, result)| result.is_err());
        self.failed.extend(unsent.map(|(message, _)| message));
    }
}
