//! Markers for late deliveries: those first recorded long after their event was accepted, after a backlog or a redrive.
//! They may join a part of the history that is counted already (`walk`), so each is marked before it is recorded, by an
//! item of its own in another partition. While a marker has no record (the process died in between, and the message has
//! not come back yet), no count of its part is kept or used; it does nothing else.
//!
//! A record may also get its first attempt late: one that ended because its endpoint was disabled is retried by hand weeks
//! later. Lists don't count attempts, statistics do (`hours`); so that is marked too, by an item of another kind.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::attribute::{Item, number, text};
use super::delivery_item::delivery_id;
use super::partiql::{self, Execution, Statement};
use crate::Error;
use crate::domain::id::{DeliveryId, EndpointId};

/// A delivery that is recorded so many seconds after its event was accepted is late. What no queue holds up is recorded
/// within seconds of that, or when its attempt has used up its deadline, 15 s by default.
const LATE_AFTER_SECONDS: i64 = 90;

/// What is not late is written within this time after that was decided, or not at all.
pub(super) const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

/// By so much the clocks of two functions may differ, and what was sent be under way, together.
const SLACK_SECONDS: i64 = 120;

/// The part of a history that is older has settled: nothing joins it without a marker.
const SETTLED_AFTER: SignedDuration =
    SignedDuration::from_secs(LATE_AFTER_SECONDS + WRITTEN_WITHIN.as_secs().cast_signed() + SLACK_SECONDS);

/// The part of a history that is older is closed: nothing joins it without a marker even if an invocation stood still for as
/// long as Lambda may let it (15 minutes). What is kept for long is of this part.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marker {
    /// The delivery.
    pub(super) delivery: DeliveryId,
    /// What about it is late.
    pub(super) kind: MarkerKind,
}

/// What is late about a delivery. The order is that of the sort keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MarkerKind {
    /// Its record, with its first attempt or without.
    Recorded,
    /// The first attempt of a record that had none.
    Attempted,
}

/// What the sort key of a marker of a first attempt ends with; no delivery's id does.
const ATTEMPTED: &str = "#first";

/// A part of the markers, as far as one call reads.
#[derive(Debug, Default)]
pub(super) struct MarkerPage {
    pub(super) markers: BTreeSet<Marker>,
    /// Whether there are more.
    pub(super) more: bool,
}

/// Whether a delivery that is recorded now is late.
pub(super) fn is_late(delivery: &DeliveryId, now: Timestamp) -> bool {
    let limit = before(now, SignedDuration::from_secs(LATE_AFTER_SECONDS));
    *delivery < DeliveryId::first_at(limit)
}

/// The deliveries that were accepted so long ago that their part of the history has settled.
pub(super) fn settled_before(now: Timestamp) -> DeliveryId {
    DeliveryId::first_at(before(now, SETTLED_AFTER))
}

/// The deliveries that were accepted so long ago that their part of the history is closed.
pub(super) fn closed_before(now: Timestamp) -> DeliveryId {
    DeliveryId::first_at(before(now, CLOSED_AFTER))
}

impl Store {
    /// Marks the late ones. Returns those that could not be marked, with the error; they must not be recorded.
    pub(super) async fn mark_late<'a>(
        &self,
        new: impl Iterator<Item = (&'a EndpointId, &'a DeliveryId, MarkerKind)>,
        now: Timestamp,
    ) -> HashMap<&'a DeliveryId, Error> {
        let late: Vec<_> = new.filter(|(_, delivery, _)| is_late(delivery, now)).collect();
        let markers: Vec<_> = late
            .iter()
            .map(|(endpoint, delivery, kind)| self.marker(endpoint, delivery, *kind))
            .collect();
        let executions = partiql::run(&self.client, &markers).await;
        let unmarked = late
            .into_iter()
            .zip(executions)
            .filter_map(|((_, delivery, _), execution)| {
                match execution {
                    // What is marked already was about to be recorded before.
                    Execution::Done | Execution::ConditionFailed => None,
                    Execution::Open(error) | Execution::Failed(error) => Some((delivery, error)),
                }
            });
        unmarked.collect()
    }

    /// The deliveries between two that were recorded late, as of this moment.
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

    /// The oldest markers of both kinds between two deliveries, as of this moment: as many as one call reads.
    ///
    /// # Errors
    /// The call failed.
    pub(super) async fn some_markers(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<MarkerPage, Error> {
        let query = self
            .query_between(
                &partition(endpoint),
                first.as_str(),
                &format!("{last}{ATTEMPTED}"),
            )
            .projection_expression("delivery");
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        Ok(MarkerPage {
            more: answer.last_evaluated_key.is_some(),
            markers: answer.items().iter().filter_map(from_item).collect(),
        })
    }

    /// A marker expires with its record.
    fn marker(&self, endpoint: &EndpointId, delivery: &DeliveryId, kind: MarkerKind) -> Statement {
        let accepted_at = delivery.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH);
        let item = to_item(endpoint, delivery, kind, self.expiry(accepted_at));
        Statement::insert(&self.tables.deliveries, item)
    }
}

/// What is late about a write of a record that had this many attempts (`None`: that was not there) and has `after` then, if
/// anything is.
pub(super) fn late_kind(before: Option<u32>, after: u32) -> Option<MarkerKind> {
    match before {
        None => Some(MarkerKind::Recorded),
        Some(0) if after > 0 => Some(MarkerKind::Attempted),
        Some(_) => None,
    }
}

/// Writes a marker.
pub(super) fn to_item(
    endpoint: &EndpointId,
    delivery: &DeliveryId,
    kind: MarkerKind,
    expires_at: i64,
) -> Item {
    let sort_key = match kind {
        MarkerKind::Recorded => delivery.to_string(),
        MarkerKind::Attempted => format!("{delivery}{ATTEMPTED}"),
    };
    Item::from([
        ("endpoint".to_owned(), text(&partition(endpoint))),
        ("delivery".to_owned(), text(&sort_key)),
        ("expires_at".to_owned(), number(&expires_at)),
    ])
}

/// Reads a marker, which is its sort key; `None` for a kind that a later release writes.
pub(super) fn from_item(item: &Item) -> Option<Marker> {
    let sort_key = item.get("delivery")?.as_s().ok()?;
    let (delivery, kind) = match sort_key.strip_suffix(ATTEMPTED) {
        Some(delivery) => (delivery, MarkerKind::Attempted),
        None => (sort_key.as_str(), MarkerKind::Recorded),
    };
    let delivery = delivery.parse().ok()?;
    Some(Marker { delivery, kind })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_late_when_it_is_new_and_its_first_attempt_when_it_had_none() {
        assert_eq!(late_kind(None, 0), Some(MarkerKind::Recorded));
        assert_eq!(late_kind(None, 1), Some(MarkerKind::Recorded));
        assert_eq!(late_kind(Some(0), 1), Some(MarkerKind::Attempted));
        assert_eq!(late_kind(Some(0), 0), None);
        assert_eq!(late_kind(Some(1), 2), None);
    }

    #[test]
    fn a_list_does_not_take_the_marker_of_a_first_attempt_for_one_of_a_record() {
        let (endpoint, delivery) = ("whe_1".parse().unwrap(), "del_1".parse().unwrap());
        let item = to_item(&endpoint, &delivery, MarkerKind::Attempted, 7);

        assert_eq!(delivery_id(&item), None);
        assert_eq!(from_item(&item).map(|marker| marker.delivery), Some(delivery));
    }
}
