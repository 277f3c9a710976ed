//! The messages of one invocation, and which of them are done.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::Deserialize;

use super::Deadline;

/// A received message. Its body is text until the handler has looked at it: one that is malformed concerns no other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id, which stays the same when it comes back.
    #[serde(rename = "messageId")]
    pub id: String,
    /// What it is made visible again with.
    pub receipt_handle: String,
    /// What was sent.
    pub body: String,
    /// The ARN of its queue.
    #[serde(rename = "eventSourceARN")]
    pub queue_arn: String,
    /// What SQS knows of it.
    pub attributes: Attributes,
}

/// What SQS knows of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// How often it was received, this time included, as text.
    pub approximate_receive_count: String,
}

impl Message {
    /// How often it was received, this time included.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.attributes.approximate_receive_count.parse().unwrap_or(1)
    }
}

/// The messages of one invocation. Those that are acknowledged are deleted; all others come back, whatever becomes of the
/// invocation.
#[derive(Debug)]
pub struct Batch {
    /// The messages.
    pub messages: Vec<Message>,
    /// When the function is cut off.
    pub deadline: Deadline,
    acknowledged: RefCell<HashSet<String>>,
}

impl Batch {
    /// Messages of which none is done.
    #[must_use]
    pub fn new(messages: Vec<Message>, deadline: Deadline) -> Self {
        Self {
            messages,
            deadline,
            acknowledged: RefCell::default(),
        }
    }

    /// Says that nothing is left to do for a message: what follows from it is recorded, or on another queue.
    pub fn acknowledge(&self, message: &Message) {
        self.acknowledged.borrow_mut().insert(message.id.clone());
    }

    /// The messages that come back.
    #[must_use]
    pub fn unacknowledged(&self) -> Vec<&Message> {
        let acknowledged = self.acknowledged.borrow();
        let messages = self.messages.iter();
        messages
            .filter(|message| !acknowledged.contains(&message.id))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_acknowledged_comes_back() {
        let message = |id: &str| Message {
            id: id.to_owned(),
            receipt_handle: String::new(),
            body: String::new(),
            queue_arn: String::new(),
            attributes: Attributes {
                approximate_receive_count: "1".to_owned(),
            },
        };
        let deadline = Deadline::after(Duration::from_secs(1));
        let batch = Batch::new(vec![message("a"), message("b"), message("c")], deadline);

        batch.acknowledge(&batch.messages[1]);

        let left: Vec<_> = batch
            .unacknowledged()
            .iter()
            .map(|left| left.id.clone())
            .collect();
        assert_eq!(left, ["a", "c"]);
    }
}
