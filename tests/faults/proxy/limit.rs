//! A partition key that takes so many writes a second, as DynamoDB's do: a call with many statements succeeds for some of
//! them, and the others are throttled one by one.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Call, lock, proxy};
use crate::faults::STACK;

/// How many writes of one key have room, and how many were refused.
pub(super) struct Limit {
    key: String,
    per_second: f64,
    room: Mutex<Room>,
}

struct Room {
    writes: f64,
    since: Instant,
    refused: usize,
}

/// A limit that is there until this is dropped.
pub(crate) struct Limited(Arc<Limit>);

/// Lets a key take so many writes a second.
pub(crate) fn limit_writes(key: &str, per_second: u32) -> Limited {
    let limit = Arc::new(Limit {
        key: key.to_owned(),
        per_second: per_second.into(),
        room: Mutex::new(Room {
            writes: per_second.into(),
            since: Instant::now(),
            refused: 0,
        }),
    });
    lock(&proxy().limits).push(Arc::clone(&limit));
    Limited(limit)
}

impl Limited {
    /// How many writes were refused.
    pub(crate) fn refused(&self) -> usize {
        lock(&self.0.room).refused
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        lock(&proxy().limits).retain(|limit| !Arc::ptr_eq(limit, &self.0));
    }
}

impl Limit {
    /// Whether a statement may be run; one write unit each, which is what records of up to 1 KB take.
    fn allows(&self, statement: &Value) -> bool {
        if !statement.to_string().contains(&format!("\"{}\"", self.key)) {
            return true;
        }
        let mut room = lock(&self.room);
        let gained = room.since.elapsed().as_secs_f64() * self.per_second;
        room.writes = (room.writes + gained).min(self.per_second);
        room.since = Instant::now();
        if room.writes < 1.0 {
            room.refused += 1;
            return false;
        }
        room.writes -= 1.0;
        true
    }
}

/// A call of which some statements are throttled.
pub(super) struct PartlyThrottled {
    request: Value,
    allowed: Vec<bool>,
}

/// What the limits do to a call; `None` if they let it pass.
pub(super) fn of_writes(call: &Call) -> Option<PartlyThrottled> {
    let limits = lock(&proxy().limits).clone();
    if limits.is_empty() || !call.name.starts_with("BatchExecuteStatement") {
        return None;
    }
    let request: Value = serde_json::from_slice(&call.body).ok()?;
    let statements = request["Statements"].as_array()?;
    let allowed: Vec<bool> = statements
        .iter()
        .map(|statement| limits.iter().all(|limit| limit.allows(statement)))
        .collect();
    allowed
        .contains(&false)
        .then_some(PartlyThrottled { request, allowed })
}

impl PartlyThrottled {
    /// Runs what is allowed, and answers for all in their order. The call itself can't be passed on with fewer statements,
    /// because its body is signed.
    pub(super) async fn answer(self) -> io::Result<Response<Full<Bytes>>> {
        let statements = self.request["Statements"].as_array().into_iter().flatten();
        let allowed = statements
            .zip(&self.allowed)
            .filter(|(_, allowed)| **allowed)
            .map(|(statement, _)| statement_of(statement));
        let allowed: Vec<_> = allowed.collect();
        let mut run = Vec::new().into_iter();
        if !allowed.is_empty() {
            let dynamodb = STACK.dynamodb();
            let call = dynamodb.batch_execute_statement().set_statements(Some(allowed));
            let answer = call.send().await.map_err(io::Error::other)?;
            run = answer.responses.unwrap_or_default().into_iter();
        }
        let throttled =
            json!({ "Error": { "Code": "ProvisionedThroughputExceeded", "Message": "injected" } });
        let answers = self.allowed.iter().map(|allowed| {
            if !allowed {
                return throttled.clone();
            }
            match run.next().and_then(|response| response.error) {
                None => json!({}),
                Some(error) => {
                    let code = error.code().map(BatchStatementErrorCodeEnum::as_str);
                    json!({ "Error": { "Code": code, "Message": error.message() } })
                }
            }
        });
        let body = json!({ "Responses": answers.collect::<Vec<_>>() });
        Ok(super::answer::success(&body))
    }
}

fn statement_of(request: &Value) -> BatchStatementRequest {
    let parameters = request["Parameters"].as_array().into_iter().flatten();
    BatchStatementRequest::builder()
        .statement(request["Statement"].as_str().unwrap_or_default())
        .set_parameters(Some(parameters.map(value_of).collect()))
        .build()
        .expect("a statement")
}

/// A value as DynamoDB's JSON writes it, of the types that this system stores.
fn value_of(json: &Value) -> AttributeValue {
    let (kind, value) = json
        .as_object()
        .and_then(|object| object.iter().next())
        .expect("a typed value");
    let text = || value.as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value == true),
        "L" => AttributeValue::L(value.as_array().into_iter().flatten().map(value_of).collect()),
        "M" => {
            let members = value.as_object().into_iter().flatten();
            AttributeValue::M(
                members
                    .map(|(name, value)| (name.clone(), value_of(value)))
                    .collect(),
            )
        }
        other => panic!("a value of the type {other}"),
    }
}
