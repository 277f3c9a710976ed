//! A history that nobody waited for: copies of an endpoint's one real record, in the stack's own table.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use local::{StackState, aws_config};

/// Items of a `BatchWriteItem`, and such calls at the same time.
const BATCH: usize = 25;
const CALLS_AT_ONCE: usize = 4;
/// Characters of a delivery's id that are not its time.
const RANDOM_CHARACTERS: usize = 16;

type Item = HashMap<String, AttributeValue>;

/// Adds so many records to the history of an endpoint that has one.
pub(super) async fn lengthen(state: &StackState, endpoint: &str, records: usize) -> Result<()> {
    let table = state
        .tables
        .get("DeliveriesTable")
        .context("no table of deliveries")?;
    let dynamodb = DynamoDb::new(&aws_config(state));
    let original = original(&dynamodb, table, endpoint).await?;
    let numbers: Vec<usize> = (0..records).collect();
    stream::iter(numbers.chunks(BATCH))
        .map(|numbers| write(&dynamodb, table, &original, numbers))
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
    items.into_iter().next().context("no record")
}

async fn write(dynamodb: &DynamoDb, table: &str, original: &Item, numbers: &[usize]) -> Result<()> {
    let requests: Result<Vec<_>> = numbers.iter().map(|number| copy(original, *number)).collect();
    let call = dynamodb.batch_write_item().request_items(table, requests?);
    let left = call.send().await?.unprocessed_items.unwrap_or_default();
    ensure!(left.is_empty(), "the table refused records");
    Ok(())
}

/// The record under another id of the same time.
fn copy(original: &Item, number: usize) -> Result<WriteRequest> {
    let mut item = original.clone();
    if let Some(AttributeValue::S(id)) = item.get_mut("delivery") {
        let time = id.len().saturating_sub(RANDOM_CHARACTERS);
        *id = format!("{}{number:0RANDOM_CHARACTERS$}", &id[..time]);
    }
    let put = PutRequest::builder().set_item(Some(item)).build()?;
    Ok(WriteRequest::builder().put_request(put).build())
}
