//! The queues as an operator sees them: filled in bulk, looked into, emptied.

use std::collections::HashMap;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};
use futures::{StreamExt, stream};

use crate::support::aws;
use crate::support::queues::url;

/// Batches on their way at once.
const SENDERS: usize = 8;

/// A message that was refused, and why.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) body: String,
    /// Empty if there is none.
    pub(crate) reason: String,
}

/// Sends messages in batches, several at once; each batch is smaller than what a call may have.
pub(crate) async fn send_all(name: &str, group: Option<&str>, bodies: &[String]) {
    let sqs = aws::sqs();
    stream::iter(bodies.chunks(10))
        .for_each_concurrent(SENDERS, |chunk| send_batch(&sqs, url(name), group, chunk))
        .await;
}

async fn send_batch(sqs: &aws_sdk_sqs::Client, url: &str, group: Option<&str>, bodies: &[String]) {
    let entry = |(index, body): (usize, &String)| {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .set_message_group_id(group.map(str::to_owned))
            .message_body(body);
        entry.build().expect("a complete entry")
    };
    let entries = bodies.iter().enumerate().map(entry).collect();
    let call = sqs.send_message_batch().queue_url(url).set_entries(Some(entries));
    let answer = call.send().await.expect("the queue takes the batch");
    assert!(answer.failed().is_empty(), "{:?}", answer.failed());
}

/// How many messages a queue holds: those that wait, are in flight, or are delayed.
pub(crate) async fn depth(name: &str) -> usize {
    let counts = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let call = aws::sqs()
        .get_queue_attributes()
        .queue_url(url(name))
        .set_attribute_names(Some(counts.to_vec()));
    let answer = call.send().await.expect("the queue exists");
    let attributes: HashMap<_, _> = answer.attributes.unwrap_or_default();
    attributes
        .values()
        .filter_map(|count| count.parse::<usize>().ok())
        .sum()
}

/// Sets for how long a received message is hidden. A function that is killed keeps its messages for so long.
pub(crate) async fn hide_received_for(name: &str, seconds: u32) {
    let call = aws::sqs()
        .set_queue_attributes()
        .queue_url(url(name))
        .attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
    call.send().await.expect("the queue exists");
}

/// Throws every message of a queue away, those too that are in flight or delayed.
pub(crate) async fn purge(name: &str) {
    let purge = aws::sqs().purge_queue().queue_url(url(name));
    purge.send().await.expect("the queue exists");
}

/// Takes every message from a queue that no function reads.
pub(crate) async fn empty(name: &str) -> Vec<Refused> {
    let sqs = aws::sqs();
    let mut all = Vec::new();
    loop {
        let call = sqs
            .receive_message()
            .queue_url(url(name))
            .max_number_of_messages(10)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let received = call
            .send()
            .await
            .expect("the queue exists")
            .messages
            .unwrap_or_default();
        if received.is_empty() {
            return all;
        }
        for message in received {
            let handle = message.receipt_handle.expect("a receipt");
            let deletion = sqs.delete_message().queue_url(url(name)).receipt_handle(handle);
            deletion.send().await.expect("the message goes");
            let reason = message
                .message_attributes
                .as_ref()
                .and_then(|attributes| attributes.get("reason"))
                .and_then(|reason| reason.string_value.clone());
            all.push(Refused {
                body: message.body.unwrap_or_default(),
                reason: reason.unwrap_or_default(),
            });
        }
    }
}
