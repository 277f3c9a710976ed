//! The tables. Each file holds the queries of one table, with its item struct, which no other module sees.

mod across;
mod attribute;
mod beside;
#[cfg(test)]
mod compat;
mod conflicts;
mod deletions;
mod deliveries;
mod delivery_item;
mod endpoint_change;
mod endpoint_image;
mod endpoint_item;
mod endpoints;
mod erasures;
mod events;
mod expression;
mod history;
mod hours;
mod kept_counts;
mod kept_hours;
mod late;
mod links;
mod merge;
mod noted;
mod partiql;
mod recoveries;
mod recovery_item;
mod removal;
mod rows;
mod statistics;
mod token_list;
mod tokens;
mod undelivered;
mod walk;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};

pub use across::{AcrossFilter, AcrossPage};
pub use deliveries::{DeliveryWrite, Expected, Written};
pub use endpoint_change::EndpointChange;
pub use endpoint_image::endpoint_image;
pub use endpoints::RotationClaim;
pub use events::{EventsPart, Insertion, NewEvent, StoredEvent};
pub use history::{HistoryFilter, HistoryPage};
pub use partiql::MAX_STATEMENTS;
pub use recoveries::{Advanced, RecoveryPage};
pub use removal::{Found, Removed};
pub use rows::{MAX_KEYS, RowKeys, Rows};
pub use statistics::Counted;
pub use undelivered::Keys;

use self::attribute::{Item, text};
use crate::Error;
use crate::config::{Config, Setting, Tables};
use crate::domain::id::DeliveryId;

/// The tables of the deployment.
#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    retention: Setting<SignedDuration>,
}

impl Store {
    /// The tables that the configuration names.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            client: Client::from_conf(conflicts::retried(aws)),
            tables: config.tables.clone(),
            retention: config.retention.clone(),
        }
    }

    /// One item, as of this moment.
    async fn item(&self, table: &str, key: Item) -> Result<Option<Item>, Error> {
        let call = self.client.get_item().table_name(table).set_key(Some(key));
        let answer = call.consistent_read(true).send().await;
        Ok(answer.map_err(Error::aws("GetItem"))?.item)
    }

    /// Writes an item, whatever is there.
    async fn put(&self, table: &str, item: Item) -> Result<(), Error> {
        let call = self.client.put_item().table_name(table).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(Error::aws("PutItem"))
    }

    /// The items of a partition of the deliveries table between two deliveries, as of this moment.
    async fn items_between(
        &self,
        partition: &str,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<Vec<Item>, Error> {
        let query = self.query_between(partition, first.as_str(), last.as_str());
        let items = query.into_paginator().items().send();
        items.try_collect().await.map_err(Error::aws("Query"))
    }

    /// Asks for the items of a partition of the deliveries table between two sort keys, as of this moment.
    fn query_between(&self, partition: &str, first: &str, last: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.tables.deliveries)
            .consistent_read(true)
            .key_condition_expression("endpoint = :partition AND delivery BETWEEN :first AND :last")
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
    }

    /// When something that was accepted at this time is no longer kept, in seconds since 1970 as DynamoDB's TTL takes it.
    fn expiry(&self, accepted_at: Timestamp) -> i64 {
        accepted_at
            .saturating_add(*self.retention)
            .unwrap_or(Timestamp::MAX)
            .as_second()
    }
}

/// Whether a write was not made because its condition does not hold.
fn condition_failed<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code == Some("ConditionalCheckFailedException")
}
