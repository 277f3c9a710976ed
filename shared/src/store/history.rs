//! An endpoint's history, page by page. DynamoDB has neither offsets nor totals: keys are walked, newest first,
//! and only the records of the wanted page are fetched.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;

use super::attribute::{Item, text};
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
    ) -> Result<HistoryPage, Error> {
        let mut page: Vec<DeliveryId> = Vec::with_capacity(take);
        let mut total = 0;
        let mut start: Option<Item> = None;
        loop {
            let complete = page.len() == take;
            let query = self.walk(endpoint, filter).set_exclusive_start_key(start);
            let query = if complete {
                query.select(Select::Count)
            } else {
                query.projection_expression("endpoint, delivery")
            };
            let answer = query.send().await.map_err(Error::aws("Query"))?;
            let counted = usize::try_from(answer.count).unwrap_or(0);
            let before = skip.saturating_sub(total);
            let wanted = answer
                .items
                .unwrap_or_default()
                .into_iter()
                .skip(before)
                .take(take - page.len());
            page.extend(wanted.filter_map(|item| delivery_id(&item)));
            total += counted;
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(HistoryPage {
            deliveries: self.fetch(endpoint, &page).await?,
            total,
        })
    }

    /// The query that walks the wanted keys, newest first.
    fn walk(&self, endpoint: &EndpointId, filter: HistoryFilter) -> QueryFluentBuilder {
        let (first, last) = bounds(filter);
        let query = self
            .client
            .query()
            .table_name(&self.tables.deliveries)
            .scan_index_forward(false)
            .expression_attribute_values(":endpoint", text(endpoint));
        let Some(status @ (Status::Pending | Status::Failed)) = filter.status else {
            let query = query
                .key_condition_expression("endpoint = :endpoint AND delivery BETWEEN :first AND :last")
                .expression_attribute_values(":first", text(&first))
                .expression_attribute_values(":last", text(&last));
            return if filter.status.is_some() {
                only_delivered(query)
            } else {
                query
            };
        };
        let bound = |id: &DeliveryId| text(&delivery_item::undelivered_key(status, id).unwrap_or_default());
        query
            .index_name("undelivered")
            .key_condition_expression("endpoint = :endpoint AND undelivered BETWEEN :first AND :last")
            .expression_attribute_values(":first", bound(&first))
            .expression_attribute_values(":last", bound(&last))
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

fn only_delivered(query: QueryFluentBuilder) -> QueryFluentBuilder {
    query
        .filter_expression("#status = :status")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":status", text(&Status::Delivered.as_str()))
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
