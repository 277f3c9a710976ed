//! What is to become of the messages of a batch; those named nowhere are done and are deleted.

use shared::queue::Outgoing;

use super::posting::Job;
use crate::app::App;
use crate::serve::Message;

/// The messages of a batch that are not done.
#[derive(Default)]
pub(super) struct Batch<'a> {
    failed: Vec<&'a Message>,
    deferred: Vec<Job<'a>>,
}

impl<'a> Batch<'a> {
    /// The attempt failed, or could not be recorded: `retry` decides what follows.
    pub(super) fn fail(&mut self, message: &'a Message) {
        self.failed.push(message);
    }

    /// No attempt of these could be made.
    pub(super) fn fail_all(&mut self, jobs: Vec<Job<'a>>) {
        self.failed.extend(jobs.into_iter().map(|job| job.message));
    }

    /// The same attempt is to be made later, beside the retries.
    pub(super) fn defer(&mut self, job: Job<'a>) {
        self.deferred.push(job);
    }

    /// Puts the deferred tasks on the retries queue, makes the failed messages visible at once, and returns their ids.
    pub(super) async fn hand_over(mut self, app: &App) -> Vec<String> {
        self.send_deferred(app).await;
        let mut by_queue: Vec<(&str, Vec<String>)> = Vec::new();
        for message in &self.failed {
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
        self.failed
            .into_iter()
            .map(|message| message.id.clone())
            .collect()
    }

    async fn send_deferred(&mut self, app: &App) {
        let jobs = std::mem::take(&mut self.deferred);
        if jobs.is_empty() {
            return;
        }
        let (mut messages, mut outgoing) = (Vec::new(), Vec::new());
        for job in jobs {
            match Outgoing::task(&job.task, 0) {
                Ok(task) => {
                    messages.push(job.message);
                    outgoing.push(task);
                }
                Err(_) => self.failed.push(job.message),
            }
        }
        let results = app.queues.send(&app.config.queues.retries, &outgoing).await;
        self.failed.extend(
            messages
                .into_iter()
                .zip(results)
                .filter(|(_, result)| result.is_err())
                .map(|(message, _)| message),
        );
    }
}
