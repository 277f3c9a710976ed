//! A walk over the hours of a history, oldest first, that tallies the records of each. It decides what to ask the tables
//! next and makes no call, so that a property test can let everything happen while it walks.
//!
//! What it tallies of what has settled is kept, and not walked again. What is kept says how many records there are and what
//! came of their *first* attempts. It is changed by a record that joins, or by one that gets its first attempt, and whoever
//! writes either long after the event was accepted marks it first (`late`). So the rule is that of `walk`: **what is kept of
//! a part is right for as long as the part holds as many markers as when it was made**, and it is kept only if what every
//! marker in the part announces was seen.
//!
//! A part never reaches beyond its hour, unless it is empty, and is at most what one call reads (1 MB of records); so a walk
//! that has to stop leaves what it tallied to the next, however many records an hour has. What one short call reads is not
//! worth keeping, unless it lies before something that is kept: of many gaps, each would take a call.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::beside::{Keepable, MAX_ITEMS};
use super::late::{self, Marker, MarkerKind, MarkerPage};
use crate::domain::id::DeliveryId;
use crate::domain::statistics::{FirstAttempt, Hour, Tally};

/// Parts are kept once they have seen so many markers, about what a call reads. They are all read again before that, and
/// whoever waits for it waits no longer than for keeping.
const MANY_MARKERS: usize = 8_000;

/// The records of a call that is worth keeping; so is one that was cut off at 1 MB.
const MANY: usize = 1_000;

/// What is kept of a part of an hour, or of hours without deliveries: every delivery above one, up to and including another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptPart {
    /// The delivery, or the end of an hour, below the oldest.
    pub(super) after: DeliveryId,
    /// The newest, or the end of the hour.
    pub(super) last: DeliveryId,
    pub(super) tally: Tally,
    /// How many markers the part holds.
    pub(super) late: usize,
    /// When the first of its records expires, or before, in seconds since 1970.
    pub(super) expires_at: i64,
}

/// The next call that a walk needs. Each range is above `after`, up to and including `last`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// What is kept of a range.
    Kept { after: DeliveryId, last: DeliveryId },
    /// A call's worth of markers, in the items from this one on, the oldest first.
    Markers { from: DeliveryId, last: DeliveryId },
    /// A call's worth of records, the oldest first.
    Records { after: DeliveryId, last: DeliveryId },
    /// All markers, as they are now.
    AllMarkers { after: DeliveryId, last: DeliveryId },
    /// Keep these parts. Nothing depends on it.
    Keep(Vec<KeptPart>),
}

/// What is tallied of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: DeliveryId,
    pub(super) first: Option<FirstAttempt>,
    /// In seconds since 1970.
    pub(super) expires_at: i64,
}

/// A part that was tallied, with the markers of which it has what they announce.
#[derive(Debug)]
struct Tallied {
    part: KeptPart,
    seen: BTreeSet<Marker>,
}

/// What a walk does.
#[derive(Debug)]
enum Stage {
    /// What is kept is not known yet.
    WithoutKept,
    /// It goes on from its position.
    Walking,
    /// These parts are to be kept.
    Keeping(Vec<KeptPart>),
}

/// A walk over some hours.
#[derive(Debug)]
pub(super) struct Walk {
    /// What was tallied, the last hour perhaps in part.
    tallies: BTreeMap<Hour, Tally>,
    keepable: Keepable,
    /// The end of the last hour.
    end: DeliveryId,
    /// Everything up to here is tallied.
    position: DeliveryId,
    /// The hour in which the next record may be.
    hour: Hour,
    /// Up to where records were asked for.
    asked: DeliveryId,
    kept: BTreeMap<DeliveryId, KeptPart>,
    /// The markers up to `markers_known`, and not below the position.
    markers: BTreeSet<Marker>,
    markers_known: DeliveryId,
    tallied: Vec<Tallied>,
    /// Whether parts can be kept; not once that has failed.
    is_keeping: bool,
    is_stopped: bool,
    stage: Stage,
}

impl Walk {
    /// A walk from an hour up to, and without, another.
    pub(super) fn new(first: Hour, end: Hour, keepable: Keepable) -> Self {
        let after = first.before();
        Self {
            tallies: BTreeMap::new(),
            keepable,
            end: end.before(),
            position: after.clone(),
            hour: first,
            asked: after.clone(),
            kept: BTreeMap::new(),
            markers: BTreeSet::new(),
            markers_known: late::reach_back(&after),
            tallied: Vec::new(),
            is_keeping: true,
            is_stopped: false,
            stage: Stage::WithoutKept,
        }
    }

    /// What is wanted next; `None` at the end of the walk.
    pub(super) fn next(&mut self) -> Option<Ask> {
        loop {
            match &self.stage {
                Stage::WithoutKept => {
                    return Some(Ask::Kept {
                        after: self.position.clone(),
                        last: self.end.clone(),
                    });
                }
                Stage::Keeping(parts) => {
                    return Some(Ask::Keep(parts.iter().take(MAX_ITEMS).cloned().collect()));
                }
                Stage::Walking => {}
            }
            let is_over = self.is_stopped || self.is_complete();
            if let (Some(oldest), Some(newest)) = (self.tallied.first(), self.tallied.last())
                && (is_over || self.is_enough_to_keep())
            {
                return Some(Ask::AllMarkers {
                    after: oldest.part.after.clone(),
                    last: newest.part.last.clone(),
                });
            }
            if is_over {
                return None;
            }
            let kept_last = self.kept.get(&self.position).map(|part| &part.last);
            if self.markers_known <= self.position || kept_last.is_some_and(|last| *last > self.markers_known)
            {
                return Some(Ask::Markers {
                    from: self.markers_known.clone(),
                    last: self.end.clone(),
                });
            }
            let Some(part) = self.kept.remove(&self.position) else {
                self.asked = self.next_kept().min(&self.markers_known).clone();
                return Some(Ask::Records {
                    after: self.position.clone(),
                    last: self.asked.clone(),
                });
            };
            self.take_kept(&part);
        }
    }

    /// Takes the parts that were asked for.
    pub(super) fn take_kept_parts(&mut self, parts: Vec<KeptPart>) {
        self.kept = parts.into_iter().map(|part| (part.after.clone(), part)).collect();
        self.stage = Stage::Walking;
    }

    /// Takes the markers that were asked for.
    pub(super) fn take_markers(&mut self, page: MarkerPage) {
        match page.more_from {
            None => self.markers_known = self.end.clone(),
            Some(from) => self.markers_known = from.previous().unwrap_or(from),
        }
        let position = Marker {
            delivery: self.position.clone(),
            kind: MarkerKind::Recorded,
        };
        self.markers = self.markers.split_off(&position);
        self.markers.extend(page.markers);
    }

    /// Takes the records that were asked for, and the one at which the call stopped, if there are more.
    pub(super) fn take_records(&mut self, records: Vec<Record>, stopped_at: Option<DeliveryId>) {
        let is_worth_it =
            stopped_at.is_some() || records.len() >= MANY || self.kept.contains_key(&self.asked);
        let reached = stopped_at.unwrap_or_else(|| self.asked.clone());
        let mut records = records.into_iter().peekable();
        while self.position < reached {
            let next = records.peek().and_then(|record| record.id.accepted_at());
            let last = match next.map(Hour::of) {
                None => reached.clone(),
                Some(next) if next > self.hour => next.before(),
                Some(_) => self.hour.last().min(reached.clone()),
            };
            let mut tallied = Tallied {
                part: KeptPart {
                    after: self.position.clone(),
                    last: last.clone(),
                    tally: Tally::default(),
                    late: 0,
                    expires_at: i64::MAX,
                },
                seen: BTreeSet::new(),
            };
            while let Some(record) = records.next_if(|record| record.id <= last) {
                tallied.count(&record, &self.markers);
            }
            self.go_to(last, &tallied.part.tally);
            let part = &tallied.part;
            let is_keepable = part.after >= self.keepable.after && part.last <= self.keepable.last;
            if self.is_keeping && is_worth_it && is_keepable {
                self.tallied.push(tallied);
            }
        }
    }

    /// Takes all markers around the parts that were tallied, as they are now.
    pub(super) fn take_all_markers(&mut self, markers: &BTreeSet<Marker>) {
        let mut parts = Vec::new();
        for Tallied { mut part, seen } in self.tallied.drain(..) {
            let late: BTreeSet<_> = markers.range(within(&part)).cloned().collect();
            if late == seen {
                part.late = late.len();
                parts.push(part);
            }
        }
        if !parts.is_empty() {
            self.stage = Stage::Keeping(parts);
        }
    }

    /// Goes on after parts were to be kept. Once some are not, no others are tried: each may take a while.
    pub(super) fn go_on(&mut self, are_kept: bool) {
        if !are_kept {
            self.keep_nothing();
        }
        if let Stage::Keeping(parts) = &mut self.stage {
            parts.drain(..MAX_ITEMS.min(parts.len()));
            if parts.is_empty() {
                self.stage = Stage::Walking;
            }
        }
    }

    /// Keeps nothing more.
    pub(super) fn keep_nothing(&mut self) {
        self.is_keeping = false;
        self.tallied.clear();
        self.stage = Stage::Walking;
    }

    /// Ends the walk where it is, but for keeping what it has tallied.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Whether every hour is tallied.
    pub(super) fn is_complete(&self) -> bool {
        self.position >= self.end
    }

    /// The hours that are tallied as a whole.
    pub(super) fn tallies(mut self) -> BTreeMap<Hour, Tally> {
        self.tallies.retain(|hour, _| *hour < self.hour);
        self.tallies
    }

    fn is_enough_to_keep(&self) -> bool {
        let markers: usize = self.tallied.iter().map(|tallied| tallied.seen.len()).sum();
        self.tallied.len() >= MAX_ITEMS || markers >= MANY_MARKERS
    }

    /// Passes over a part that is kept, if it is right.
    fn take_kept(&mut self, part: &KeptPart) {
        if self.markers.range(within(part)).count() == part.late {
            self.go_to(part.last.clone(), &part.tally);
        }
    }

    fn go_to(&mut self, last: DeliveryId, tally: &Tally) {
        self.tallies.entry(self.hour).or_default().add(tally);
        while last >= self.hour.last() {
            self.hour = self.hour.next();
            self.tallies.entry(self.hour).or_default();
        }
        self.position = last;
    }

    /// Where the next part begins that is kept, or the walk ends.
    fn next_kept(&self) -> &DeliveryId {
        let above = (Bound::Excluded(&self.position), Bound::Unbounded);
        let next = self.kept.range::<DeliveryId, _>(above).next();
        next.map_or(&self.end, |(after, _)| after)
    }
}

impl Tallied {
    fn count(&mut self, record: &Record, markers: &BTreeSet<Marker>) {
        self.part.tally.count(record.first);
        self.part.expires_at = self.part.expires_at.min(record.expires_at);
        let attempted = record.first.map(|_| MarkerKind::Attempted);
        for kind in [Some(MarkerKind::Recorded), attempted].into_iter().flatten() {
            let delivery = record.id.clone();
            if let Some(marker) = markers.get(&Marker { delivery, kind }) {
                self.seen.insert(marker.clone());
            }
        }
    }
}

/// The markers of a part.
fn within(part: &KeptPart) -> (Bound<Marker>, Bound<Marker>) {
    let last_of = |delivery: &DeliveryId| Marker {
        delivery: delivery.clone(),
        kind: MarkerKind::Attempted,
    };
    (
        Bound::Excluded(last_of(&part.after)),
        Bound::Included(last_of(&part.last)),
    )
}

#[cfg(test)]
mod tests;
