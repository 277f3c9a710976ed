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
}

impl RowKeys {
    /// Adds an endpoint.
    pub fn add_endpoint(&mut self, workspace: &WorkspaceId, id: &EndpointId) {
        self.endpoints.insert((workspace.clone(), id.clone()));
    }

    /// Adds a delivery.
    pub fn add_delivery(&mut self, endpoint: &EndpointId, id: &DeliveryId) {
        self.deliveries.insert((endpoint.clone(), id.clone()));
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
    /// Reads everything at once, as of this moment.
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
        let endpoints = keys
            .endpoints
            .iter()
            .map(|(workspace, id)| (&**self.tables.endpoints, endpoint_key(workspace, id)));
        let deliveries = keys
            .deliveries
            .iter()
            .map(|(endpoint, id)| (&**self.tables.deliveries, delivery_key(endpoint, id)));
        let events = keys
            .events
            .iter()
            .map(|(workspace, id)| (&**self.tables.events, event_key(workspace, id)));
        let all: Vec<_> = endpoints.chain(deliveries).chain(events).collect();
        for chunk in all.chunks(MAX_KEYS) {
            self.read_chunk(chunk, consistency, &mut rows).await?;
        }
        Ok(rows)
    }

    async fn read_chunk(
        &self,
        keys: &[(&str, Item)],
        consistency: Consistency,
        rows: &mut Rows,
    ) -> Result<(), Error> {
        let mut request = by_table(keys, consistency)?;
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

fn by_table(
    keys: &[(&str, Item)],
    consistency: Consistency,
) -> Result<HashMap<String, KeysAndAttributes>, Error> {
    let mut tables: HashMap<&str, Vec<Item>> = HashMap::new();
    for (table, key) in keys {
        tables.entry(table).or_default().push(key.clone());
    }
    let request = tables.into_iter().map(|(table, keys)| {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(consistency == Consistency::Strong)
            .build();
        keys.map(|keys| (table.to_owned(), keys))
            .map_err(Error::unsendable("BatchGetItem"))
    });
    request.collect()
}
