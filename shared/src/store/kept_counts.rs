//! Counts of older parts of a history, kept in a partition of their own. When they are right, and when not,
//! is decided by `walk`; here they are read and written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Store;
use super::attribute::Item;
use super::beside::{again_at, lasts};
use super::delivery_item::delivery_key;
use super::walk::{Counted, KeptCount};
use crate::Error;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId};

const TABLE: &str = "deliveries";

#[derive(Serialize, Deserialize)]
struct KeptCountItem {
    endpoint: String,
    #[serde(rename = "delivery")]
    before: DeliveryId,
    last: DeliveryId,
    count: usize,
    late: usize,
    /// When the oldest of its records expires, or before, in seconds since 1970.
    expires_at: i64,
}

impl Store {
    /// The counts that are kept of the part of a history between two deliveries.
    ///
    /// # Errors
    /// A call failed.
    pub(super) async fn kept_counts(
        &self,
        endpoint: &EndpointId,
        (first, last): (&DeliveryId, &DeliveryId),
        now: Timestamp,
    ) -> Result<Vec<KeptCount>, Error> {
        let items = self.items_between(&partition(endpoint), first, last).await?;
        let mut counts = Vec::with_capacity(items.len());
        for item in items {
            let (count, expires_at) = from_item(item)?;
            if lasts(expires_at, now.as_second()) {
                counts.push(count);
            }
        }
        Ok(counts)
    }

    /// Keeps a count, unless its oldest record is about to expire.
    ///
    /// # Errors
    /// The endpoint is gone, or a call failed; nothing depends on it.
    pub(super) async fn keep_count(
        &self,
        endpoint: &Endpoint,
        Counted { part, oldest, .. }: Counted,
        now: Timestamp,
    ) -> Result<(), Error> {
        // The record knows when it expires; later ones expire earlier if the setting was lowered since.
        let Some(expires_at) = self.expiry_of(&endpoint.id, &oldest).await? else {
            return Ok(());
        };
        let accepted_at = oldest.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH);
        let expires_at = expires_at
            .min(self.expiry(accepted_at))
            .min(again_at(&part.before, now));
        if !lasts(expires_at, now.as_second()) {
            return Ok(());
        }
        let item = to_item(&endpoint.id, part, expires_at)?;
        self.keep_beside(endpoint, vec![item]).await
    }

    /// When a record expires, in seconds since 1970; `None` if it has.
    async fn expiry_of(&self, endpoint: &EndpointId, delivery: &DeliveryId) -> Result<Option<i64>, Error> {
        let key = delivery_key(endpoint, delivery);
        let item = self.item(&self.tables.deliveries, key).await?;
        let expires_at = item.and_then(|mut item| item.remove("expires_at"));
        Ok(expires_at.and_then(|value| value.as_n().ok()?.parse().ok()))
    }
}

/// Writes a count.
pub(super) fn to_item(endpoint: &EndpointId, part: KeptCount, expires_at: i64) -> Result<Item, Error> {
    let item = KeptCountItem {
        endpoint: partition(endpoint),
        before: part.before,
        last: part.last,
        count: part.count,
        late: part.late,
        expires_at,
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// Reads a count, and when it expires.
pub(super) fn from_item(item: Item) -> Result<(KeptCount, i64), Error> {
    let item: KeptCountItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let count = KeptCount {
        before: item.before,
        last: item.last,
        count: item.count,
        late: item.late,
    };
    Ok((count, item.expires_at))
}

/// The partition of the counts that are kept of an endpoint's history. No history has this key.
pub(super) fn partition(endpoint: &EndpointId) -> String {
    format!("{endpoint}#counts")
}
