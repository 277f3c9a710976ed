//! The queues: many messages are sent in one call, and of each it is known whether it is on its queue.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use aws_types::SdkConfig;
use futures::future::join_all;

use crate::Error;
use crate::backoff::Backoff;
use crate::domain::id::{EndpointId, RecoveryId, WorkspaceId};
use crate::domain::task::Task;
use crate::domain::wait::MAX_DELAY_SECONDS;

/// Most messages of a call (SQS quota).
const MAX_CALL_MESSAGES: usize = 10;

/// Most bytes of a call. SQS takes 1 MiB since August 2025; 256 KiB is what every version takes.
const MAX_CALL_BYTES: usize = 256 * 1024;

/// Calls under way at the same time.
const MAX_CALLS_AT_ONCE: usize = 16;

/// Tries for the messages that SQS did not take with the others of their call: about a second and a half.
const TRIES: Backoff = Backoff::new(4, Duration::from_millis(270), Duration::from_secs(2));

/// A message on its way to a queue.
#[derive(Debug, Clone)]
pub struct Outgoing {
    body: String,
    delay_seconds: u16,
    group: Option<String>,
    reason: Option<String>,
}

impl Outgoing {
    /// An attempt to make, after a delay. Its group is the endpoint, so that SQS shares the consumers fairly
    /// between endpoints.
    ///
    /// # Errors
    /// The task can't be written as JSON, which its types rule out.
    pub fn task(task: &Task, delay_seconds: u16) -> Result<Self, Error> {
        let body = serde_json::to_string(task).map_err(Error::unsendable("SendMessageBatch"))?;
        Ok(Self {
            body,
            delay_seconds,
            group: Some(task.endpoint.to_string()),
            reason: None,
        })
    }

    /// A message that can't be handled, as it came, with the reason as an attribute.
    #[must_use]
    pub fn set_aside(body: String, reason: &str) -> Self {
        // SQS counts attributes as part of the message, which should not become much larger by its reason.
        let reason = reason.chars().take(200).collect();
        Self {
            body,
            delay_seconds: 0,
            group: None,
            reason: Some(reason),
        }
    }

    /// An event of a workspace, in its group, as producers are asked to send theirs.
    #[must_use]
    pub fn event(body: String, workspace: &WorkspaceId) -> Self {
        Self {
            body,
            delay_seconds: 0,
            group: Some(workspace.to_string()),
            reason: None,
        }
    }

    /// A plain message, after a delay.
    #[must_use]
    pub fn plain(body: String, delay_seconds: u16) -> Self {
        Self {
            body,
            delay_seconds,
            group: None,
            reason: None,
        }
    }

    fn bytes(&self) -> usize {
        self.body.len() + self.reason.as_ref().map_or(0, |reason| reason.len() + 20)
    }

    fn entry(&self, index: usize) -> Result<SendMessageBatchRequestEntry, Error> {
        let reason = self.reason.as_ref().map(|reason| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(reason)
                .build()
        });
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(&self.body)
            .set_message_group_id(self.group.clone());
        if self.delay_seconds > 0 {
            entry = entry.delay_seconds(i32::from(self.delay_seconds.min(MAX_DELAY_SECONDS)));
        }
        if let Some(reason) = reason {
            entry =
                entry.message_attributes("reason", reason.map_err(Error::unsendable("SendMessageBatch"))?);
        }
        entry.build().map_err(Error::unsendable("SendMessageBatch"))
    }
}

/// The client of the queues.
#[derive(Debug)]
pub struct Queues {
    client: Client,
}

impl Queues {
    /// The queues of the deployment.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// Puts messages on a queue. The results are in the order of the messages; `Ok` means that SQS has it.
    pub async fn send(&self, url: &str, messages: &[Outgoing]) -> Vec<Result<(), Error>> {
        let chunks = chunks(messages);
        let mut results = Vec::with_capacity(messages.len());
        for calls in chunks.chunks(MAX_CALLS_AT_ONCE) {
            let sent = join_all(calls.iter().map(|chunk| self.send_chunk(url, chunk))).await;
            results.extend(sent.into_iter().flatten());
        }
        results
    }

    /// Puts messages on a queue, each with what it is sent for, which is returned with its result.
    pub async fn send_each<T>(&self, url: &str, messages: Vec<(T, Outgoing)>) -> Vec<(T, Result<(), Error>)> {
        let (purposes, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        purposes
            .into_iter()
            .zip(self.send(url, &messages).await)
            .collect()
    }

    /// Puts one message on a queue.
    ///
    /// # Errors
    /// SQS did not take it.
    pub async fn send_one(&self, url: &str, message: Outgoing) -> Result<(), Error> {
        self.send(url, &[message])
            .await
            .pop()
            .unwrap_or(Err(Error::LeftUndone("SendMessageBatch")))
    }

    /// Makes received messages visible again after so many seconds. A failure is harmless: they become visible
    /// when their time-out ends.
    pub async fn make_visible_in(&self, url: &str, seconds: i32, receipt_handles: &[String]) {
        for chunk in receipt_handles.chunks(MAX_CALL_MESSAGES) {
            let entries = chunk.iter().enumerate().filter_map(|(index, handle)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder();
                entry
                    .id(index.to_string())
                    .receipt_handle(handle)
                    .visibility_timeout(seconds)
                    .build()
                    .ok()
            });
            let call = self.client.change_message_visibility_batch().queue_url(url);
            if let Err(error) = call.set_entries(Some(entries.collect())).send().await {
                let error = Error::aws("ChangeMessageVisibilityBatch")(error);
                tracing::warn!(
                    error = error.chain(),
                    "messages come back only when their visibility time-out ends"
                );
            }
        }
    }

    /// Sends messages in one call; those that SQS did not take are sent again.
    async fn send_chunk(&self, url: &str, chunk: &[Outgoing]) -> Vec<Result<(), Error>> {
        let mut results: Vec<_> = chunk
            .iter()
            .map(|_| Err(Error::LeftUndone("SendMessageBatch")))
            .collect();
        let mut tries = TRIES;
        loop {
            if let Err(error) = self.send_missing(url, chunk, &mut results).await {
                let unsent = results.iter_mut().filter(|result| result.is_err());
                unsent.for_each(|result| *result = Err(error.again()));
                tracing::warn!(
                    error = error.chain(),
                    messages = chunk.len(),
                    "messages were not sent"
                );
                return results;
            }
            if results.iter().all(Result::is_ok) || !tries.wait().await {
                return results;
            }
        }
    }

    async fn send_missing(
        &self,
        url: &str,
        chunk: &[Outgoing],
        results: &mut [Result<(), Error>],
    ) -> Result<(), Error> {
        let missing = results
            .iter()
            .enumerate()
            .filter(|(_, result)| result.is_err())
            .map(|(index, _)| index);
        let entries: Result<Vec<_>, Error> = missing.map(|index| chunk[index].entry(index)).collect();
        let call = self
            .client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries?));
        let answer = call.send().await.map_err(Error::aws("SendMessageBatch"))?;
        for taken in answer.successful() {
            if let Some(result) = taken
                .id()
                .parse()
                .ok()
                .and_then(|index: usize| results.get_mut(index))
            {
                *result = Ok(());
            }
        }
        Ok(())
    }
}

/// Cuts messages into chunks that one call may have, keeping their order.
fn chunks(messages: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, message) in messages.iter().enumerate() {
        let full = index - start == MAX_CALL_MESSAGES || bytes + message.bytes() > MAX_CALL_BYTES;
        if full && index > start {
            chunks.push(&messages[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += message.bytes();
    }
    if start < messages.len() {
        chunks.push(&messages[start..]);
    }
    chunks
}

/// The message on the purges queue: an endpoint to be cleaned up after, if it is gone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Purge {
    /// Whose endpoint it is, or was.
    pub workspace: WorkspaceId,
    /// The endpoint.
    pub endpoint: EndpointId,
}

impl Purge {
    /// The purge as a message, after a delay.
    ///
    /// # Errors
    /// It can't be written as JSON, which its types rule out.
    pub fn outgoing(&self, delay_seconds: u16) -> Result<Outgoing, Error> {
        let body = serde_json::to_string(self).map_err(Error::unsendable("SendMessageBatch"))?;
        Ok(Outgoing::plain(body, delay_seconds))
    }
}

/// The message on the recoveries queue: a turn of a recovery to be made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turn {
    /// Whose endpoint it is.
    pub workspace: WorkspaceId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The recovery.
    pub recovery: RecoveryId,
    /// The turn's number.
    pub turn: u64,
}

impl Turn {
    /// The turn as a message, after a delay.
    ///
    /// # Errors
    /// It can't be written as JSON, which its types rule out.
    pub fn outgoing(&self, delay_seconds: u16) -> Result<Outgoing, Error> {
        let body = serde_json::to_string(self).map_err(Error::unsendable("SendMessageBatch"))?;
        Ok(Outgoing::plain(body, delay_seconds))
    }
}

#[cfg(test)]
mod compat;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_hold_every_message_once_within_the_quotas(sizes in proptest::collection::vec(0_usize..200_000, 0..60)) {
            let messages: Vec<_> = sizes.iter().map(|size| Outgoing::plain("a".repeat(*size), 0)).collect();

            let chunks = chunks(&messages);

            prop_assert_eq!(chunks.iter().map(|chunk| chunk.len()).sum::<usize>(), messages.len());
            for chunk in chunks {
                prop_assert!((1..=MAX_CALL_MESSAGES).contains(&chunk.len()));
                prop_assert!(chunk.len() == 1 || chunk.iter().map(Outgoing::bytes).sum::<usize>() <= MAX_CALL_BYTES);
            }
        }
    }
}
