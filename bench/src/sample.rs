//! What functions are invoked with: events as producers write them, batches as event sources hand them over, and the
//! repository's own samples.

use std::time::Duration;

use anyhow::{Context, Result};
use local::root;
use serde_json::{Value, json};
use shared::domain::id::DeliveryId;
use shared::domain::task::Task;

use crate::aws::Sent;
use crate::template::arn;

/// The event type of every event.
pub(crate) const EVENT: &str = "survey.response.created";

/// An event of this many bytes.
pub(crate) fn event(workspace: &str, id: &str, bytes: usize) -> String {
    let with = |text: &str| {
        format!(
            "{{\"id\":\"{id}\",\"event\":\"{EVENT}\",\"created_at\":\"2026-06-07T10:30:00Z\",\
             \"workspace_id\":\"{workspace}\",\"data\":{{\"comment\":\"{text}\"}}}}"
        )
    };
    with(&"x".repeat(bytes.saturating_sub(with("").len())))
}

/// A batch as an event source hands it to a function. The end of a message's id is its place in the batch.
pub(crate) fn batch(queue: &str, messages: &[Sent]) -> Value {
    let record = |(index, message): (usize, &Sent)| {
        json!({
            "messageId": format!("059f36b4-87a3-44ab-83d2-{index:012}"),
            "receiptHandle": format!("AQEB{index:0180}"),
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795435200000",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1795435200010",
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": arn(queue),
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// Makes the event of a task one that was accepted so much earlier.
pub(crate) fn make_older(sent: &mut Sent, age: Duration) -> Result<()> {
    let mut task: Task = serde_json::from_str(&sent.body)?;
    let accepted_at = task.delivery.accepted_at().context("the id holds a time")?;
    task.delivery = DeliveryId::derive(accepted_at - age, &task.event_id, &task.endpoint);
    sent.body = serde_json::to_string(&task)?;
    Ok(())
}

/// The messages of a batch that a function's answer names as failed.
pub(crate) fn failures(answer: &Value, messages: &[Sent]) -> Vec<Sent> {
    let failures = answer["batchItemFailures"].as_array().into_iter().flatten();
    let place = |failure: &Value| {
        let id = failure["itemIdentifier"].as_str()?;
        id.rsplit('-').next()?.parse::<usize>().ok()
    };
    failures
        .filter_map(place)
        .filter_map(|place| messages.get(place).cloned())
        .collect()
}

/// The sample event of a function.
pub(crate) fn of(function: &str) -> Result<Value> {
    let path = root().join("events").join(format!("{function}.json"));
    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// The sample request of a route, with a valid token.
pub(crate) fn request(function: &str, token: &str) -> Result<Value> {
    let mut request = of(function)?;
    request["headers"]["authorization"] = json!(format!("Bearer {token}"));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_exactly_the_bytes_that_were_asked_for() {
        assert_eq!(event("ws_1", "evt_1", 512).len(), 512);
    }

    #[test]
    fn a_failed_message_is_found_by_its_id() {
        let messages = ["a", "b"].map(|body| Sent {
            body: body.to_owned(),
        });
        let batch = batch("Q", &messages);
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": batch["Records"][1]["messageId"] }] });

        let failed = failures(&answer, &messages);

        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].body, "b");
    }
}
