//! Counts of older parts of a history, kept in a partition of their own. When they are right, and when not,
//! is decided by `walk`; here they are read and written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::Item;
use super::beside::{EXPIRY_MARGIN_SECONDS, lasts};
use super::delivery_item::delivery_key;
use super::walk::{Counted, KeptCount};
use super::{Store, late};
use crate::Error;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId};

const TABLE: &str = "deliveries";

/// How long a count is used whose part was not closed when it was made.
const AGAIN_AFTER_SECONDS: i64 = 60 * 60;

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
        let expires_at = expires_at.min(self.expiry(accepted_at)).min(again_at(&part, now));
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

/// When a count expires whatever its records do, in seconds since 1970: one of a part that is not closed yet lasts for an
/// hour, and is then made again. So what is kept for long is only what nothing can join unnoticed but in hours.
pub(super) fn again_at(part: &KeptCount, now: Timestamp) -> i64 {
    if part.before <= late::closed_before(now) {
        i64::MAX
    } else {
        now.as_second() + AGAIN_AFTER_SECONDS + EXPIRY_MARGIN_SECONDS
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_780_000_000;

    /// When a count that was made now expires, of the part that begins so many seconds ago.
    fn expires_in(seconds_ago: i64) -> Option<i64> {
        let at = |second| Timestamp::from_second(second).unwrap();
        let part = KeptCount {
            before: DeliveryId::first_at(at(NOW - seconds_ago)),
            last: DeliveryId::first_at(at(0)),
            count: 1,
            late: 0,
        };
        Some(again_at(&part, at(NOW)))
            .filter(|at| *at < i64::MAX)
            .map(|at| at - NOW)
    }

    #[test]
    fn only_what_was_closed_is_kept_for_longer_than_an_hour() {
        assert_eq!(expires_in(60 * 60), None);
        let again = expires_in(60 * 60 - 1).unwrap();

        assert!(lasts(NOW + again, NOW + 60 * 60 - 1));
        assert!(!lasts(NOW + again, NOW + 60 * 60));
    }
}
