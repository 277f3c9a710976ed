//! Makes a long history quickly: copies of an endpoint's one real record, written to the stack's own table.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use local::{StackState, aws_config};

use crate::history::{self, Copied};

/// Items of a `BatchWriteItem`, and such calls at the same time.
const BATCH: usize = 25;
const CALLS_AT_ONCE: usize = 4;

type Item = HashMap<String, AttributeValue>;

/// Adds this many records to the history of an endpoint that has one.
pub(super) async fn lengthen(state: &StackState, endpoint: &str, records: usize) -> Result<()> {
    let table = state
        .tables
        .get("DeliveriesTable")
        .context("no table of deliveries")?;
    let dynamodb = DynamoDb::new(&aws_config(state));
    let original = original(&dynamodb, table, endpoint).await?;
    let copies: Vec<_> = history::copies(endpoint, records, Timestamp::now(), history::MONTH).collect();
    stream::iter(copies.chunks(BATCH))
        .map(|copies| write(&dynamodb, table, &original, copies))
        .buffer_unordered(CALLS_AT_ONCE)
        .try_collect()
        .await
}

async fn original(dynamodb: &DynamoDb, table: &str, endpoint: &str) -> Result<Item> {
    let query = dynamodb
        .query()
        .table_name(table)
        .key_condition_expression("endpoint = :endpoint")
        .expression_attribute_values(":endpoint", AttributeValue::S(endpoint.to_owned()))
        .limit(1);
    let items = query.send().await?.items.unwrap_or_default();
    items.into_iter().next().context("the endpoint has no record")
}

async fn write(dynamodb: &DynamoDb, table: &str, original: &Item, copies: &[Copied]) -> Result<()> {
    let requests: Result<Vec<_>> = copies.iter().map(|copy| put(original, copy)).collect();
    let call = dynamodb.batch_write_item().request_items(table, requests?);
    let left = call.send().await?.unprocessed_items.unwrap_or_default();
    ensure!(left.is_empty(), "the table did not take all records");
    Ok(())
}

fn put(original: &Item, copy: &Copied) -> Result<WriteRequest> {
    let mut item = original.clone();
    let mut set = |name: &str, value: String| item.insert(name.to_owned(), AttributeValue::S(value));
    set("delivery", copy.delivery.to_string());
    set("event_id", copy.event.to_string());
    if copy.has_failed {
        set("status", "failed".to_owned());
        set("undelivered", format!("failed#{}", copy.delivery));
    }
    let expires_at = AttributeValue::N(copy.expires_at.to_string());
    item.insert("expires_at".to_owned(), expires_at);
    let put = PutRequest::builder().set_item(Some(item)).build()?;
    Ok(WriteRequest::builder().put_request(put).build())
}
