//! Queues in memory. Delays are ignored: the benchmark counts, and does not wait.

use std::collections::HashMap;

use serde_json::{Value, json};

/// A message that a function has sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Its body.
    pub(crate) body: String,
}

/// All queues, by their names.
#[derive(Debug, Default)]
pub(super) struct Queues {
    messages: HashMap<String, Vec<Sent>>,
}

impl Queues {
    /// Takes all messages of a queue.
    pub(super) fn take(&mut self, queue: &str) -> Vec<Sent> {
        self.messages.remove(queue).unwrap_or_default()
    }

    /// Answers a call.
    pub(super) fn answer(&mut self, action: &str, input: &Value) -> Value {
        let url = input["QueueUrl"].as_str().unwrap_or_default();
        let queue = url.rsplit('/').next().unwrap_or_default().to_owned();
        if action == "SendMessage" {
            self.add(queue, &input["MessageBody"]);
            return json!({ "MessageId": "0" });
        }
        let entries = input["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if action == "SendMessageBatch" {
            for entry in entries {
                self.add(queue.clone(), &entry["MessageBody"]);
            }
        }
        let taken = entries
            .iter()
            .map(|entry| json!({ "Id": entry["Id"], "MessageId": "0", "MD5OfMessageBody": "0" }));
        json!({ "Successful": taken.collect::<Vec<_>>(), "Failed": [] })
    }

    /// Puts what a schedule is to send on its queue.
    pub(super) fn schedule(&mut self, input: &Value) {
        let arn = input["Target"]["Arn"].as_str().unwrap_or_default();
        let queue = arn.rsplit(':').next().unwrap_or_default().to_owned();
        self.add(queue, &input["Target"]["Input"]);
    }

    fn add(&mut self, queue: String, body: &Value) {
        let body = body.as_str().unwrap_or_default().to_owned();
        self.messages.entry(queue).or_default().push(Sent { body });
    }
}
