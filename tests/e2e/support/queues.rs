//! What is on the queues. The emulator shows all messages, the invisible and the delayed ones too, and receiving
//! none of them leaves the functions undisturbed.

use serde_json::{Value, json};

use super::{aws, eventually, stack};

/// The url of a queue of the template.
pub(crate) fn url(queue: &str) -> &'static str {
    stack()
        .queues
        .get(queue)
        .unwrap_or_else(|| panic!("the template has no {queue}"))
}

/// Puts a message on a queue, which no producer may do but on the events queue.
pub(crate) async fn send(queue: &str, body: &str) {
    let request = aws::sqs().send_message().queue_url(url(queue)).message_body(body);
    request.send().await.expect("the queue takes the message");
}

/// A message as Lambda hands it to a function that reads a queue.
pub(crate) fn record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "none",
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1" },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:none",
    })
}

/// The messages on a queue, named as in the template, whose body contains `part`.
pub(crate) async fn messages(queue: &str, part: &str) -> Vec<Value> {
    let name = url(queue).rsplit('/').next().unwrap_or_default();
    let asked = format!(
        "{}/_ministack/sqs/messages?QueueUrl={name}",
        stack().aws_endpoint_url
    );
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("an HTTP client");
    let answer = client.get(asked).send().await.expect("the emulator answers");
    let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("an answer")).expect("JSON");
    let accounts = answer["messages"]
        .as_object()
        .into_iter()
        .flat_map(|accounts| accounts.values());
    let queues = accounts.flat_map(|regions| {
        regions
            .as_object()
            .into_iter()
            .flat_map(|regions| regions.values())
    });
    let lists = queues.flat_map(|queues| queues.as_object().into_iter().flat_map(|queues| queues.values()));
    let messages = lists.flat_map(|list| list.as_array().cloned().unwrap_or_default());
    messages
        .filter(|message| message["Body"].as_str().is_some_and(|body| body.contains(part)))
        .collect()
}

/// Waits until a queue has no message whose body contains `part`.
pub(crate) async fn wait_until_none(queue: &str, part: &str) {
    eventually(&format!("no message on {queue}"), async || {
        messages(queue, part).await.is_empty().then_some(())
    })
    .await;
}

/// Waits for a message of exactly this body on the rejected-events queue and returns its reason.
pub(crate) async fn rejection(body: &str) -> String {
    eventually("a rejected message", async || {
        let messages = messages("RejectedEventsQueue", body).await;
        let message = messages.into_iter().find(|message| message["Body"] == body)?;
        message["MessageAttributes"]["reason"]["StringValue"]
            .as_str()
            .map(str::to_owned)
    })
    .await
}
