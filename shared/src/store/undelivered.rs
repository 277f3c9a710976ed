//! The sparse index of what is pending or failed, oldest first. It lags behind the table a little, so whoever finds a key
//! here reads the record before anything follows from it.

use aws_sdk_dynamodb::types::Select;

use super::Store;
use super::attribute::text;
use super::delivery_item::{delivery_id, undelivered_key};
use crate::Error;
use crate::domain::delivery::Status;
use crate::domain::id::{DeliveryId, EndpointId};

/// Keys of the index.
#[derive(Debug)]
pub struct Keys {
    /// The deliveries, oldest first.
    pub ids: Vec<DeliveryId>,
    /// Whether there are no others in the range.
    pub is_all: bool,
}

impl Store {
    /// The first deliveries of a status, at most `limit` or what one call reads, from `first` to `last`, and behind `after`.
    ///
    /// # Errors
    /// The call failed.
    pub async fn undelivered(
        &self,
        endpoint: &EndpointId,
        status: Status,
        (first, last): (&DeliveryId, &DeliveryId),
        after: Option<&DeliveryId>,
        limit: usize,
    ) -> Result<Keys, Error> {
        let key = |id: &DeliveryId| undelivered_key(status, id).unwrap_or_default();
        // All ids have the same length, so nothing lies between an id and the same one with a space behind it.
        let first = match after {
            Some(after) if after >= first => format!("{} ", key(after)),
            _ => key(first),
        };
        let last = key(last);
        if first > last {
            return Ok(Keys {
                ids: Vec::new(),
                is_all: true,
            });
        }
        let query = self
            .client
            .query()
            .table_name(&*self.tables.deliveries)
            .index_name("undelivered")
            .key_condition_expression("endpoint = :endpoint AND undelivered BETWEEN :first AND :last")
            .expression_attribute_values(":endpoint", text(endpoint))
            .expression_attribute_values(":first", text(&first))
            .expression_attribute_values(":last", text(&last))
            .select(Select::SpecificAttributes)
            .projection_expression("delivery")
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        let ids = answer.items.unwrap_or_default();
        Ok(Keys {
            ids: ids.iter().filter_map(delivery_id).collect(),
            is_all: answer.last_evaluated_key.is_none(),
        })
    }
}
