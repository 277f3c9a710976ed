//! A fast stand-in for AWS in this process. It keeps what the functions store, answers as AWS would wherever the
//! benchmark needs it, and counts: calls by action, and the units that they would be billed as.

mod bill;
mod dynamodb;
mod expression;
mod item;
mod partiql;
mod query;
mod queues;
mod secrets;
mod table;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use jiff::SignedDuration;
use serde_json::{Value, json};

pub(crate) use bill::Bill;
pub(crate) use queues::Sent;

use crate::server::Server;
use crate::template::Template;

/// The stand-in; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Aws {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    bill: Bill,
    first_call: Option<Instant>,
    latency: Duration,
    tables: dynamodb::Tables,
    queues: queues::Queues,
    secrets: secrets::Secrets,
}

impl Aws {
    /// Starts it with empty tables and queues. Each call takes at least `latency`.
    pub(crate) async fn start(template: &Template, latency: Duration) -> Result<Self> {
        let state = Arc::new(Mutex::new(State {
            bill: Bill::default(),
            first_call: None,
            latency,
            tables: dynamodb::Tables::new(template.tables()),
            queues: queues::Queues::default(),
            secrets: secrets::Secrets::default(),
        }));
        let answering = Arc::clone(&state);
        let server = Server::start(move |request| respond(Arc::clone(&answering), request)).await?;
        Ok(Self { server, state })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Takes the messages that were put on a queue, named as in the template.
    pub(crate) fn take_messages(&self, queue: &str) -> Vec<Sent> {
        self.with(|state| state.queues.take(queue))
    }

    /// What was billed since the last time.
    pub(crate) fn take_bill(&self) -> Bill {
        self.with(|state| std::mem::take(&mut state.bill))
    }

    /// When the first call since the last time arrived.
    pub(crate) fn take_first_call(&self) -> Option<Instant> {
        self.with(|state| state.first_call.take())
    }

    /// Adds records to the history of an endpoint that has one, as if it had this many older deliveries.
    pub(crate) fn lengthen_history(&self, endpoint: &str, deliveries: usize, spread: SignedDuration) {
        self.with(|state| state.tables.lengthen_history(endpoint, deliveries, spread));
    }

    /// Keeps an item without billing it.
    pub(crate) fn keep(&self, table: &str, item: Value) {
        self.with(|state| state.tables.keep(table, item));
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn respond(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let arrived = Instant::now();
    let (head, body) = request.into_parts();
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let target = target.unwrap_or("Scheduler.CreateSchedule").to_owned();
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let input = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let (answer, latency) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.first_call.get_or_insert(arrived);
        (state.answer(&target, &input, bytes.len()), state.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let status = if answer.get("__type").is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0");
    Ok(response
        .body(Full::new(Bytes::from(answer.to_string())))
        .unwrap_or_default())
}

impl State {
    fn answer(&mut self, target: &str, input: &Value, bytes: usize) -> Value {
        let (service, action) = target.split_once('.').unwrap_or(("", target));
        match service {
            "AmazonSQS" => {
                self.bill.queue_call(action, bytes);
                self.queues.answer(action, input)
            }
            "secretsmanager" => {
                self.bill.call("Secrets Manager", action);
                self.secrets.answer(action, input)
            }
            "Scheduler" => {
                self.bill.call("Scheduler", action);
                self.queues.schedule(input);
                json!({ "ScheduleArn": "arn:aws:scheduler:us-east-1:000000000000:schedule/bench/bench" })
            }
            _ => {
                self.bill.call("DynamoDB", action);
                self.tables.answer(action, input, &mut self.bill)
            }
        }
    }
}
