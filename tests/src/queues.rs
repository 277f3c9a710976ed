//! The queues of a stack: filled, looked into and emptied as an operator could, and by the emulator's own view, which
//! shows invisible and delayed messages too and leaves the functions undisturbed.

use std::panic::{AssertUnwindSafe, resume_unwind};

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};

use crate::{SuiteStack, eventually};

/// Calls on their way at once.
const SENDERS: usize = 8;

/// A queue of the template.
pub struct Queue<'stack> {
    stack: &'stack SuiteStack,
    url: &'stack str,
    name: String,
}

/// A message that was set aside, and why.
#[derive(Debug)]
pub struct SetAside {
    /// As it was sent.
    pub body: String,
    /// Empty if there is none.
    pub reason: String,
}

/// A message that was received and not deleted.
#[derive(Debug)]
pub struct ReceivedMessage {
    /// As it was sent.
    pub body: String,
    handle: String,
}

/// A message as Lambda hands it to a function that reads a queue.
pub fn record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "none",
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1" },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:none",
    })
}

impl SuiteStack {
    /// A queue by its name in the template.
    pub fn queue(&self, name: &str) -> Queue<'_> {
        let url = self
            .queues
            .get(name)
            .unwrap_or_else(|| panic!("the template has no {name}"));
        Queue {
            stack: self,
            url,
            name: name.to_owned(),
        }
    }
}

impl Queue<'_> {
    /// Puts a message on the queue, which no producer may do but on the events queue.
    pub async fn send(&self, body: &str) {
        let request = self
            .stack
            .sqs()
            .send_message()
            .queue_url(self.url)
            .message_body(body);
        request.send().await.expect("the queue takes the message");
    }

    /// Sends messages ten a call, several calls at once; ten are smaller than what a call may have.
    pub async fn send_all(&self, bodies: &[String]) {
        let sqs = self.stack.sqs();
        stream::iter(bodies.chunks(10))
            .for_each_concurrent(SENDERS, |chunk| self.send_chunk(&sqs, chunk))
            .await;
    }

    async fn send_chunk(&self, sqs: &aws_sdk_sqs::Client, bodies: &[String]) {
        let entry = |(index, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body);
            entry.build().expect("a complete entry")
        };
        let entries = bodies.iter().enumerate().map(entry).collect();
        let call = sqs
            .send_message_batch()
            .queue_url(self.url)
            .set_entries(Some(entries));
        let answer = call.send().await.expect("the queue takes the messages");
        assert!(answer.failed().is_empty(), "{:?}", answer.failed());
    }

    /// How many messages the queue holds: those that wait, are in flight, or are delayed.
    pub async fn depth(&self) -> usize {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let sqs = self.stack.sqs();
        let call = sqs
            .get_queue_attributes()
            .queue_url(self.url)
            .set_attribute_names(Some(counts.to_vec()));
        let answer = call.send().await.expect("the queue exists");
        let attributes = answer.attributes.unwrap_or_default();
        attributes
            .values()
            .filter_map(|count| count.parse::<usize>().ok())
            .sum()
    }

    /// Sets for how long a received message is hidden. A function that is killed keeps its messages for so long.
    pub async fn hide_received_for(&self, seconds: u32) {
        let sqs = self.stack.sqs();
        let call = sqs
            .set_queue_attributes()
            .queue_url(self.url)
            .attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
        call.send().await.expect("the queue exists");
    }

    /// Does something while the function that reads the queue is stopped. It reads again afterwards, even if `act` panics, so
    /// that a test that fails does not stop the others.
    pub async fn while_paused<T>(&self, act: impl AsyncFnOnce() -> T) -> T {
        self.set_sources(false).await;
        let ended = AssertUnwindSafe(Box::pin(act())).catch_unwind().await;
        self.set_sources(true).await;
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }

    async fn set_sources(&self, enabled: bool) {
        let lambda = self.stack.lambda();
        let arn = self.arn().await;
        let sources = lambda.list_event_source_mappings().event_source_arn(&arn);
        let sources = sources.send().await.expect("the queue has event sources");
        let sources = sources.event_source_mappings.unwrap_or_default();
        assert!(!sources.is_empty(), "a function reads {}", self.name);
        for source in sources {
            let change = lambda.update_event_source_mapping().enabled(enabled);
            let change = change.set_uuid(source.uuid).send();
            change.await.expect("the event source can be changed");
        }
    }

    /// The queue's ARN.
    pub async fn arn(&self) -> String {
        let sqs = self.stack.sqs();
        let call = sqs
            .get_queue_attributes()
            .queue_url(self.url)
            .attribute_names(QueueAttributeName::QueueArn);
        let answer = call.send().await.expect("the queue exists");
        let mut attributes = answer.attributes.unwrap_or_default();
        attributes
            .remove(&QueueAttributeName::QueueArn)
            .expect("a queue has an ARN")
    }

    /// Receives a message whose body contains `part` and keeps it for so many seconds, as a consumer does that dies.
    pub async fn receive(&self, part: &str, hidden_seconds: i32) -> ReceivedMessage {
        let sqs = self.stack.sqs();
        eventually(&format!("a message to receive on {}", self.name), async || {
            let call = sqs
                .receive_message()
                .queue_url(self.url)
                .max_number_of_messages(10)
                .visibility_timeout(hidden_seconds);
            let answer = call.send().await.expect("the queue exists");
            let messages = answer.messages.unwrap_or_default().into_iter();
            let mut bodies = messages.filter_map(|message| Some((message.body?, message.receipt_handle?)));
            let (body, handle) = bodies.find(|(body, _)| body.contains(part))?;
            Some(ReceivedMessage { body, handle })
        })
        .await
    }

    /// Asks for messages and takes none, which is when SQS moves those that were received too often.
    pub async fn sweep(&self) {
        let sqs = self.stack.sqs();
        let call = sqs.receive_message().queue_url(self.url).visibility_timeout(0);
        call.send().await.expect("the queue exists");
    }

    /// Deletes a received message.
    pub async fn delete(&self, message: ReceivedMessage) {
        let sqs = self.stack.sqs();
        let deletion = sqs
            .delete_message()
            .queue_url(self.url)
            .receipt_handle(message.handle);
        deletion.send().await.expect("the message goes");
    }

    /// Takes every message from the queue, which no function may be reading.
    pub async fn empty(&self) -> Vec<SetAside> {
        let sqs = self.stack.sqs();
        let mut all = Vec::new();
        loop {
            let call = sqs
                .receive_message()
                .queue_url(self.url)
                .max_number_of_messages(10)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All");
            let answer = call.send().await.expect("the queue exists");
            let received = answer.messages.unwrap_or_default();
            if received.is_empty() {
                return all;
            }
            for message in received {
                let handle = message.receipt_handle.expect("a receipt");
                let deletion = sqs.delete_message().queue_url(self.url).receipt_handle(handle);
                deletion.send().await.expect("the message goes");
                let reason = message
                    .message_attributes
                    .as_ref()
                    .and_then(|attributes| attributes.get("reason"))
                    .and_then(|reason| reason.string_value.clone());
                all.push(SetAside {
                    body: message.body.unwrap_or_default(),
                    reason: reason.unwrap_or_default(),
                });
            }
        }
    }

    /// The messages whose body contains `part`; none of them is received.
    pub async fn messages(&self, part: &str) -> Vec<Value> {
        let name = self.url.rsplit('/').next().unwrap_or_default();
        let asked = format!(
            "{}/_ministack/sqs/messages?QueueUrl={name}",
            self.stack.aws_endpoint_url
        );
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        let answer = client.get(asked).send().await.expect("the emulator answers");
        let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("an answer")).expect("JSON");
        // By account, region and queue.
        let mut found = vec![&answer["messages"]];
        for _ in 0..3 {
            found = found
                .into_iter()
                .filter_map(Value::as_object)
                .flat_map(|values| values.values())
                .collect();
        }
        let messages = found.into_iter().filter_map(Value::as_array).flatten();
        messages
            .filter(|message| message["Body"].as_str().is_some_and(|body| body.contains(part)))
            .cloned()
            .collect()
    }

    /// Waits until no message's body contains `part`.
    pub async fn wait_until_none(&self, part: &str) {
        eventually(&format!("no message on {}", self.name), async || {
            self.messages(part).await.is_empty().then_some(())
        })
        .await;
    }

    /// Waits for a message of exactly this body and returns the reason for which it was set aside.
    pub async fn reason(&self, body: &str) -> String {
        eventually(&format!("a message with a reason on {}", self.name), async || {
            let messages = self.messages(body).await;
            let message = messages.into_iter().find(|message| message["Body"] == body)?;
            message["MessageAttributes"]["reason"]["StringValue"]
                .as_str()
                .map(str::to_owned)
        })
        .await
    }
}
