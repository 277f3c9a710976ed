//! The queue functions with everything around them: their binary, the stand-in for AWS, and the part of Lambda that
//! polls queues. The bill includes what polling would cost: for each ten messages of a batch one `ReceiveMessage` and one
//! `DeleteMessageBatch`, the fewest calls that SQS allows an event source.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use local::Binaries;
use serde::Serialize;
use serde_json::{Value, json};
use shared::domain::id::DeliveryId;
use tokio::process::Command;

use crate::aws::{Aws, Bill, Sent};
use crate::lambda::Function;
use crate::sample;
use crate::template::Template;

/// Bytes that Lambda and SQS add to a message: its ids, its receipt handle and its attributes.
const BATCH_ENVELOPE_BYTES: usize = 600;

/// Most messages of a call
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>).
const MAX_CALL_MESSAGES: usize = 10;

/// Which function reads which queue, in the order in which they are looked at.
const SOURCES: [(&str, &str); 5] = [
    ("EventsQueue", "fan-out"),
    ("DeliveriesQueue", "deliver"),
    ("FailedAttemptsQueue", "retry"),
    ("RetriesQueue", "deliver"),
    ("RecoveriesQueue", "recover"),
];

/// When the deliveries that failed were accepted, in seconds since 1970.
const FAILED_AT: i64 = 1_780_000_000;

/// Attempts of a delivery that has failed for good.
const ATTEMPTS: usize = 8;

/// The queue functions of one stack.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// The stand-in.
    pub(crate) aws: Aws,
    /// An API token of the workspace.
    pub(crate) token: String,
    /// The ids of the workspace's endpoints.
    pub(crate) endpoints: Vec<String>,
    workspace: String,
    binaries: Binaries,
    environment: BTreeMap<String, String>,
    functions: HashMap<&'static str, Function>,
    events: u64,
}

/// What some work took.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Work {
    /// What AWS would bill, including the polling.
    pub(crate) bill: Bill,
    /// Invocations.
    pub(crate) invocations: u64,
    /// How long they took together.
    pub(crate) wall_seconds: f64,
    /// Processor time that they took together.
    pub(crate) processor_seconds: f64,
    /// Lines that they logged.
    pub(crate) log_lines: u64,
    /// Bytes that they logged.
    pub(crate) log_bytes: u64,
}

impl Pipeline {
    /// Starts with one workspace and an endpoint for each url, made by the functions that make them on AWS.
    /// Each call to AWS takes at least `latency`.
    pub(crate) async fn start(binaries: &Binaries, latency: Duration, urls: &[String]) -> Result<Self> {
        let template = Template::read()?;
        let aws = Aws::start(&template, latency).await?;
        let mut environment = template.environment(&aws.url())?;
        // The queues of the stand-in know no delay, and a retry that comes early would go back for the rest of its wait.
        environment.insert("RETRY_SCHEDULE".to_owned(), "0".to_owned());
        let mut pipeline = Self {
            environment,
            aws,
            token: String::new(),
            endpoints: Vec::new(),
            workspace: "ws_01JBENCHBENCHBENCHBENCHBEN".to_owned(),
            binaries: binaries.clone(),
            functions: HashMap::new(),
            events: 0,
        };
        pipeline.token = pipeline.issue_token().await?;
        let create = pipeline.function("create-endpoint").await?;
        for url in urls {
            let answer = create.invoke(&pipeline.create_request(url, "*")?).await?;
            pipeline.endpoints.push(created_id(&answer)?);
        }
        pipeline.aws.take_bill();
        Ok(pipeline)
    }

    /// Starts a function with the stack's environment.
    pub(crate) async fn function(&self, name: &str) -> Result<Function> {
        self.function_by(Command::new(&self.binaries.functions), name)
            .await
    }

    /// Starts a function with the stack's environment by this command, which runs its binary.
    pub(crate) async fn function_by(&self, command: Command, name: &str) -> Result<Function> {
        Function::start(command, name, &self.environment).await
    }

    /// Starts an example with the same environment.
    pub(crate) async fn example(&self, name: &str) -> Result<Function> {
        let example = self.binaries.examples.get(name);
        self.function_by(Command::new(example.context("it was not built")?), name)
            .await
    }

    /// A new API token of the workspace.
    pub(crate) async fn issue_token(&self) -> Result<String> {
        let request =
            json!({ "workspace_id": self.workspace, "scopes": ["webhooks:read", "webhooks:write"] });
        let answer = self.function("issue-token").await?.invoke(&request).await?;
        Ok(answer["token"].as_str().context("no token")?.to_owned())
    }

    /// A new link to the workspace, which can be exchanged once.
    pub(crate) async fn create_link(&self) -> Result<String> {
        let request = json!({ "workspace_id": self.workspace });
        let answer = self
            .function("create-portal-link")
            .await?
            .invoke(&request)
            .await?;
        let url = answer["url"].as_str().unwrap_or_default();
        let (_, link) = url.split_once("#link=").context("no link")?;
        Ok(link.to_owned())
    }

    /// A request that creates an endpoint.
    pub(crate) fn create_request(&self, url: &str, events: &str) -> Result<Value> {
        let mut request = sample::request("create-endpoint", &self.token)?;
        request["body"] = json!(json!({ "url": url, "events": [events] }).to_string());
        Ok(request)
    }

    /// Events of the workspace with this many bytes each, as a producer writes them.
    pub(crate) fn events(&mut self, count: usize, bytes: usize) -> Vec<Sent> {
        let mut event = || {
            self.events += 1;
            let id = format!("evt_01J{:023}", self.events);
            Sent {
                body: sample::event(&self.workspace, &id, bytes),
            }
        };
        (0..count).map(|_| event()).collect()
    }

    /// Keeps deliveries that have failed for good, with their events, as if they had been made before. So many bytes are kept
    /// of each answer.
    pub(crate) fn keep_failed(&mut self, count: usize, event_bytes: usize, body_bytes: usize) -> Result<()> {
        let endpoint = self.endpoints.first().context("no endpoint")?.clone();
        let accepted_at = Timestamp::from_second(FAILED_AT)?;
        let millis = (FAILED_AT * 1000).to_string();
        let mut attempt = json!({
            "at": { "N": millis }, "http_status": { "N": "500" }, "duration_ms": { "N": "87" },
            "failure": { "S": "status" },
        });
        if body_bytes > 0 {
            attempt["response_body"] = json!({ "S": "x".repeat(body_bytes) });
        }
        let attempts = vec![json!({ "M": attempt }); ATTEMPTS];
        for Sent { body } in self.events(count, event_bytes) {
            let event: Value = serde_json::from_str(&body)?;
            let id = event["id"].as_str().context("no id")?;
            let delivery = DeliveryId::derive(accepted_at, &id.parse()?, &endpoint.parse()?);
            self.aws.keep(
                "EventsTable",
                json!({
                    "workspace": { "S": self.workspace }, "event": { "S": id }, "body": { "S": body },
                    "accepted_at": { "N": millis }, "message_id": { "S": "before" }, "expires_at": { "N": "4102444800" },
                }),
            );
            self.aws.keep(
                "DeliveriesTable",
                json!({
                    "endpoint": { "S": endpoint }, "delivery": { "S": delivery.as_str() }, "event_id": { "S": id },
                    "event": event["event"].as_str().map(|name| json!({ "S": name })),
                    "status": { "S": "failed" }, "attempt_count": { "N": ATTEMPTS.to_string() },
                    "attempts": { "L": attempts }, "last_error": { "S": "status" },
                    "undelivered": { "S": format!("failed#{delivery}") }, "expires_at": { "N": "4102444800" },
                }),
            );
        }
        Ok(())
    }

    /// Starts a recovery of everything that failed, at the fastest pace.
    pub(crate) async fn start_recovery(&self) -> Result<()> {
        let request = sample::request("create-recovery", &self.token)?.to_string();
        let endpoint = self.endpoints.first().context("no endpoint")?;
        let mut request: Value = serde_json::from_str(&request.replace("whe_sample", endpoint))?;
        let body = json!({ "since": "2026-01-01T00:00:00Z", "per_second": 200 });
        request["body"] = json!(body.to_string());
        let answer = self.function("create-recovery").await?.invoke(&request).await?;
        ensure!(answer["statusCode"] == 202, "create-recovery answered {answer}");
        Ok(())
    }

    /// Has the function that reads a queue handle these messages, and adds what that took to `work`.
    pub(crate) async fn drain(
        &mut self,
        queue: &'static str,
        messages: &[Sent],
        batch_size: usize,
        work: &mut Work,
    ) -> Result<()> {
        let function = self.reader(queue).await?;
        let (usage, logged) = (function.usage()?, function.logged());
        for batch in messages.chunks(batch_size) {
            let event = sample::batch(queue, batch);
            let start = Instant::now();
            let answer = function.invoke(&event).await?;
            work.wall_seconds += start.elapsed().as_secs_f64();
            work.invocations += 1;
            ensure!(
                sample::failures(&answer, batch).is_empty(),
                "messages of {queue} came back"
            );
            bill_polling(&mut work.bill, batch);
        }
        work.processor_seconds += function.usage()?.processor_since(&usage).as_secs_f64();
        let logged_now = function.logged();
        work.log_lines += logged_now.0 - logged.0;
        work.log_bytes += logged_now.1 - logged.1;
        Ok(())
    }

    /// Handles these events, and what follows from them, until nothing is left on any queue.
    pub(crate) async fn run(&mut self, events: &[Sent], batch_size: usize) -> Result<Work> {
        let mut work = Work::default();
        self.aws.take_bill();
        self.drain("EventsQueue", events, batch_size, &mut work).await?;
        let mut idle = false;
        while !idle {
            idle = true;
            for (queue, _) in SOURCES {
                let messages = self.aws.take_messages(queue);
                if !messages.is_empty() {
                    idle = false;
                    // A turn of a recovery comes alone: there is one at a time.
                    let size = if queue == "RecoveriesQueue" { 1 } else { batch_size };
                    self.drain(queue, &messages, size, &mut work).await?;
                }
            }
        }
        work.bill.add(self.aws.take_bill());
        Ok(work)
    }

    /// The running function that reads a queue.
    async fn reader(&mut self, queue: &str) -> Result<&Function> {
        let source = SOURCES.iter().find(|(source, _)| *source == queue);
        let (_, name) = source.context("nothing reads that queue")?;
        if !self.functions.contains_key(name) {
            let function = self.function(name).await?;
            self.functions.insert(name, function);
        }
        Ok(&self.functions[name])
    }
}

fn created_id(answer: &Value) -> Result<String> {
    ensure!(answer["statusCode"] == 201, "create-endpoint answered {answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
    Ok(body["id"].as_str().context("no id")?.to_owned())
}

fn bill_polling(bill: &mut Bill, batch: &[Sent]) {
    for call in batch.chunks(MAX_CALL_MESSAGES) {
        let bytes = call
            .iter()
            .map(|message| message.body.len() + BATCH_ENVELOPE_BYTES)
            .sum();
        bill.queue_call("ReceiveMessage (polling)", bytes);
        bill.queue_call("DeleteMessageBatch (polling)", 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_received_and_deleted_ten_messages_at_a_time() {
        let calls = |messages: usize| {
            let batch = vec![Sent { body: "x".to_owned() }; messages];
            let mut bill = Bill::default();
            bill_polling(&mut bill, &batch);
            (
                bill.calls_of("SQS ReceiveMessage"),
                bill.calls_of("SQS DeleteMessageBatch"),
            )
        };

        assert_eq!((calls(1), calls(10)), ((1, 1), (1, 1)));
        assert_eq!((calls(11), calls(100)), ((2, 2), (10, 10)));
    }
}
