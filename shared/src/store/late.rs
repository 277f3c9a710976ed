//! Markers for late deliveries: those first recorded long after their event was accepted, after a backlog or a redrive.
//! They may join a part of the history that is counted already (`walk`), so each is marked before it is recorded, by an
//! item of its own in another partition. While a marker has no record (the process died in between, and the message has
//! not come back yet), no count of its part is kept or used; it does nothing else.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::attribute::{Item, number, text};
use super::delivery_item::delivery_id;
use super::partiql::{self, Execution, Statement};
use crate::Error;
use crate::domain::id::{DeliveryId, EndpointId};

/// The part of a history that is older than this is counted and kept.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A delivery that is recorded so long after its event was accepted is late. The difference to [`CLOSED_AFTER`] is more
/// than an invocation of Lambda can take (15 minutes) and the clocks of two functions can differ together.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// The deliveries that were accepted so long ago that their part of the history may be kept.
pub(super) fn closed_before(now: Timestamp) -> DeliveryId {
    DeliveryId::first_at(before(now, CLOSED_AFTER))
}

impl Store {
    /// Marks the late ones. Returns those that could not be marked, with the error; they must not be recorded.
    pub(super) async fn mark_late<'a>(
        &self,
        new: impl Iterator<Item = (&'a EndpointId, &'a DeliveryId)>,
        now: Timestamp,
    ) -> HashMap<&'a DeliveryId, Error> {
        let limit = DeliveryId::first_at(before(now, LATE_AFTER));
        let late: Vec<_> = new.filter(|(_, delivery)| **delivery < limit).collect();
        let markers: Vec<_> = late
            .iter()
            .map(|(endpoint, delivery)| self.marker(endpoint, delivery))
            .collect();
        let executions = partiql::run(&self.client, &markers).await;
        let unmarked = late
            .into_iter()
            .zip(executions)
            .filter_map(|((_, delivery), execution)| {
                match execution {
                    // What is marked already was about to be recorded before.
                    Execution::Done | Execution::ConditionFailed => None,
                    Execution::Open(error) | Execution::Failed(error) => Some((delivery, error)),
                }
            });
        unmarked.collect()
    }

    /// The late deliveries between two, as of this moment.
    ///
    /// # Errors
    /// A call failed.
    pub(super) async fn markers(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<BTreeSet<DeliveryId>, Error> {
        let items = self.items_between(&partition(endpoint), first, last).await?;
        Ok(items.iter().filter_map(delivery_id).collect())
    }

    /// A marker expires with its record.
    fn marker(&self, endpoint: &EndpointId, delivery: &DeliveryId) -> Statement {
        let accepted_at = delivery.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH);
        let item = to_item(endpoint, delivery, self.expiry(accepted_at));
        Statement::insert(&self.tables.deliveries, item)
    }
}

/// Writes a marker, which is read by its sort key ([`delivery_id`]).
pub(super) fn to_item(endpoint: &EndpointId, delivery: &DeliveryId, expires_at: i64) -> Item {
    Item::from([
        ("endpoint".to_owned(), text(&partition(endpoint))),
        ("delivery".to_owned(), text(delivery)),
        ("expires_at".to_owned(), number(&expires_at)),
    ])
}

/// The partition of the markers of an endpoint's late deliveries. No history has this key.
pub(super) fn partition(endpoint: &EndpointId) -> String {
    format!("{endpoint}#late")
}

fn before(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.saturating_sub(duration)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .max(Timestamp::UNIX_EPOCH)
}
