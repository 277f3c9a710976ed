//! Deleting many items, some at a time, so that however many there are, nobody works on them for longer than it may.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use futures::future::try_join_all;

use super::Store;
use super::attribute::Item;
use crate::Error;
use crate::backoff::Backoff;

/// Most items of a `BatchWriteItem` (DynamoDB quota).
const MAX_DELETIONS: usize = 25;

/// Tries of deletions that DynamoDB leaves when it throttles: about a second.
const DELETION_TRIES: Backoff = Backoff::new(4, Duration::from_millis(200), Duration::from_secs(1));

/// Items that are to be deleted.
#[derive(Debug)]
pub struct Found {
    table: String,
    keys: Vec<Item>,
    more: bool,
}

impl Found {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.more
    }
}

/// What was deleted of something that may be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// How many items.
    pub count: usize,
    /// Whether any may be left.
    pub more: bool,
}

impl Store {
    /// Finds about `limit` items of a table, whose keys the query asks for.
    pub(super) async fn find(
        &self,
        table: &str,
        query: QueryFluentBuilder,
        limit: usize,
    ) -> Result<Found, Error> {
        let query = query
            .table_name(table)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        Ok(Found {
            table: table.to_owned(),
            keys: answer.items.unwrap_or_default(),
            // A page ends after 1 MB of items too, however few they are.
            more: answer.last_evaluated_key.is_some(),
        })
    }

    /// Deletes what was found.
    ///
    /// # Errors
    /// A call failed; some of it may be gone by then.
    pub async fn delete(&self, found: Found) -> Result<Removed, Error> {
        let chunks = found.keys.chunks(MAX_DELETIONS);
        let left = try_join_all(chunks.map(|chunk| self.delete_chunk(&found.table, chunk))).await?;
        Ok(Removed {
            count: found.keys.len(),
            more: found.more || left.contains(&true),
        })
    }

    /// Deletes these items, again if DynamoDB leaves some, and says whether any are left.
    async fn delete_chunk(&self, table: &str, keys: &[Item]) -> Result<bool, Error> {
        let request = |key: &Item| {
            let deletion = DeleteRequest::builder().set_key(Some(key.clone())).build();
            deletion.map(|deletion| WriteRequest::builder().delete_request(deletion).build())
        };
        let requests: Result<Vec<_>, _> = keys.iter().map(request).collect();
        let requests = requests.map_err(Error::unsendable("BatchWriteItem"))?;
        let mut left = HashMap::from([(table.to_owned(), requests)]);
        let mut tries = DELETION_TRIES;
        loop {
            let call = self.client.batch_write_item().set_request_items(Some(left));
            let answer = call.send().await.map_err(Error::aws("BatchWriteItem"))?;
            left = answer.unprocessed_items.unwrap_or_default();
            if left.is_empty() || !tries.wait().await {
                return Ok(!left.is_empty());
            }
        }
    }
}
