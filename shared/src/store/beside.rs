//! What is kept beside a history: counts that can be made again. Whoever counts may do so while the endpoint is deleted,
//! so they are written in a transaction that requires it, and `purge` deletes them with the history.

use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem};

use jiff::{SignedDuration, Timestamp};

use super::attribute::Item;
use super::endpoint_item::endpoint_key;
use super::{Store, late};
use crate::Error;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::DeliveryId;

/// Most items that are written in one call: a transaction has at most 100 actions, and one is the condition
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub(super) const MAX_ITEMS: usize = 99;

/// Counts are ignored from this long before their oldest record expires, because TTL deletes records one at a time.
pub(super) const EXPIRY_MARGIN_SECONDS: i64 = 60 * 60;

/// How long a count is used whose part was not closed when it was made.
const AGAIN_AFTER_SECONDS: i64 = 60 * 60;

/// Which part of a history is worth keeping.
#[derive(Debug, Clone)]
pub(super) struct Keepable {
    /// What is older is about to expire.
    pub(super) after: DeliveryId,
    /// What is newer may get records that nobody marks.
    pub(super) last: DeliveryId,
}

impl Store {
    /// What is worth keeping: up to here, and not what expires soon.
    pub(super) fn keepable(&self, last: DeliveryId, now: Timestamp) -> Keepable {
        let expired = now
            .saturating_sub(*self.retention)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let lasting = expired.saturating_add(SignedDuration::from_secs(EXPIRY_MARGIN_SECONDS));
        Keepable {
            after: DeliveryId::last_at(lasting.unwrap_or(expired)),
            last,
        }
    }

    /// Writes items of the deliveries table, whatever is there, if the endpoint exists.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the endpoint is gone, or the call failed.
    pub(super) async fn keep_beside(&self, endpoint: &Endpoint, items: Vec<Item>) -> Result<(), Error> {
        let condition = ConditionCheck::builder()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(endpoint_key(&endpoint.workspace, &endpoint.id)))
            .condition_expression("attribute_exists(endpoint)")
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let mut actions = vec![TransactWriteItem::builder().condition_check(condition).build()];
        for item in items {
            let put = Put::builder()
                .table_name(&*self.tables.deliveries)
                .set_item(Some(item));
            let put = put.build().map_err(Error::unsendable("TransactWriteItems"))?;
            actions.push(TransactWriteItem::builder().put(put).build());
        }
        let refused = self.transact(actions).await?;
        refused.map_or(Ok(()), |_| Err(Error::NotFound))
    }
}

/// When what is counted now of a part expires whatever its records do, in seconds since 1970. Of one that is not closed yet it
/// is used for an hour, and then made again: what is used for long is only what nothing has joined unnoticed even if a
/// process stood still.
pub(super) fn again_at(newest: &DeliveryId, now: Timestamp) -> i64 {
    if *newest <= late::closed_before(now) {
        i64::MAX
    } else {
        now.as_second() + AGAIN_AFTER_SECONDS + EXPIRY_MARGIN_SECONDS
    }
}

/// Whether a count whose oldest record expires then, in seconds since 1970, may still be used.
pub(super) fn lasts(expires_at: i64, now_seconds: i64) -> bool {
    expires_at - EXPIRY_MARGIN_SECONDS > now_seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_closed_is_used_for_longer_than_an_hour() {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let ago = |seconds| DeliveryId::first_at(now - SignedDuration::from_secs(seconds));

        assert_eq!(again_at(&ago(60 * 60), now), i64::MAX);
        let again = again_at(&ago(60 * 60 - 1), now);
        assert!(lasts(again, now.as_second() + 60 * 60 - 1));
        assert!(!lasts(again, now.as_second() + 60 * 60));
    }

    #[test]
    fn a_count_lasts_until_an_hour_before_its_oldest_record_expires() {
        assert!(lasts(1_000_000 + EXPIRY_MARGIN_SECONDS + 1, 1_000_000));
        assert!(!lasts(1_000_000 + EXPIRY_MARGIN_SECONDS, 1_000_000));
    }
}
