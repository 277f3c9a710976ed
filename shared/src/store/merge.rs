//! A page over the histories of many endpoints, newest first. It decides what to read next of which endpoint and makes no
//! call, so that a property test can let deliveries arrive while it reads.
//!
//! Of each endpoint it knows what was found, and below which delivery nothing has been read. **A delivery is on the page
//! once nothing newer can be unread anywhere.** A few of each endpoint are read first, because most pages need no more; then
//! more of those that are used up. What is read for a page is bounded; if that is not enough, the page is short.

use std::collections::VecDeque;

use crate::domain::id::DeliveryId;

/// Records that are read first of an endpoint, at least: with half a kilobyte each they are one read unit, as a single one
/// would be.
const FEW: usize = 8;

/// How many times as many are read each time, while they do not suffice.
const GROWTH: usize = 4;

/// Records that are read for one page, beside those that are read first of each endpoint.
const MOST_MORE: usize = 2_000;

/// Records that are read at once of one endpoint, if a filter may leave out most of them.
const MOST_FILTERED: usize = 500;

/// How many of the records that are read are on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filtering {
    /// All of them, so that no endpoint has to give more than a page.
    Nothing,
    /// Nobody knows.
    Some,
}

/// What is to be read next of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// The endpoint, by its place among those that the page is made of.
    pub(super) endpoint: usize,
    /// The newest delivery that may be read.
    pub(super) newest: DeliveryId,
    /// How many records are read at most, whether they are wanted or not.
    pub(super) limit: usize,
}

/// What was read of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The deliveries that are wanted, newest first.
    pub(super) found: Vec<DeliveryId>,
    /// The newest that may be left to read; `None` if nothing is.
    pub(super) unread: Option<DeliveryId>,
}

#[derive(Debug)]
struct Source {
    found: VecDeque<DeliveryId>,
    unread: Option<DeliveryId>,
    limit: usize,
}

/// A page that is being made.
#[derive(Debug)]
pub(super) struct Merge {
    sources: Vec<Source>,
    page: Vec<(usize, DeliveryId)>,
    wanted: usize,
    most: usize,
    /// Records that may still be read; `None` before the first are.
    left: Option<usize>,
}

impl Merge {
    /// A page of `wanted` deliveries of so many endpoints, none of them newer than `newest`.
    pub(super) fn new(endpoints: usize, newest: &DeliveryId, wanted: usize, filtering: Filtering) -> Self {
        let share = 2 * wanted.div_ceil(endpoints.max(1));
        let source = || Source {
            found: VecDeque::new(),
            unread: Some(newest.clone()),
            limit: share.clamp(FEW.min(wanted), wanted),
        };
        Self {
            sources: std::iter::repeat_with(source).take(endpoints).collect(),
            page: Vec::with_capacity(wanted),
            wanted,
            most: match filtering {
                Filtering::Nothing => wanted,
                Filtering::Some => MOST_FILTERED,
            },
            left: None,
        }
    }

    /// What is to be read next, each of another endpoint; nothing once the page is made.
    pub(super) fn next(&mut self) -> Vec<Ask> {
        self.gather();
        let wanting = self.wanting();
        let share = match self.left {
            None => usize::MAX,
            Some(left) => left / wanting.len().max(1),
        };
        let mut asks = Vec::with_capacity(wanting.len());
        for endpoint in wanting {
            let source = &mut self.sources[endpoint];
            if self.left.is_some() {
                source.limit = (source.limit * GROWTH).min(self.most).min(share);
            }
            if let Some(newest) = source.unread.clone().filter(|_| source.limit > 0) {
                let limit = source.limit;
                asks.push(Ask {
                    endpoint,
                    newest,
                    limit,
                });
            }
        }
        let asked: usize = asks.iter().map(|ask| ask.limit).sum();
        self.left = Some(self.left.map_or(MOST_MORE, |left| left.saturating_sub(asked)));
        asks
    }

    /// Takes what was asked for, each part with the place of its endpoint.
    pub(super) fn take(&mut self, parts: Vec<(usize, Part)>) {
        for (endpoint, part) in parts {
            let source = &mut self.sources[endpoint];
            source.found.extend(part.found);
            source.unread = part.unread;
        }
    }

    /// The page, each delivery with the place of its endpoint, and the newest delivery that may be on the next one.
    pub(super) fn finish(mut self) -> (Vec<(usize, DeliveryId)>, Option<DeliveryId>) {
        self.gather();
        let left = self
            .sources
            .iter()
            .filter_map(|source| source.found.front().or(source.unread.as_ref()));
        let next = left.max().cloned();
        (self.page, next)
    }

    /// Puts on the page what nothing unread can be newer than.
    fn gather(&mut self) {
        let unread = self
            .sources
            .iter()
            .filter_map(|source| source.unread.as_ref())
            .max();
        let unread = unread.cloned();
        while self.page.len() < self.wanted {
            let newest = self.sources.iter_mut().enumerate();
            let newest = newest.max_by(|(_, one), (_, other)| one.found.front().cmp(&other.found.front()));
            let Some((endpoint, source)) = newest else { return };
            if source.found.front() <= unread.as_ref() {
                return;
            }
            self.page
                .extend(source.found.pop_front().map(|id| (endpoint, id)));
        }
    }

    /// The endpoints of which the page may need more. It ends at the latest where what is found would fill it.
    fn wanting(&self) -> Vec<usize> {
        let room = self.wanted - self.page.len();
        let Some(last) = room.checked_sub(1) else {
            return Vec::new();
        };
        let mut found: Vec<_> = self.sources.iter().flat_map(|source| &source.found).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        let end = found.get(last).copied();
        let places = self.sources.iter().enumerate();
        let wanting = places.filter(|(_, source)| source.unread.as_ref() > end && source.unread.is_some());
        wanting.map(|(endpoint, _)| endpoint).collect()
    }
}

#[cfg(test)]
mod tests;
