//! An endpoint's history, page by page. DynamoDB has neither offsets nor totals: keys are walked, newest first,
//! and only the records of the wanted page are fetched. What a walk counts of a long history is kept (`spans`).

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use futures::try_join;
use jiff::Timestamp;

use super::attribute::{Item, text};
use super::deliveries::delivery_key;
use super::spans::Span;
use super::{BatchKeys, Store, delivery_item};
use crate::Error;
use crate::domain::delivery::{Delivery, Status};
use crate::domain::id::{DeliveryId, EndpointId};
use crate::domain::time;

/// Which deliveries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct HistoryFilter {
    /// Accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Accepted at this time or earlier.
    pub to: Option<Timestamp>,
    /// Only those that stand so.
    pub status: Option<Status>,
}

/// A page of the history.
#[derive(Debug)]
pub struct HistoryPage {
    /// The page's deliveries, newest first.
    pub deliveries: Vec<Delivery>,
    /// How many there are on all pages.
    pub total: usize,
}

/// Keys that are worth a write, not to be counted again. All that one call reads, 1 MB, is so anyway.
const MANY: usize = 1_000;

/// A list does not wait longer for a count to be kept, and keeps no more of them then.
const KEEP_WITHIN: Duration = Duration::from_millis(500);

/// The wanted page, as far as it has been found, and how many deliveries have been counted.
#[derive(Debug)]
struct Found {
    skip: usize,
    take: usize,
    page: Vec<DeliveryId>,
    total: usize,
}

impl Found {
    fn new(skip: usize, take: usize) -> Self {
        Self {
            skip,
            take,
            page: Vec::with_capacity(take),
            total: 0,
        }
    }

    fn is_complete(&self) -> bool {
        self.page.len() == self.take
    }

    /// Whether the next `count` deliveries need only be counted.
    fn skips(&self, count: usize) -> bool {
        self.is_complete() || self.total + count <= self.skip
    }

    /// Only counts, if that is enough; else asks for keys.
    fn narrow(&self, query: QueryFluentBuilder) -> QueryFluentBuilder {
        if self.is_complete() {
            query.select(Select::Count)
        } else {
            query.projection_expression("endpoint, delivery")
        }
    }

    /// Takes what is wanted of an answer, and returns how many there were and where the walk stopped.
    fn take_from(&mut self, answer: QueryOutput) -> (usize, Option<Item>) {
        let count = usize::try_from(answer.count).unwrap_or(0);
        let before = self.skip.saturating_sub(self.total);
        let items = answer.items.unwrap_or_default().into_iter();
        let wanted = items.skip(before).take(self.take - self.page.len());
        self.page.extend(wanted.filter_map(|item| delivery_id(&item)));
        self.total += count;
        (count, answer.last_evaluated_key)
    }
}

impl Store {
    /// The deliveries number `skip` to `skip + take` of an endpoint, and how many there are.
    ///
    /// # Errors
    /// A call failed.
    pub async fn history(
        &self,
        endpoint: &EndpointId,
        filter: HistoryFilter,
        skip: usize,
        take: usize,
        now: Timestamp,
    ) -> Result<HistoryPage, Error> {
        let mut found = Found::new(skip, take);
        let (first, last) = bounds(filter);
        if first > last {
            // No second that is shown lies between them, and DynamoDB refuses such a range.
            return Ok(HistoryPage {
                deliveries: Vec::new(),
                total: 0,
            });
        }
        match filter.status {
            None => self.walk_all(endpoint, filter, &mut found, now).await?,
            Some(Status::Delivered) => {
                Box::pin(self.walk_delivered(endpoint, filter, &mut found, now)).await?;
            }
            Some(status) => {
                self.walk_undelivered(endpoint, filter, status, &mut found)
                    .await?;
            }
        }
        Ok(HistoryPage {
            deliveries: self.fetch(endpoint, &found.page).await?,
            total: found.total,
        })
    }

    /// Walks the keys; where they were counted before and are not on the page, the count is taken.
    async fn walk_all(
        &self,
        endpoint: &EndpointId,
        filter: HistoryFilter,
        found: &mut Found,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (first, last) = bounds(filter);
        let query = found.narrow(self.records(endpoint, &first, &last));
        let (_, stop) = found.take_from(query.send().await.map_err(Error::aws("Query"))?);
        let Some(mut position) = stop.as_ref().and_then(delivery_id) else {
            return Ok(());
        };
        let spans = self.spans(endpoint, &first, &position, now).await?;
        let mut keeping = true;
        loop {
            if let Some(span) = spans.below(&position)
                && found.skips(span.count)
            {
                found.total += span.count;
                position = span.last.clone();
                continue;
            }
            let next = spans.next_start(&position);
            let query = self.records(endpoint, next.unwrap_or(&first), &last);
            let query = query.set_exclusive_start_key(Some(delivery_key(endpoint, &position)));
            let answer = found.narrow(query).send().await.map_err(Error::aws("Query"))?;
            let (count, stop) = found.take_from(answer);
            let worth_keeping = stop.is_some() || count >= MANY;
            let Some(reached) = stop.as_ref().and_then(delivery_id).or(next.cloned()) else {
                return Ok(());
            };
            let span = Span {
                before: position,
                last: reached.clone(),
                count,
            };
            if worth_keeping && keeping {
                let kept = tokio::time::timeout(KEEP_WITHIN, self.keep_span(endpoint, &spans, span, now));
                keeping = matches!(kept.await, Ok(Ok(())));
                if !keeping {
                    tracing::warn!(endpoint.id = %endpoint, "counts are not kept");
                }
            }
            position = reached;
        }
    }

    /// Walks the records until the page is found; then what is not delivered is taken from the total.
    async fn walk_delivered(
        &self,
        endpoint: &EndpointId,
        filter: HistoryFilter,
        found: &mut Found,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (first, last) = bounds(filter);
        let mut start = None;
        loop {
            let query = found
                .narrow(self.records(endpoint, &first, &last))
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(&Status::Delivered.as_str()))
                .set_exclusive_start_key(start);
            (_, start) = found.take_from(query.send().await.map_err(Error::aws("Query"))?);
            if start.is_none() {
                return Ok(());
            }
            if found.is_complete() {
                break;
            }
        }
        let mut all = Found::new(0, 0);
        let mut pending = Found::new(0, 0);
        let mut failed = Found::new(0, 0);
        try_join!(
            self.walk_all(endpoint, filter, &mut all, now),
            self.walk_undelivered(endpoint, filter, Status::Pending, &mut pending),
            self.walk_undelivered(endpoint, filter, Status::Failed, &mut failed),
        )?;
        found.total = all.total.saturating_sub(pending.total + failed.total);
        Ok(())
    }

    /// Walks the keys of the sparse index.
    async fn walk_undelivered(
        &self,
        endpoint: &EndpointId,
        filter: HistoryFilter,
        status: Status,
        found: &mut Found,
    ) -> Result<(), Error> {
        let (first, last) = bounds(filter);
        let bound = |id: &DeliveryId| text(&delivery_item::undelivered_key(status, id).unwrap_or_default());
        let mut start = None;
        loop {
            let query = self
                .newest_first(endpoint)
                .index_name("undelivered")
                .key_condition_expression("endpoint = :endpoint AND undelivered BETWEEN :first AND :last")
                .expression_attribute_values(":first", bound(&first))
                .expression_attribute_values(":last", bound(&last))
                .set_exclusive_start_key(start);
            let answer = found.narrow(query).send().await.map_err(Error::aws("Query"))?;
            (_, start) = found.take_from(answer);
            if start.is_none() {
                return Ok(());
            }
        }
    }

    fn records(&self, endpoint: &EndpointId, first: &DeliveryId, last: &DeliveryId) -> QueryFluentBuilder {
        self.newest_first(endpoint)
            .key_condition_expression("endpoint = :endpoint AND delivery BETWEEN :first AND :last")
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
    }

    fn newest_first(&self, endpoint: &EndpointId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.tables.deliveries)
            .scan_index_forward(false)
            .expression_attribute_values(":endpoint", text(endpoint))
    }

    async fn fetch(&self, endpoint: &EndpointId, ids: &[DeliveryId]) -> Result<Vec<Delivery>, Error> {
        let mut keys = BatchKeys::default();
        for id in ids {
            keys.add_delivery(endpoint, id);
        }
        let rows = self.read(keys).await?;
        Ok(ids
            .iter()
            .filter_map(|id| rows.delivery(endpoint, id).cloned())
            .collect())
    }
}

/// The least and the greatest id that the filter lets through. A delivery's time is shown in whole seconds,
/// so a bound within a second moves to where the shown time still satisfies it.
fn bounds(filter: HistoryFilter) -> (DeliveryId, DeliveryId) {
    let from = filter.from.map_or(Timestamp::UNIX_EPOCH, time::ceil_second);
    let to = filter.to.map_or(LAST_INSTANT, |to| {
        let second = time::floor_second(to);
        second
            .saturating_add(jiff::SignedDuration::from_millis(999))
            .unwrap_or(second)
    });
    (
        DeliveryId::first_at(from.max(Timestamp::UNIX_EPOCH)),
        DeliveryId::last_at(to.clamp(Timestamp::UNIX_EPOCH, LAST_INSTANT)),
    )
}

/// Later than anything that is kept.
const LAST_INSTANT: Timestamp = Timestamp::constant(253_402_200_000, 0);

fn delivery_id(item: &Item) -> Option<DeliveryId> {
    item.get("delivery")?.as_s().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_are_inclusive_at_the_seconds_that_are_shown() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let id =
            |text: &str| DeliveryId::derive(at(text), &"evt_1".parse().unwrap(), &"whe_1".parse().unwrap());
        let inside = |from: &str, to: &str, text: &str| {
            let (first, last) = bounds(HistoryFilter {
                from: Some(at(from)),
                to: Some(at(to)),
                status: None,
            });
            first <= id(text) && id(text) <= last
        };

        assert!(inside(
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:05.999Z"
        ));
        assert!(inside(
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:05.000Z"
        ));
        assert!(!inside(
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:05Z",
            "2026-06-07T10:30:06Z"
        ));
        assert!(!inside(
            "2026-06-07T10:30:05.5Z",
            "2026-06-07T10:30:09Z",
            "2026-06-07T10:30:05.900Z"
        ));
    }
}
