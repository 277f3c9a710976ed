//! An endpoint's history, page by page. DynamoDB has neither offsets nor totals: keys are walked, newest first,
//! and only the records of the wanted page are fetched. What a walk counts of a long history is kept (`walk`).

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use futures::try_join;
use jiff::Timestamp;

use super::attribute::{Item, text};
use super::delivery_item::{delivery_id, delivery_key};
use super::late;
use super::walk::{Ask, Counted, Found, Keys, Walk};
use super::{RowKeys, Store, delivery_item};
use crate::Error;
use crate::domain::delivery::{Delivery, Status};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{DeliveryId, EndpointId};
use crate::domain::time;

/// Which deliveries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct HistoryFilter {
    /// Accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Accepted at this time or earlier.
    pub to: Option<Timestamp>,
    /// Only those with this status.
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

/// A list does not wait longer for a count to be kept, and keeps no more of them then.
pub(super) const KEEP_WITHIN: Duration = Duration::from_millis(500);

impl Store {
    /// The deliveries number `skip` to `skip + take` of an endpoint, and how many there are.
    ///
    /// # Errors
    /// A call failed.
    pub async fn history(
        &self,
        endpoint: &Endpoint,
        filter: HistoryFilter,
        skip: usize,
        take: usize,
        now: Timestamp,
    ) -> Result<HistoryPage, Error> {
        let mut found = Found::nothing_yet(skip, take);
        let (first, last) = bounds(filter);
        if first > last {
            // No second that is shown lies between them, and to DynamoDB such a range is an error.
            return Ok(HistoryPage {
                deliveries: Vec::new(),
                total: 0,
            });
        }
        match filter.status {
            None => found = self.walk_all(endpoint, filter, found, now).await?,
            Some(Status::Delivered) => {
                Box::pin(self.walk_delivered(endpoint, filter, &mut found, now)).await?;
            }
            Some(status) => {
                self.walk_undelivered(&endpoint.id, filter, status, &mut found)
                    .await?;
            }
        }
        Ok(HistoryPage {
            deliveries: self.fetch(&endpoint.id, &found.page).await?,
            total: found.total,
        })
    }

    /// Walks the keys, as of this moment; what was counted before is not walked again.
    async fn walk_all(
        &self,
        endpoint: &Endpoint,
        filter: HistoryFilter,
        found: Found,
        now: Timestamp,
    ) -> Result<Found, Error> {
        let (first, last) = bounds(filter);
        let mut walk = Walk::new(first, self.keepable(late::settled_before(now), now), found);
        while let Some(ask) = walk.next() {
            match ask {
                Ask::Keys {
                    after,
                    down_to,
                    only_counted,
                } => {
                    let query = self.records(&endpoint.id, &down_to, &last).consistent_read(true);
                    let after = after.map(|after| delivery_key(&endpoint.id, &after));
                    let query = narrow(query, only_counted).set_exclusive_start_key(after);
                    walk.take_keys(&keys(query.send().await.map_err(Error::aws("Query"))?));
                }
                Ask::KeptCounts { first, last } => {
                    walk.take_counts(self.kept_counts(&endpoint.id, (&first, &last), now).await?);
                }
                Ask::Markers { first, last } => {
                    walk.take_markers(self.markers(&endpoint.id, &first, &last).await?);
                }
                Ask::Oldest { first, last } => {
                    let query = self.records(&endpoint.id, &first, &last).consistent_read(true);
                    let query = narrow(query, false).scan_index_forward(true).limit(1);
                    let found = keys(query.send().await.map_err(Error::aws("Query"))?);
                    walk.take_oldest(found.ids.into_iter().next());
                }
                Ask::Keep(counted) => {
                    walk.go_on(self.keep_if_quick(endpoint, counted, now).await);
                }
            }
        }
        Ok(walk.found)
    }

    /// Keeps a count, and says whether that went well.
    async fn keep_if_quick(&self, endpoint: &Endpoint, counted: Counted, now: Timestamp) -> bool {
        let kept = tokio::time::timeout(KEEP_WITHIN, self.keep_count(endpoint, counted, now)).await;
        let is_kept = matches!(kept, Ok(Ok(())));
        if !is_kept {
            tracing::warn!(endpoint.id = %endpoint.id, "counts are not kept");
        }
        is_kept
    }

    /// Walks the records until the page is found; then what is not delivered is taken from the total.
    async fn walk_delivered(
        &self,
        endpoint: &Endpoint,
        filter: HistoryFilter,
        found: &mut Found,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (first, last) = bounds(filter);
        let mut start: Option<Item> = None;
        loop {
            let query = narrow(self.records(&endpoint.id, &first, &last), found.is_complete())
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(&Status::Delivered.as_str()))
                .set_exclusive_start_key(start.take());
            let answer = query.send().await.map_err(Error::aws("Query"))?;
            start.clone_from(&answer.last_evaluated_key);
            found.take_from(&keys(answer));
            if start.is_none() {
                return Ok(());
            }
            if found.is_complete() {
                break;
            }
        }
        let mut pending = Found::nothing_yet(0, 0);
        let mut failed = Found::nothing_yet(0, 0);
        let (all, (), ()) = try_join!(
            self.walk_all(endpoint, filter, Found::nothing_yet(0, 0), now),
            self.walk_undelivered(&endpoint.id, filter, Status::Pending, &mut pending),
            self.walk_undelivered(&endpoint.id, filter, Status::Failed, &mut failed),
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
        let mut start: Option<Item> = None;
        loop {
            let query = self.undelivered_newest_first(endpoint, status, &first, &last);
            let query = narrow(query, found.is_complete()).set_exclusive_start_key(start.take());
            let answer = query.send().await.map_err(Error::aws("Query"))?;
            start.clone_from(&answer.last_evaluated_key);
            found.take_from(&keys(answer));
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Asks for the entries of the sparse index between two deliveries, newest first.
    pub(super) fn undelivered_newest_first(
        &self,
        endpoint: &EndpointId,
        status: Status,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> QueryFluentBuilder {
        let bound = |id: &DeliveryId| text(&delivery_item::undelivered_key(status, id).unwrap_or_default());
        self.newest_first(endpoint)
            .index_name("undelivered")
            .key_condition_expression("endpoint = :endpoint AND undelivered BETWEEN :first AND :last")
            .expression_attribute_values(":first", bound(first))
            .expression_attribute_values(":last", bound(last))
    }

    /// Asks for the records between two deliveries, newest first.
    pub(super) fn records(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
    ) -> QueryFluentBuilder {
        self.newest_first(endpoint)
            .key_condition_expression("endpoint = :endpoint AND delivery BETWEEN :first AND :last")
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
    }

    fn newest_first(&self, endpoint: &EndpointId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.tables.deliveries)
            .scan_index_forward(false)
            .expression_attribute_values(":endpoint", text(endpoint))
    }

    async fn fetch(&self, endpoint: &EndpointId, ids: &[DeliveryId]) -> Result<Vec<Delivery>, Error> {
        let mut keys = RowKeys::default();
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
pub(super) fn bounds(filter: HistoryFilter) -> (DeliveryId, DeliveryId) {
    let from = filter.from.map_or(Timestamp::UNIX_EPOCH, time::ceil_second);
    let to = filter.to.map_or(LAST_INSTANT, time::end_of_second);
    (
        DeliveryId::first_at(from.max(Timestamp::UNIX_EPOCH)),
        DeliveryId::last_at(to.clamp(Timestamp::UNIX_EPOCH, LAST_INSTANT)),
    )
}

/// Later than anything that is kept.
const LAST_INSTANT: Timestamp = Timestamp::constant(253_402_200_000, 0);

/// Only counts, if that is enough; else asks for keys.
fn narrow(query: QueryFluentBuilder, only_counted: bool) -> QueryFluentBuilder {
    if only_counted {
        query.select(Select::Count)
    } else {
        query.projection_expression("endpoint, delivery")
    }
}

pub(super) fn keys(answer: QueryOutput) -> Keys {
    Keys {
        count: usize::try_from(answer.count).unwrap_or(0),
        ids: answer
            .items
            .unwrap_or_default()
            .iter()
            .filter_map(delivery_id)
            .collect(),
        stopped_at: answer.last_evaluated_key.as_ref().and_then(delivery_id),
    }
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
