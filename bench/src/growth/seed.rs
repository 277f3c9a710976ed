//! Makes a long history quickly: copies of an endpoint's one real record, written to the stack's own table.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use local::{StackState, aws_config};
use shared::domain::id::{DeliveryId, EndpointId, EventId};

/// Items of a `BatchWriteItem`, and such calls at the same time.
const BATCH: usize = 25;
const CALLS_AT_ONCE: usize = 4;
/// The time over which a history is spread, in seconds: 20 days, of the 30 that are kept.
const SPREAD_SECONDS: usize = 20 * 24 * 60 * 60;
/// One record of this many has failed.
const ONE_FAILED_OF: usize = 100;

type Item = HashMap<String, AttributeValue>;

/// Adds this many records to the history of an endpoint that has one.
pub(super) async fn lengthen(state: &StackState, endpoint: &str, records: usize) -> Result<()> {
    let table = state
        .tables
        .get("DeliveriesTable")
        .context("no table of deliveries")?;
    let dynamodb = DynamoDb::new(&aws_config(state));
    let original = original(&dynamodb, table, endpoint).await?;
    let numbers: Vec<usize> = (0..records).collect();
    let copies = Copies {
        original,
        endpoint: endpoint.parse()?,
        newest: Timestamp::now(),
        apart: SignedDuration::from_secs(i64::try_from(SPREAD_SECONDS / records.max(1))?),
    };
    stream::iter(numbers.chunks(BATCH))
        .map(|numbers| write(&dynamodb, table, &copies, numbers))
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

async fn write(dynamodb: &DynamoDb, table: &str, copies: &Copies, numbers: &[usize]) -> Result<()> {
    let requests: Result<Vec<_>> = numbers.iter().map(|number| copies.make(*number)).collect();
    let call = dynamodb.batch_write_item().request_items(table, requests?);
    let left = call.send().await?.unprocessed_items.unwrap_or_default();
    ensure!(left.is_empty(), "the table did not take all records");
    Ok(())
}

/// Copies of one record, each older than the one before.
struct Copies {
    original: Item,
    endpoint: EndpointId,
    newest: Timestamp,
    apart: SignedDuration,
}

impl Copies {
    fn make(&self, number: usize) -> Result<WriteRequest> {
        let event: EventId = format!("evt_{number}").parse()?;
        let accepted_at = self.newest - self.apart * i32::try_from(number + 1)?;
        let id = DeliveryId::derive(accepted_at, &event, &self.endpoint);
        let mut item = self.original.clone();
        let mut set = |name: &str, value: String| item.insert(name.to_owned(), AttributeValue::S(value));
        set("delivery", id.to_string());
        set("event_id", event.to_string());
        if number.is_multiple_of(ONE_FAILED_OF) {
            set("status", "failed".to_owned());
            set("undelivered", format!("failed#{id}"));
        }
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    }
}
