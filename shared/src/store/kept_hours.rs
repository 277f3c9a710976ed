//! What is kept of the hours of a history, in a partition of its own. When it is right, and when not, is decided by
//! `hours`; here it is read and written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Store;
use super::attribute::Item;
use super::beside::{again_at, lasts};
use super::hours::KeptPart;
use crate::Error;
use crate::domain::delivery::Failure;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId};
use crate::domain::statistics::Tally;

const TABLE: &str = "deliveries";

#[derive(Serialize, Deserialize)]
struct KeptPartItem {
    endpoint: String,
    #[serde(rename = "delivery")]
    after: DeliveryId,
    last: DeliveryId,
    deliveries: u64,
    succeeded: u64,
    failures: BTreeMap<Failure, u64>,
    /// How many of the first attempts that were answered are in each bucket of `Durations`.
    answered: Vec<(u8, u64)>,
    late: usize,
    /// When the first of its records expires, or before, in seconds since 1970.
    expires_at: i64,
}

impl Store {
    /// What is kept of the hours between two deliveries.
    ///
    /// # Errors
    /// A call failed.
    pub(super) async fn kept_parts(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
        now: Timestamp,
    ) -> Result<Vec<KeptPart>, Error> {
        let items = self.items_between(&partition(endpoint), first, last).await?;
        // What can't be read was kept by a later release, and is counted again.
        let parts = items.into_iter().filter_map(|item| from_item(item).ok());
        Ok(parts
            .filter(|part| {
                self.part_expires_at(part)
                    .is_some_and(|at| lasts(at, now.as_second()))
            })
            .collect())
    }

    /// Keeps parts, except for those whose first record is about to expire.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the endpoint is gone, or the call failed; nothing depends on it.
    pub(super) async fn keep_parts(
        &self,
        endpoint: &Endpoint,
        parts: Vec<KeptPart>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut items = Vec::with_capacity(parts.len());
        for mut part in parts {
            let Some(expires_at) = self.part_expires_at(&part) else {
                continue;
            };
            part.expires_at = expires_at.min(again_at(&part.last, now));
            if lasts(part.expires_at, now.as_second()) {
                items.push(to_item(&endpoint.id, part)?);
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        self.keep_beside(endpoint, items).await
    }

    /// When the first record of a part expires: each knows it, and later ones (and markers) expire earlier if the setting
    /// was lowered since.
    fn part_expires_at(&self, part: &KeptPart) -> Option<i64> {
        Some(part.expires_at.min(self.expiry(part.after.accepted_at()?)))
    }
}

/// Writes a part.
pub(super) fn to_item(endpoint: &EndpointId, part: KeptPart) -> Result<Item, Error> {
    let item = KeptPartItem {
        endpoint: partition(endpoint),
        after: part.after,
        last: part.last,
        deliveries: part.tally.deliveries,
        succeeded: part.tally.succeeded,
        failures: part.tally.failures,
        answered: part.tally.answered.buckets(),
        late: part.late,
        expires_at: part.expires_at,
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("TransactWriteItems"))
}

/// Reads a part.
pub(super) fn from_item(item: Item) -> Result<KeptPart, Error> {
    let item: KeptPartItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    Ok(KeptPart {
        after: item.after,
        last: item.last,
        tally: Tally {
            deliveries: item.deliveries,
            succeeded: item.succeeded,
            failures: item.failures,
            answered: item.answered.into_iter().collect(),
        },
        late: item.late,
        expires_at: item.expires_at,
    })
}

/// The partition of what is kept of the hours of an endpoint's history. No history has this key.
pub(super) fn partition(endpoint: &EndpointId) -> String {
    format!("{endpoint}#hours")
}
