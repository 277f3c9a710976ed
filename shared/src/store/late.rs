//! Markers for late deliveries: those first recorded long after their event was accepted, after a backlog or a redrive.
//! They may join a part of the history that is counted already (`walk`), so each is marked before it is recorded, in another
//! partition. While a marker has no record (the process died in between, and the message has not come back yet), no count of
//! its part is kept or used; it does nothing else. What a process is about to record of one endpoint it marks together: the
//! sort key of the item is the ids of the deliveries, so that no two processes write the same one.
//!
//! A record may also get its first attempt late: one that ended because its endpoint was disabled is retried by hand weeks
//! later. Lists don't count attempts, statistics do (`hours`); so that is marked too, by an item of another kind.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::attribute::{Fields, Item, number, text};
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

/// What the sort key of a marker of first attempts ends with; no delivery's id does.
const ATTEMPTED: &str = "#first";

/// What such an end begins with.
const BEFORE_KIND: char = '#';

/// What is between the ids of a sort key; no id has it.
const BETWEEN: char = ',';

/// What is above every sort key that begins with an id.
const ABOVE: char = '~';

/// What is marked together was accepted within this time, so that what a range holds is found near it.
const TOGETHER_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Most deliveries that are marked together: a sort key has at most 1,024 bytes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>), and an id 30.
const MOST_TOGETHER: usize = 30;

/// A part of the markers, as far as one call reads.
#[derive(Debug, Default)]
pub(super) struct MarkerPage {
    pub(super) markers: BTreeSet<Marker>,
    /// Markers of this delivery and of later ones may be missing.
    pub(super) more_from: Option<DeliveryId>,
}

/// A delivery that is about to be recorded late, or to get its first attempt. The order is that in which they are marked
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Late<'a> {
    pub(super) endpoint: &'a EndpointId,
    pub(super) kind: MarkerKind,
    pub(super) delivery: &'a DeliveryId,
}

/// Where the items begin in which deliveries from this one on are marked.
pub(super) fn reach_back(delivery: &DeliveryId) -> DeliveryId {
    let accepted_at = delivery.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH);
    DeliveryId::first_at(before(accepted_at, TOGETHER_WITHIN))
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
        new: impl Iterator<Item = Late<'a>>,
        now: Timestamp,
    ) -> HashMap<&'a DeliveryId, Error> {
        let groups = groups(new.filter(|one| is_late(one.delivery, now)).collect());
        let markers: Vec<_> = groups.iter().map(|group| self.marker(group)).collect();
        let executions = partiql::run(&self.client, markers).await;
        let unmarked = groups.iter().zip(&executions).filter_map(|(group, execution)| {
            match execution {
                // What is marked already was about to be recorded before.
                Execution::Done | Execution::ConditionFailed => None,
                Execution::Open(error) | Execution::Failed(error) => Some((group, error)),
            }
        });
        let each = unmarked.flat_map(|(group, error)| group.iter().map(|one| (one.delivery, error.again())));
        each.collect()
    }

    /// The deliveries between two that were recorded late, as of this moment, and perhaps some beside them.
    ///
    /// # Errors
    /// A call failed.
    pub(super) async fn markers(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<BTreeSet<DeliveryId>, Error> {
        let partition = partition(endpoint);
        let query = self.query_between(&partition, reach_back(first).as_str(), &above(last));
        let items = query.into_paginator().items().send();
        let items: Vec<Item> = items.try_collect().await.map_err(Error::aws("Query"))?;
        let recorded = items.iter().flat_map(from_item);
        let recorded = recorded.filter(|marker| marker.kind == MarkerKind::Recorded);
        Ok(recorded.map(|marker| marker.delivery).collect())
    }

    /// The markers of both kinds in the items from one delivery to another, the oldest first, as of this moment: as many as
    /// one call reads.
    ///
    /// # Errors
    /// The call failed.
    pub(super) async fn some_markers(
        &self,
        endpoint: &EndpointId,
        from: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<MarkerPage, Error> {
        let query = self
            .query_between(&partition(endpoint), from.as_str(), &above(last))
            .projection_expression("delivery");
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        let stopped_at = answer.last_evaluated_key();
        Ok(MarkerPage {
            more_from: stopped_at.map(|key| first_of(key).unwrap_or_else(|| from.clone())),
            markers: answer.items().iter().flat_map(from_item).collect(),
        })
    }

    /// An item that marks deliveries together. It expires with their records.
    fn marker(&self, group: &[Late<'_>]) -> Statement {
        let accepted_at = group.iter().filter_map(|one| one.delivery.accepted_at()).max();
        let expires_at = self.expiry(accepted_at.unwrap_or(Timestamp::UNIX_EPOCH));
        Statement::insert(&self.tables.deliveries, fields(group, expires_at))
    }
}

/// What is marked together: deliveries of one endpoint that were accepted one soon after the other.
pub(super) fn groups(mut late: Vec<Late<'_>>) -> Vec<Vec<Late<'_>>> {
    late.sort_unstable();
    let mut groups: Vec<Vec<Late<'_>>> = Vec::new();
    for one in late {
        match groups.last_mut() {
            Some(group) if belongs(&one, group) => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    groups
}

/// Whether a delivery that comes after those of a group is marked with them.
fn belongs(one: &Late<'_>, group: &[Late<'_>]) -> bool {
    group.first().is_some_and(|first| {
        group.len() < MOST_TOGETHER
            && (one.endpoint, one.kind) == (first.endpoint, first.kind)
            && reach_back(one.delivery) <= *first.delivery
    })
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

/// Writes an item that marks deliveries together, which are sorted.
pub(super) fn fields(group: &[Late<'_>], expires_at: i64) -> Fields {
    let endpoint = group.first().map(|one| partition(one.endpoint));
    vec![
        ("endpoint", text(&endpoint.unwrap_or_default())),
        ("delivery", text(&sort_key(group))),
        ("expires_at", number(&expires_at)),
    ]
}

/// The sort key under which deliveries are marked together.
pub(super) fn sort_key(group: &[Late<'_>]) -> String {
    let mut key = String::new();
    for one in group {
        if !key.is_empty() {
            key.push(BETWEEN);
        }
        key.push_str(one.delivery.as_str());
    }
    if group.first().is_some_and(|one| one.kind == MarkerKind::Attempted) {
        key.push_str(ATTEMPTED);
    }
    key
}

/// Reads the markers of an item, the oldest first; none of a kind that a later release writes.
pub(super) fn from_item(item: &Item) -> Vec<Marker> {
    let sort_key = item.get("delivery").and_then(|value| value.as_s().ok());
    sort_key.map(|key| markers_of(key)).unwrap_or_default()
}

/// The first delivery of an item, of whatever kind it is.
fn first_of(item: &Item) -> Option<DeliveryId> {
    let sort_key = item.get("delivery")?.as_s().ok()?;
    sort_key.split([BETWEEN, BEFORE_KIND]).next()?.parse().ok()
}

/// What a sort key says.
pub(super) fn markers_of(sort_key: &str) -> Vec<Marker> {
    let (ids, kind) = match sort_key.strip_suffix(ATTEMPTED) {
        Some(ids) => (ids, MarkerKind::Attempted),
        None => (sort_key, MarkerKind::Recorded),
    };
    let marker = |id: &str| {
        let delivery = id.parse().ok()?;
        Some(Marker { delivery, kind })
    };
    ids.split(BETWEEN).filter_map(marker).collect()
}

/// Above the sort keys of all items that begin with this delivery or an older one.
fn above(delivery: &DeliveryId) -> String {
    format!("{delivery}{ABOVE}")
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
    use super::super::attribute::item;
    use super::*;

    #[test]
    fn a_record_is_late_when_it_is_new_and_its_first_attempt_when_it_had_none() {
        assert_eq!(late_kind(None, 0), Some(MarkerKind::Recorded));
        assert_eq!(late_kind(None, 1), Some(MarkerKind::Recorded));
        assert_eq!(late_kind(Some(0), 1), Some(MarkerKind::Attempted));
        assert_eq!(late_kind(Some(0), 0), None);
        assert_eq!(late_kind(Some(1), 2), None);
    }

    fn accepted(seconds: &[i64]) -> Vec<DeliveryId> {
        let at = |second: &i64| Timestamp::from_second(1_780_000_000 + second).unwrap();
        seconds
            .iter()
            .map(|second| DeliveryId::first_at(at(second)))
            .collect()
    }

    fn late<'a>(endpoint: &'a EndpointId, deliveries: &'a [DeliveryId]) -> Vec<Late<'a>> {
        let late = |delivery| Late {
            endpoint,
            kind: MarkerKind::Recorded,
            delivery,
        };
        deliveries.iter().map(late).collect()
    }

    #[test]
    fn deliveries_are_marked_together_if_they_were_accepted_within_a_minute() {
        let (endpoint, ids) = ("whe_1".parse().unwrap(), accepted(&[0, 61, 60, 121, 30]));

        let groups = groups(late(&endpoint, &ids));

        let lengths: Vec<_> = groups.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 2]);
        for group in &groups {
            assert!(reach_back(group[group.len() - 1].delivery) <= *group[0].delivery);
        }
    }

    #[test]
    fn what_is_marked_together_is_of_one_endpoint_and_kind() {
        let endpoints = ["whe_1".parse().unwrap(), "whe_2".parse().unwrap()];
        let ids = accepted(&[0, 1, 2, 3]);
        let mut all = late(&endpoints[0], &ids);
        all[1].endpoint = &endpoints[1];
        all[2].kind = MarkerKind::Attempted;

        let groups = groups(all);

        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn a_sort_key_is_no_longer_than_dynamodb_allows() {
        let seconds = [0; 100];
        let (endpoint, ids) = ("whe_1".parse().unwrap(), accepted(&seconds));
        let mut all = late(&endpoint, &ids);
        for one in &mut all {
            one.kind = MarkerKind::Attempted;
        }

        let groups = groups(all);

        assert!(groups.iter().all(|group| sort_key(group).len() <= 1_024));
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 100);
    }

    #[test]
    fn what_is_marked_is_read_back() {
        let (endpoint, ids) = ("whe_1".parse().unwrap(), accepted(&[0, 1, 2]));
        for kind in [MarkerKind::Recorded, MarkerKind::Attempted] {
            let mut group = late(&endpoint, &ids);
            for one in &mut group {
                one.kind = kind;
            }

            let markers = from_item(&item(fields(&group, 7)));

            let marked = ids.iter().cloned().map(|delivery| Marker { delivery, kind });
            assert_eq!(markers, marked.collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_a_later_release_marks_is_passed_over_but_not_lost_from_sight() {
        let item = Item::from([("delivery".to_owned(), text("del_1#of-a-later-release"))]);

        assert_eq!(from_item(&item), []);
        assert_eq!(first_of(&item), "del_1".parse().ok());
    }
}
