//! A delivery history written straight into the table: thousands of records, spread over weeks, in no time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use shared::domain::id::{DeliveryId, EndpointId, EventId};
use shared::domain::time;

use crate::SuiteStack;

/// Most items of a `BatchWriteItem`.
const CHUNK: usize = 25;

/// What a few long answers of a receiver add to a record, in bytes.
pub const LONG_ANSWERS: usize = 3_000;

/// The year 2100: no record expires while a test looks at it.
const NEVER: &str = "4102444800";

type Item = HashMap<String, AttributeValue>;

/// A record to be written.
#[derive(Debug, Clone)]
pub struct Record {
    /// The delivery's id.
    pub id: String,
    /// When its event was accepted, as the API shows it.
    pub created_at: String,
    /// `delivered`, `failed` or `pending`.
    pub status: &'static str,
    item: Item,
}

impl Record {
    /// The record number `number` of an endpoint, accepted `number` seconds after `first`.
    pub fn new(endpoint: &str, number: u32, first: &str, status: &'static str) -> Self {
        let first = time::parse(first).expect("a time");
        let accepted_at = first + std::time::Duration::from_secs(number.into());
        let endpoint: EndpointId = endpoint.parse().expect("an endpoint's id");
        let event: EventId = format!("evt_{number}").parse().expect("an event's id");
        let id = DeliveryId::derive(accepted_at, &event, &endpoint).to_string();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |text: &str| AttributeValue::N(text.to_owned());
        let mut item = Item::from([
            ("endpoint".to_owned(), text(endpoint.as_str())),
            ("delivery".to_owned(), text(&id)),
            ("event_id".to_owned(), text(event.as_str())),
            ("event".to_owned(), text("poster.scanned")),
            ("status".to_owned(), text(status)),
            ("attempt_count".to_owned(), number("0")),
            ("attempts".to_owned(), AttributeValue::L(Vec::new())),
            ("expires_at".to_owned(), number(NEVER)),
        ]);
        if status != "delivered" {
            item.insert("undelivered".to_owned(), text(&format!("{status}#{id}")));
        }
        Self {
            id,
            created_at: time::format(accepted_at),
            status,
            item,
        }
    }

    /// The name of its event.
    pub fn event(&self) -> &str {
        self.item["event"].as_s().map_or("", String::as_str)
    }
}

/// Makes a record one of an event of this name.
pub fn of_event(mut record: Record, event: &str) -> Record {
    record
        .item
        .insert("event".to_owned(), AttributeValue::S(event.to_owned()));
    record
}

/// Gives a record its first attempt, which took so long; `failure` is why it failed.
pub fn attempted(mut record: Record, failure: Option<&str>, duration_ms: u64) -> Record {
    let number = |number: u64| AttributeValue::N(number.to_string());
    let mut attempt = Item::from([
        ("at".to_owned(), number(1_780_000_000_000)),
        ("duration_ms".to_owned(), number(duration_ms)),
    ]);
    if let Some(failure) = failure {
        attempt.insert("failure".to_owned(), AttributeValue::S(failure.to_owned()));
    }
    let attempts = AttributeValue::L(vec![AttributeValue::M(attempt)]);
    record.item.insert("attempts".to_owned(), attempts);
    record.item.insert("attempt_count".to_owned(), number(1));
    record
}

/// Makes a record so many bytes longer, as long answers of a receiver do.
pub fn padded(mut record: Record, bytes: usize) -> Record {
    let padding = AttributeValue::S("x".repeat(bytes));
    record.item.insert("padding".to_owned(), padding);
    record
}

/// Makes a record unreadable, as one of a version that knows more words.
pub fn spoiled(mut record: Record) -> Record {
    let status = AttributeValue::S("unheard-of".to_owned());
    record.item.insert("status".to_owned(), status);
    record
}

/// Adds to every count that is kept of an endpoint's history for lists, and says how many there are.
pub async fn falsify_counts(stack: &SuiteStack, endpoint: &str, surplus: u32) -> usize {
    falsify(stack, &format!("{endpoint}#counts"), "count", surplus).await
}

/// Adds deliveries to every part of an hour that is kept of an endpoint's history, and says how many there are.
pub async fn falsify_hours(stack: &SuiteStack, endpoint: &str, surplus: u32) -> usize {
    falsify(stack, &format!("{endpoint}#hours"), "deliveries", surplus).await
}

async fn falsify(stack: &SuiteStack, partition: &str, attribute: &str, surplus: u32) -> usize {
    let client = stack.dynamodb();
    let query = client
        .query()
        .table_name(table(stack))
        .key_condition_expression("endpoint = :partition")
        .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()));
    let answer = query.send().await.expect("the table answers");
    let items = answer.items.unwrap_or_default();
    for item in &items {
        let update = client
            .update_item()
            .table_name(table(stack))
            .key("endpoint", item["endpoint"].clone())
            .key("delivery", item["delivery"].clone())
            .update_expression("ADD #count :surplus")
            .expression_attribute_names("#count", attribute)
            .expression_attribute_values(":surplus", AttributeValue::N(surplus.to_string()));
        update.send().await.expect("the count is changed");
    }
    items.len()
}

/// Writes all records.
pub async fn write(stack: &SuiteStack, records: &[Record]) {
    let client = stack.dynamodb();
    let writes = records.chunks(CHUNK).map(|chunk| {
        let put = |record: &Record| {
            let put = PutRequest::builder().set_item(Some(record.item.clone())).build();
            WriteRequest::builder().put_request(put.expect("an item")).build()
        };
        let call = client.batch_write_item();
        call.request_items(table(stack), chunk.iter().map(put).collect())
            .send()
    });
    let writes = stream::iter(writes).buffer_unordered(8);
    let answers: Vec<_> = writes.try_collect().await.expect("the records are written");
    assert!(
        answers
            .iter()
            .all(|answer| answer.unprocessed_items().is_none_or(HashMap::is_empty))
    );
}

/// Writes the events of the records with these numbers, which [`Record::new`] made with the same `first`.
pub async fn write_events(
    stack: &SuiteStack,
    workspace: &str,
    numbers: impl Iterator<Item = u32>,
    first: &str,
) {
    let client = stack.dynamodb();
    let first_at = time::parse(first).expect("a time");
    let put = |number: u32| {
        let id = format!("evt_{number}");
        let accepted_at = first_at + std::time::Duration::from_secs(number.into());
        let body = serde_json::json!({
            "id": id, "event": "poster.scanned", "created_at": first, "workspace_id": workspace,
            "data": { "number": number },
        });
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let accepted_at = accepted_at.as_millisecond().to_string();
        let item = Item::from([
            ("workspace".to_owned(), text(workspace)),
            ("event".to_owned(), text(&id)),
            ("body".to_owned(), text(&body.to_string())),
            ("accepted_at".to_owned(), AttributeValue::N(accepted_at)),
            ("message_id".to_owned(), text("written-by-a-test")),
            ("expires_at".to_owned(), AttributeValue::N(NEVER.to_owned())),
        ]);
        let put = PutRequest::builder().set_item(Some(item)).build();
        WriteRequest::builder().put_request(put.expect("an item")).build()
    };
    let writes: Vec<_> = numbers.map(put).collect();
    let calls = writes.chunks(CHUNK).map(|chunk| {
        let call = client.batch_write_item();
        call.request_items(&stack.tables["EventsTable"], chunk.to_vec())
            .send()
    });
    let calls = stream::iter(calls).buffer_unordered(8);
    let answers: Vec<_> = calls.try_collect().await.expect("the events are written");
    assert!(
        answers
            .iter()
            .all(|answer| answer.unprocessed_items().is_none_or(HashMap::is_empty))
    );
}

/// Whether the record is still there.
pub async fn exists(stack: &SuiteStack, record: &Record) -> bool {
    let key = ["endpoint", "delivery"].map(|name| (name.to_owned(), record.item[name].clone()));
    let call = stack.dynamodb().get_item().table_name(table(stack));
    let call = call.set_key(Some(key.into())).consistent_read(true);
    call.send().await.expect("the table answers").item.is_some()
}

/// How many records the endpoint has, or what else a partition of the table holds.
pub async fn count(stack: &SuiteStack, endpoint: &str) -> usize {
    count_in(stack, table(stack), ["endpoint", "delivery"], endpoint).await
}

/// How many events the workspace has.
pub async fn count_events(stack: &SuiteStack, workspace: &str) -> usize {
    let table = &stack.tables["EventsTable"];
    count_in(stack, table, ["workspace", "event"], workspace).await
}

async fn count_in(stack: &SuiteStack, table: &str, keys: [&str; 2], partition: &str) -> usize {
    let query = stack
        .dynamodb()
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("#partition = :partition")
        .expression_attribute_names("#partition", keys[0])
        .expression_attribute_names("#sort", keys[1])
        .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
        .projection_expression("#partition, #sort");
    let items: Vec<_> = query
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .expect("the table answers");
    items.len()
}

fn table(stack: &SuiteStack) -> &str {
    &stack.tables["DeliveriesTable"]
}
