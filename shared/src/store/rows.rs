//! One strongly consistent read for everything that a batch of messages needs, across the tables.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::attribute::Item;
use super::delivery_item::delivery_key;
use super::endpoint_item::endpoint_key;
use super::events::{StoredEvent, event_key};
use super::{Store, delivery_item, endpoint_item, events};
use crate::Error;
use crate::backoff::Backoff;
use crate::config::Setting;
use crate::domain::delivery::Delivery;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId, EventId, WorkspaceId};

/// Most keys of a `BatchGetItem` (DynamoDB quota).
pub const MAX_KEYS: usize = 100;

/// Reads of what DynamoDB leaves over when it throttles, or when the answer would exceed 16 MB: about five seconds.
const READS: Backoff = Backoff::new(8, Duration::from_millis(140), Duration::from_millis(1_600));

/// What is to be read. Each item is read once, however often it is added.
#[derive(Debug, Default)]
pub struct RowKeys {
    endpoints: BTreeSet<(WorkspaceId, EndpointId)>,
    deliveries: BTreeSet<(EndpointId, DeliveryId)>,
    events: BTreeSet<(WorkspaceId, EventId)>,
    /// Deliveries are among them that may have a record.
    has_begun_deliveries: bool,
}

impl RowKeys {
    /// Adds an endpoint.
    pub fn add_endpoint(&mut self, workspace: &WorkspaceId, id: &EndpointId) {
        self.endpoints.insert((workspace.clone(), id.clone()));
    }

    /// Adds a delivery.
    pub fn add_delivery(&mut self, endpoint: &EndpointId, id: &DeliveryId) {
        self.add_new_delivery(endpoint, id);
        self.has_begun_deliveries = true;
    }

    /// Adds a delivery that should have no record. If all are so, their records are read as they were a moment ago, at half
    /// the price: whoever writes one requires that there is none.
    pub fn add_new_delivery(&mut self, endpoint: &EndpointId, id: &DeliveryId) {
        self.deliveries.insert((endpoint.clone(), id.clone()));
    }

    fn of_records(&self, consistency: Consistency) -> Consistency {
        if self.has_begun_deliveries {
            consistency
        } else {
            Consistency::Eventual
        }
    }

    /// Adds an event.
    pub fn add_event(&mut self, workspace: &WorkspaceId, id: &EventId) {
        self.events.insert((workspace.clone(), id.clone()));
    }
}

/// As of which moment something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consistency {
    /// This one.
    Strong,
    /// A recent one, at half the price.
    Eventual,
}

/// An item to be read. Those of one table are all read as of the same moment.
struct Key<'a> {
    table: &'a str,
    consistency: Consistency,
    item: Item,
}

impl<'a> Key<'a> {
    fn new(table: &'a str, consistency: Consistency, item: Item) -> Self {
        Self {
            table,
            consistency,
            item,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Rows {
    endpoints: HashMap<String, Endpoint>,
    deliveries: HashMap<(String, String), Delivery>,
    events: HashMap<(String, String), StoredEvent>,
}

impl Rows {
    /// An endpoint, if it exists.
    #[must_use]
    pub fn endpoint(&self, id: &EndpointId) -> Option<&Endpoint> {
        self.endpoints.get(id.as_str())
    }

    /// A delivery's record, if there is one.
    #[must_use]
    pub fn delivery(&self, endpoint: &EndpointId, id: &DeliveryId) -> Option<&Delivery> {
        self.deliveries.get(&(endpoint.to_string(), id.to_string()))
    }

    /// An event, if it is still kept.
    #[must_use]
    pub fn event(&self, workspace: &WorkspaceId, id: &EventId) -> Option<&StoredEvent> {
        self.events.get(&(workspace.to_string(), id.to_string()))
    }

    /// An event, if it is still kept, given away.
    pub fn take_event(&mut self, workspace: &WorkspaceId, id: &EventId) -> Option<StoredEvent> {
        self.events.remove(&(workspace.to_string(), id.to_string()))
    }
}

impl Store {
    /// Reads everything at once, as of this moment, but for the records of deliveries that are all new.
    ///
    /// # Errors
    /// A call failed, or DynamoDB left something over to the end.
    pub async fn read(&self, keys: RowKeys) -> Result<Rows, Error> {
        self.read_as(keys, Consistency::Strong).await
    }

    /// Reads everything at once as it was a moment ago, at half the price: for what only counts, or is checked again.
    ///
    /// # Errors
    /// A call failed, or DynamoDB left something over to the end.
    pub async fn read_roughly(&self, keys: RowKeys) -> Result<Rows, Error> {
        self.read_as(keys, Consistency::Eventual).await
    }

    async fn read_as(&self, keys: RowKeys, consistency: Consistency) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        let records = keys.of_records(consistency);
        let endpoints = keys.endpoints.iter().map(|(workspace, id)| {
            Key::new(&self.tables.endpoints, consistency, endpoint_key(workspace, id))
        });
        let deliveries = keys
            .deliveries
            .iter()
            .map(|(endpoint, id)| Key::new(&self.tables.deliveries, records, delivery_key(endpoint, id)));
        let events = keys
            .events
            .iter()
            .map(|(workspace, id)| Key::new(&self.tables.events, consistency, event_key(workspace, id)));
        let all: Vec<_> = endpoints.chain(deliveries).chain(events).collect();
        for chunk in all.chunks(MAX_KEYS) {
            self.read_chunk(chunk, &mut rows).await?;
        }
        Ok(rows)
    }

    async fn read_chunk(&self, keys: &[Key<'_>], rows: &mut Rows) -> Result<(), Error> {
        let mut request = by_table(keys)?;
        let mut reads = READS;
        loop {
            let call = self.client.batch_get_item().set_request_items(Some(request));
            let answer = call.send().await.map_err(Error::aws("BatchGetItem"))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                items
                    .into_iter()
                    .try_for_each(|item| self.add_row(&table, item, rows))?;
            }
            request = answer.unprocessed_keys.unwrap_or_default();
            if request.is_empty() {
                return Ok(());
            }
            if !reads.wait().await {
                return Err(Error::LeftUndone("BatchGetItem"));
            }
        }
    }

    fn add_row(&self, table: &str, item: Item, rows: &mut Rows) -> Result<(), Error> {
        let is = |setting: &Setting<String>| setting.get().is_some_and(|name| name == table);
        if is(&self.tables.endpoints) {
            let endpoint = endpoint_item::from_item(item)?;
            rows.endpoints.insert(endpoint.id.to_string(), endpoint);
        } else if is(&self.tables.deliveries) {
            let delivery = delivery_item::from_item(item)?;
            rows.deliveries
                .insert((delivery.endpoint.to_string(), delivery.id.to_string()), delivery);
        } else {
            let part = |name: &str| {
                item.get(name)
                    .and_then(|value| value.as_s().ok())
                    .cloned()
                    .unwrap_or_default()
            };
            let key = (part("workspace"), part("event"));
            rows.events.insert(key, events::from_item(item)?);
        }
        Ok(())
    }
}

fn by_table(keys: &[Key<'_>]) -> Result<HashMap<String, KeysAndAttributes>, Error> {
    let mut tables: HashMap<&str, (Consistency, Vec<Item>)> = HashMap::new();
    for key in keys {
        let (_, of_table) = tables.entry(key.table).or_insert((key.consistency, Vec::new()));
        of_table.push(key.item.clone());
    }
    let request = tables.into_iter().map(|(table, (consistency, keys))| {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(consistency == Consistency::Strong)
            .build();
        keys.map(|keys| (table.to_owned(), keys))
            .map_err(Error::unsendable("BatchGetItem"))
    });
    request.collect()
}

#[cfg(test)]
mod tests {
    use super::super::attribute::key;
    use super::*;

    #[test]
    fn records_are_read_roughly_if_all_deliveries_are_new() {
        let (endpoint, new, begun) = (
            "whe_1".parse().unwrap(),
            "del_1".parse().unwrap(),
            "del_2".parse().unwrap(),
        );
        let mut keys = RowKeys::default();
        keys.add_new_delivery(&endpoint, &new);
        assert_eq!(keys.of_records(Consistency::Strong), Consistency::Eventual);

        keys.add_delivery(&endpoint, &begun);

        assert_eq!(keys.of_records(Consistency::Strong), Consistency::Strong);
        assert_eq!(keys.deliveries.len(), 2);
    }

    #[test]
    fn each_table_is_read_as_of_its_own_moment() {
        let keys = [
            Key::new("endpoints", Consistency::Strong, key([("k", "1")])),
            Key::new("deliveries", Consistency::Eventual, key([("k", "2")])),
            Key::new("deliveries", Consistency::Eventual, key([("k", "3")])),
        ];

        let tables = by_table(&keys).unwrap();

        let read = |table: &str| (tables[table].keys().len(), tables[table].consistent_read());
        assert_eq!(read("endpoints"), (1, Some(true)));
        assert_eq!(read("deliveries"), (2, Some(false)));
    }
}
