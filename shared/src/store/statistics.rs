//! An endpoint's statistics. What never changes is tallied hour by hour, and kept (`hours`); what does change, how many
//! deliveries are undelivered now, is counted in the sparse index each time. A request does a bounded amount of either.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::try_join;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::Store;
use super::attribute::Item;
use super::delivery_item::{delivery_id, delivery_key};
use super::history::KEEP_WITHIN;
use super::hours::{Ask, KeptPart, Record, Walk};
use super::late::{self, Marker};
use crate::Error;
use crate::domain::delivery::{Failure, Status};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId};
use crate::domain::statistics::{FirstAttempt, Hour, Statistics, Tally, Window};

/// How long a request counts. The last call that it begins may take a few seconds more, and keeping two half seconds;
/// the gateway waits for 30 s.
const COUNT_FOR: Duration = Duration::from_secs(10);

/// Calls of each kind that a request makes, each of which reads up to 1 MB.
const MAX_CALLS: usize = 100;

/// What is asked of the deliveries table for each record: its key, its first attempt, and when it expires.
const FIRST_ATTEMPT: &str = "delivery, attempts[0].failure, attempts[0].duration_ms, expires_at";

/// What has been counted of a window.
#[derive(Debug)]
pub struct Counted {
    /// The hours or days that have been counted, oldest first.
    pub statistics: Vec<Statistics>,
    /// Whether they are all of the window.
    pub is_complete: bool,
}

/// What a request may still do.
#[derive(Debug, Clone, Copy)]
struct Budget {
    ends: Instant,
    calls: usize,
}

impl Budget {
    /// Takes a call out of it; false if there is none left.
    fn take_call(&mut self) -> bool {
        let is_left = self.calls > 0 && Instant::now() < self.ends;
        self.calls = self.calls.saturating_sub(1);
        is_left
    }
}

impl Store {
    /// Counts the deliveries of an endpoint in a window, as far as one request may, and keeps what was counted.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the endpoint is gone, or a call failed.
    pub async fn statistics(
        &self,
        endpoint: &Endpoint,
        window: Window,
        now: Timestamp,
    ) -> Result<Counted, Error> {
        let budget = Budget {
            ends: Instant::now() + COUNT_FOR,
            calls: MAX_CALLS,
        };
        let (tallies, pending, failed) = try_join!(
            Box::pin(self.tally_hours(endpoint, window, budget, now)),
            Box::pin(self.count_undelivered(&endpoint.id, Status::Pending, window, budget)),
            Box::pin(self.count_undelivered(&endpoint.id, Status::Failed, window, budget)),
        )?;
        let statistics = window.buckets().map_while(|(first, end)| {
            let counted = Some((
                sum(&tallies, first, end)?,
                pending.within(first, end)?,
                failed.within(first, end)?,
            ));
            counted.map(|(tally, pending, failed)| Statistics {
                from: first.start(),
                tally,
                pending,
                failed,
            })
        });
        let statistics: Vec<_> = statistics.collect();
        Ok(Counted {
            is_complete: statistics.len() == window.buckets().count(),
            statistics,
        })
    }

    /// Tallies the hours of a window, as of this moment, oldest first.
    async fn tally_hours(
        &self,
        endpoint: &Endpoint,
        window: Window,
        mut budget: Budget,
        now: Timestamp,
    ) -> Result<BTreeMap<Hour, Tally>, Error> {
        let (first, end) = (
            window.first().max(Hour::EARLIEST),
            window.end().max(Hour::EARLIEST),
        );
        let mut walk = Walk::new(first, end, self.keepable(late::settled_before(now), now));
        while let Some(ask) = walk.next() {
            match ask {
                Ask::Kept { after, last } => {
                    walk.take_kept_parts(self.kept_parts(&endpoint.id, &after, &last, now).await?);
                }
                Ask::Markers { .. } | Ask::Records { .. } if !budget.take_call() => walk.stop(),
                Ask::Markers { from, last } => {
                    walk.take_markers(self.some_markers(&endpoint.id, &from, &last).await?);
                }
                Ask::Records { after, last } => {
                    let (records, stopped_at) = self.records_between(&endpoint.id, &after, &last).await?;
                    walk.take_records(records, stopped_at);
                }
                Ask::AllMarkers { after, last } => {
                    match timeout(KEEP_WITHIN, self.all_markers(&endpoint.id, &after, &last)).await {
                        Ok(Ok(markers)) => walk.take_all_markers(&markers),
                        Ok(Err(_)) | Err(_) => walk.keep_nothing(),
                    }
                }
                Ask::Keep(parts) => walk.go_on(self.keep_some(endpoint, parts, now).await?),
            }
        }
        Ok(walk.tallies())
    }

    /// Keeps parts, and says whether that went well.
    async fn keep_some(
        &self,
        endpoint: &Endpoint,
        parts: Vec<KeptPart>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let error = match timeout(KEEP_WITHIN, self.keep_parts(endpoint, parts, now)).await {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(Error::NotFound)) => return Err(Error::NotFound),
            Ok(Err(error)) => error,
            Err(_) => Error::OutOfTime,
        };
        tracing::warn!(error = error.chain(), endpoint.id = %endpoint.id, "statistics are not kept");
        Ok(false)
    }

    async fn all_markers(
        &self,
        endpoint: &EndpointId,
        after: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<BTreeSet<Marker>, Error> {
        let mut all = BTreeSet::new();
        let mut from = late::reach_back(after);
        loop {
            let page = self.some_markers(endpoint, &from, last).await?;
            all.extend(page.markers);
            match page.more_from {
                Some(more_from) => from = more_from,
                None => return Ok(all),
            }
        }
    }

    /// A call's worth of records above `after`, up to and including `last`, and where the call stopped.
    async fn records_between(
        &self,
        endpoint: &EndpointId,
        after: &DeliveryId,
        last: &DeliveryId,
    ) -> Result<(Vec<Record>, Option<DeliveryId>), Error> {
        let query = self
            .query_between(endpoint.as_str(), after.as_str(), last.as_str())
            .projection_expression(FIRST_ATTEMPT)
            .set_exclusive_start_key(Some(delivery_key(endpoint, after)));
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        let stopped_at = answer.last_evaluated_key().and_then(delivery_id);
        let records = answer.items.unwrap_or_default().into_iter().map(record);
        Ok((records.collect::<Result<_, _>>()?, stopped_at))
    }

    /// Counts what has a status now, by hours, oldest first.
    async fn count_undelivered(
        &self,
        endpoint: &EndpointId,
        status: Status,
        window: Window,
        mut budget: Budget,
    ) -> Result<Undelivered, Error> {
        let (first, last) = (window.first().before(), window.end().before());
        let mut counted = Undelivered {
            hours: BTreeMap::new(),
            end: window.first(),
        };
        let mut after = None;
        while budget.take_call() {
            let range = (&first, &last);
            let keys = self
                .undelivered(endpoint, status, range, after.as_ref(), usize::MAX)
                .await?;
            keys.ids.iter().for_each(|id| counted.count(id));
            if keys.is_all {
                counted.end = window.end();
                break;
            }
            after = keys.ids.last().cloned().or(after);
        }
        Ok(counted)
    }
}

/// How many deliveries of each hour have a status now, up to an hour.
#[derive(Debug)]
struct Undelivered {
    hours: BTreeMap<Hour, u64>,
    end: Hour,
}

impl Undelivered {
    fn count(&mut self, id: &DeliveryId) {
        let hour = Hour::of(id.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH));
        *self.hours.entry(hour).or_default() += 1;
        self.end = hour;
    }

    fn within(&self, first: Hour, end: Hour) -> Option<u64> {
        (end <= self.end).then(|| self.hours.range(first..end).map(|(_, count)| count).sum())
    }
}

/// The sum of some hours, if each has been tallied.
fn sum(tallies: &BTreeMap<Hour, Tally>, first: Hour, end: Hour) -> Option<Tally> {
    let mut sum = Tally::default();
    let mut hour = first.max(Hour::EARLIEST);
    while hour < end {
        sum.add(tallies.get(&hour)?);
        hour = hour.next();
    }
    Some(sum)
}

/// A record, as far as it is read here.
#[derive(Deserialize)]
struct RecordItem {
    delivery: DeliveryId,
    #[serde(default)]
    attempts: Vec<FirstAttemptItem>,
    expires_at: i64,
}

#[derive(Deserialize)]
struct FirstAttemptItem {
    duration_ms: u64,
    #[serde(default)]
    failure: Option<Failure>,
}

fn record(item: Item) -> Result<Record, Error> {
    let item: RecordItem = serde_dynamo::from_item(item).map_err(Error::corrupt("deliveries"))?;
    let first = item.attempts.into_iter().next();
    Ok(Record {
        id: item.delivery,
        first: first.map(|attempt| FirstAttempt {
            failure: attempt.failure,
            duration_ms: attempt.duration_ms,
        }),
        expires_at: item.expires_at,
    })
}
