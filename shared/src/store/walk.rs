//! A walk over the keys of a history, newest first, that finds a page and counts everything. It decides what to ask the
//! tables next and makes no call, so that a property test can let late records join while it walks.
//!
//! What it counts of the part that has settled is kept, and not walked again. **A kept count is right for as long as its part
//! of the history holds as many markers as when it was made**: whoever records a delivery late marks it first (`late`). So a
//! count is kept only if every marker in its part belongs to a record that was counted, and it is used only while their
//! number is the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::beside::Keepable;
use crate::domain::id::DeliveryId;

/// A part with at least this many keys is worth keeping; so is one that was a good share of a whole call (1 MB).
const MANY: usize = 1_000;
const GOOD_SHARE: usize = 4;

/// The kept count of a part of a history: every delivery older than one, down to and including another. Neither need exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptCount {
    /// Above the newest.
    pub(super) before: DeliveryId,
    /// The oldest, or below it.
    pub(super) last: DeliveryId,
    /// How many there are.
    pub(super) count: usize,
    /// How many of them are marked as late.
    pub(super) late: usize,
}

/// The next call that a walk needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A call's worth of keys below `after`, or from the newest, and not below `down_to`.
    Keys {
        after: Option<DeliveryId>,
        down_to: DeliveryId,
        /// Whether the keys themselves are needed, or only how many there are.
        only_counted: bool,
    },
    /// The kept counts between two deliveries.
    KeptCounts { first: DeliveryId, last: DeliveryId },
    /// The markers between two deliveries.
    Markers { first: DeliveryId, last: DeliveryId },
    /// The oldest delivery from `first` on, and not above another.
    Oldest { first: DeliveryId, last: DeliveryId },
    /// Keep a count. Nothing depends on it.
    Keep(Counted),
}

/// A part that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) part: KeptCount,
    /// The oldest of its deliveries.
    pub(super) oldest: DeliveryId,
    /// Where the walk goes on; it does not at the end of the history.
    rest: Option<DeliveryId>,
}

/// The answer to [`Ask::Keys`].
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) count: usize,
    /// Empty if they are only counted.
    pub(super) ids: Vec<DeliveryId>,
    /// Where the call stopped; `None` if there are no more.
    pub(super) stopped_at: Option<DeliveryId>,
}

/// The wanted page, as far as it has been found, and how many deliveries have been counted.
#[derive(Debug)]
pub(super) struct Found {
    skip: usize,
    take: usize,
    pub(super) page: Vec<DeliveryId>,
    pub(super) total: usize,
}

impl Found {
    /// A page that is still to be found.
    pub(super) fn nothing_yet(skip: usize, take: usize) -> Self {
        Self {
            skip,
            take,
            page: Vec::with_capacity(take),
            total: 0,
        }
    }

    /// Whether nothing but counting is left to do.
    pub(super) fn is_complete(&self) -> bool {
        self.page.len() == self.take
    }

    /// Whether the next `count` deliveries need only be counted.
    fn skips(&self, count: usize) -> bool {
        self.is_complete() || self.total + count <= self.skip
    }

    /// Takes what is wanted of the next deliveries.
    pub(super) fn take_from(&mut self, keys: &Keys) {
        let before = self.skip.saturating_sub(self.total);
        let wanted = keys.ids.iter().skip(before).take(self.take - self.page.len());
        self.page.extend(wanted.cloned());
        self.total += keys.count;
    }
}

/// Where a walk is.
#[derive(Debug)]
enum Stage {
    /// At the newest delivery; a short history ends here.
    Newest,
    /// Below this delivery; the kept counts are not known yet.
    WithoutCounts(DeliveryId),
    /// The same; nor are the markers.
    WithoutMarkers(DeliveryId),
    /// The same; nothing is kept yet, so the end of the history may be worth keeping.
    WithoutOldest(DeliveryId),
    /// Below this delivery.
    Below(DeliveryId),
    /// A part has been counted, and may be kept if its markers are those that were seen; then the walk goes on below.
    Counted {
        counted: Counted,
        seen: BTreeSet<DeliveryId>,
    },
    /// The same; it is to be kept.
    Keeping(Counted),
    /// At the end.
    End,
}

impl Stage {
    /// Where a walk goes on.
    fn below(rest: Option<DeliveryId>) -> Self {
        rest.map_or(Self::End, Self::Below)
    }
}

/// A walk over the deliveries down to `first`.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) found: Found,
    first: DeliveryId,
    keepable: Keepable,
    usable: BTreeMap<DeliveryId, KeptCount>,
    /// Whether counts can be kept; not once that has failed.
    is_keeping: bool,
    markers: BTreeSet<DeliveryId>,
    /// The oldest delivery, if it was asked for.
    oldest: Option<DeliveryId>,
    stage: Stage,
}

impl Walk {
    /// A walk that is about to begin.
    pub(super) fn new(first: DeliveryId, keepable: Keepable, found: Found) -> Self {
        Self {
            found,
            first,
            keepable,
            usable: BTreeMap::new(),
            is_keeping: true,
            markers: BTreeSet::new(),
            oldest: None,
            stage: Stage::Newest,
        }
    }

    /// What is wanted next; `None` at the end of the walk.
    pub(super) fn next(&mut self) -> Option<Ask> {
        self.take_kept_counts();
        Some(match &self.stage {
            Stage::Newest => Ask::Keys {
                after: None,
                down_to: self.first.clone(),
                only_counted: self.found.is_complete(),
            },
            Stage::WithoutCounts(position) => Ask::KeptCounts {
                first: self.first.clone(),
                last: position.clone(),
            },
            Stage::WithoutMarkers(position) => Ask::Markers {
                first: self.first.clone(),
                last: position.clone(),
            },
            Stage::WithoutOldest(position) => Ask::Oldest {
                first: self.first.clone(),
                last: position.clone(),
            },
            Stage::Below(position) => {
                let down_to = self.next_kept_below(position).unwrap_or(&self.first).clone();
                Ask::Keys {
                    after: Some(position.clone()),
                    only_counted: self.found.is_complete() && self.keeps_without_keys(position, &down_to),
                    down_to,
                }
            }
            Stage::Counted { counted, .. } => Ask::Markers {
                first: counted.part.last.clone(),
                last: counted.part.before.clone(),
            },
            Stage::Keeping(counted) => Ask::Keep(counted.clone()),
            Stage::End => return None,
        })
    }

    /// Takes the keys that were asked for.
    pub(super) fn take_keys(&mut self, keys: &Keys) {
        self.found.take_from(keys);
        let Stage::Below(position) = &self.stage else {
            self.stage = keys.stopped_at.clone().map_or(Stage::End, Stage::WithoutCounts);
            return;
        };
        let next_kept = self.next_kept_below(position).cloned();
        let rest = keys.stopped_at.clone().or(next_kept);
        self.stage = match self.worth_keeping(position, keys, rest.as_ref()) {
            None => Stage::below(rest),
            Some((part, oldest)) => Stage::Counted {
                seen: self.seen(&part, keys),
                counted: Counted { part, oldest, rest },
            },
        };
    }

    /// Takes the kept counts that were asked for.
    pub(super) fn take_counts(&mut self, counts: Vec<KeptCount>) {
        if let Stage::WithoutCounts(position) = &self.stage {
            let within = counts.into_iter().filter(|part| part.last >= self.first);
            self.usable = within.map(|part| (part.before.clone(), part)).collect();
            self.stage = Stage::WithoutMarkers(position.clone());
        }
    }

    /// Takes the markers that were asked for.
    pub(super) fn take_markers(&mut self, markers: BTreeSet<DeliveryId>) {
        match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::WithoutMarkers(position) => {
                self.usable.retain(|before, part| {
                    markers.range::<DeliveryId, _>(&part.last..before).count() == part.late
                });
                self.markers = markers;
                self.stage = if self.usable.is_empty() && self.is_unbounded() {
                    Stage::WithoutOldest(position)
                } else {
                    Stage::Below(position)
                };
            }
            Stage::Counted { mut counted, seen } => {
                let part = &mut counted.part;
                let late: BTreeSet<_> = markers
                    .range::<DeliveryId, _>(&part.last..&part.before)
                    .cloned()
                    .collect();
                part.late = late.len();
                self.stage = if late == seen {
                    Stage::Keeping(counted)
                } else {
                    Stage::below(counted.rest)
                };
            }
            other => self.stage = other,
        }
    }

    /// Takes the oldest delivery, which was asked for.
    pub(super) fn take_oldest(&mut self, oldest: Option<DeliveryId>) {
        self.oldest = oldest;
        if let Stage::WithoutOldest(position) = &self.stage {
            self.stage = Stage::Below(position.clone());
        }
    }

    /// Goes on after a count was to be kept. Once one is not, no other is tried: each may take a while.
    pub(super) fn go_on(&mut self, is_kept: bool) {
        self.is_keeping &= is_kept;
        if let Stage::Keeping(counted) = &mut self.stage {
            self.stage = Stage::below(counted.rest.take());
        }
    }

    /// Passes over the parts that begin here, need no more than to be counted, and have been.
    fn take_kept_counts(&mut self) {
        while let Stage::Below(position) = &self.stage
            && let Some(part) = self.usable.get(position)
            && self.found.skips(part.count)
        {
            self.found.total += part.count;
            let rest = (part.last > self.first).then(|| part.last.clone());
            self.stage = Stage::below(rest);
        }
    }

    /// Whether what is counted below this delivery could be kept without knowing its keys: not where its newest are not
    /// settled, not if some are late, and not beside a part that is kept, where a call may end between two deliveries.
    fn keeps_without_keys(&self, position: &DeliveryId, down_to: &DeliveryId) -> bool {
        let late = self.markers.range::<DeliveryId, _>(down_to..position).next();
        *position <= self.keepable.last && late.is_none() && self.usable.is_empty()
    }

    /// Whether the list goes down to the end of the history.
    fn is_unbounded(&self) -> bool {
        self.first == DeliveryId::first_at(Timestamp::UNIX_EPOCH)
    }

    /// The part of these keys that is worth keeping, and its oldest delivery. What a list with a lower bound counts last ends
    /// where no other list's does, and is not.
    fn worth_keeping(
        &self,
        position: &DeliveryId,
        keys: &Keys,
        rest: Option<&DeliveryId>,
    ) -> Option<(KeptCount, DeliveryId)> {
        let before = position.min(&self.keepable.last);
        let count = if before == position {
            keys.count
        } else {
            keys.ids.iter().filter(|id| *id < before).count()
        };
        let is_share = keys.stopped_at.is_some() && count > 0 && count * GOOD_SHARE >= keys.count;
        let is_open = rest.is_some() || self.is_unbounded();
        let is_kept = self.usable.contains_key(before);
        if !self.is_keeping || is_kept || !is_open || (count < MANY && !is_share) {
            return None;
        }
        let known = keys.ids.last().or(keys.stopped_at.as_ref());
        let oldest = known.or(self.oldest.as_ref().filter(|_| rest.is_none()))?;
        let part = KeptCount {
            before: before.clone(),
            last: rest.unwrap_or(&self.first).clone(),
            count,
            late: 0,
        };
        (*oldest > self.keepable.after).then(|| (part, oldest.clone()))
    }

    /// The markers of a part whose records are among these keys.
    fn seen(&self, part: &KeptCount, keys: &Keys) -> BTreeSet<DeliveryId> {
        let counted: BTreeSet<_> = keys.ids.iter().collect();
        let late = self.markers.range::<DeliveryId, _>(&part.last..&part.before);
        late.filter(|id| counted.contains(id)).cloned().collect()
    }

    /// Where the next kept part begins below this delivery.
    fn next_kept_below(&self, delivery: &DeliveryId) -> Option<&DeliveryId> {
        let below = self.usable.range(..delivery.clone());
        below.map(|(before, _)| before).next_back()
    }
}

#[cfg(test)]
mod tests;
