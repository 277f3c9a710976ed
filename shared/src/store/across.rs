//! Deliveries over many endpoints, newest first (`merge`). A page walks a bounded number of keys, the newest few of each
//! endpoint and more of those that the page needs more of, and then fetches its records. Where that takes too long, the page
//! is short.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::attribute::text;
use super::history::{bounds, keys};
use super::merge::{Ask, Filtering, Merge, Part};
use super::rows::MAX_KEYS;
use super::{HistoryFilter, RowKeys, Rows, Store};
use crate::Error;
use crate::domain::delivery::{Delivery, Status};
use crate::domain::event_type::EventName;
use crate::domain::id::{DeliveryId, EndpointId};

/// Calls at the same time; each takes a connection.
const CALLS_AT_ONCE: usize = 16;

/// How long keys are walked for a page that has the newest few of each endpoint. The gateway waits for 30 s.
const WALK_FOR: Duration = Duration::from_secs(5);

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default)]
pub struct AcrossFilter {
    /// When they were accepted, and their status.
    pub history: HistoryFilter,
    /// Only those of events of this name.
    pub event: Option<EventName>,
}

/// A page of deliveries.
#[derive(Debug)]
pub struct AcrossPage {
    /// The deliveries, newest first.
    pub deliveries: Vec<Delivery>,
    /// The newest that may be on the next page; `None` if this is the last.
    pub next: Option<DeliveryId>,
}

/// The histories that are walked.
struct Histories<'a> {
    endpoints: &'a [EndpointId],
    filter: &'a AcrossFilter,
    /// The oldest delivery that may be wanted.
    first: DeliveryId,
}

impl Store {
    /// The newest deliveries of these endpoints, at most `take`, and none above `newest`. There may be fewer although more
    /// follow.
    ///
    /// # Errors
    /// A call failed.
    pub async fn deliveries_across(
        &self,
        endpoints: &[EndpointId],
        filter: &AcrossFilter,
        newest: Option<DeliveryId>,
        take: usize,
    ) -> Result<AcrossPage, Error> {
        let ends = Instant::now() + WALK_FOR;
        let (first, last) = bounds(filter.history);
        let newest = newest.map_or(last.clone(), |newest| newest.min(last));
        let mut merge = Merge::new(endpoints.len(), &newest, take, filter.filtering());
        let histories = Histories {
            endpoints,
            filter,
            first,
        };
        let first_few = merge.next();
        merge.take(self.walk_parts(&histories, &first_few).await?);
        loop {
            let asks = merge.next();
            if asks.is_empty() {
                break;
            }
            match timeout_at(ends, self.walk_parts(&histories, &asks)).await {
                Ok(Ok(parts)) => merge.take(parts),
                Ok(Err(error)) => {
                    tracing::warn!(error = error.chain(), "a page of deliveries is short");
                    break;
                }
                Err(_) => break,
            }
        }
        let (page, next) = merge.finish();
        let rows = self.rows_of(endpoints, &page).await?;
        let found = page
            .iter()
            .filter_map(|(endpoint, id)| rows.delivery(&endpoints[*endpoint], id));
        // The sparse index lags behind the records.
        let deliveries = found
            .filter(|record| filter.lets_through(record))
            .cloned()
            .collect();
        Ok(AcrossPage { deliveries, next })
    }

    /// Walks what was asked for, all of it or nothing.
    async fn walk_parts(&self, histories: &Histories<'_>, asks: &[Ask]) -> Result<Vec<(usize, Part)>, Error> {
        let parts: Vec<_> = asks.iter().map(|ask| self.walk_part(histories, ask)).collect();
        let parts = stream::iter(parts).buffer_unordered(CALLS_AT_ONCE);
        let mut parts: Vec<(usize, Part)> = parts.try_collect().await?;
        if histories.filter.is_seen_in_records_only() {
            let found = parts
                .iter()
                .flat_map(|(endpoint, part)| part.found.iter().map(|id| (*endpoint, id.clone())));
            let wanted = self.wanted(histories, found.collect()).await?;
            for (endpoint, part) in &mut parts {
                part.found.retain(|id| wanted.contains(&(*endpoint, id.clone())));
            }
        }
        Ok(parts)
    }

    /// Those of these keys whose records are let through. A record has up to 400 KB, so no more of them are held than one
    /// call reads.
    async fn wanted(
        &self,
        histories: &Histories<'_>,
        keys: Vec<(usize, DeliveryId)>,
    ) -> Result<HashSet<(usize, DeliveryId)>, Error> {
        let mut wanted = HashSet::new();
        for keys in keys.chunks(MAX_KEYS) {
            let rows = self.rows_of(histories.endpoints, keys).await?;
            let is_wanted = |(endpoint, id): &&(usize, DeliveryId)| {
                rows.delivery(&histories.endpoints[*endpoint], id)
                    .is_some_and(|record| histories.filter.lets_through(record))
            };
            wanted.extend(keys.iter().filter(is_wanted).cloned());
        }
        Ok(wanted)
    }

    /// Walks keys of one endpoint: as of this moment, or those of the sparse index.
    async fn walk_part(&self, histories: &Histories<'_>, ask: &Ask) -> Result<(usize, Part), Error> {
        let endpoint = &histories.endpoints[ask.endpoint];
        let (first, last) = (&histories.first, &ask.newest);
        if first > last {
            return Ok((ask.endpoint, Part::default()));
        }
        let query = match histories.filter.undelivered() {
            Some(status) => self.undelivered_newest_first(endpoint, status, first, last),
            None => filtered(self.records(endpoint, first, last), histories.filter).consistent_read(true),
        };
        let query = query
            .projection_expression("endpoint, delivery")
            .limit(i32::try_from(ask.limit).unwrap_or(i32::MAX));
        let keys = keys(query.send().await.map_err(Error::aws("Query"))?);
        let part = Part {
            found: keys.ids,
            unread: keys.stopped_at.and_then(|stopped_at| stopped_at.previous()),
        };
        Ok((ask.endpoint, part))
    }

    async fn rows_of(&self, endpoints: &[EndpointId], wanted: &[(usize, DeliveryId)]) -> Result<Rows, Error> {
        let mut keys = RowKeys::default();
        for (endpoint, id) in wanted {
            keys.add_delivery(&endpoints[*endpoint], id);
        }
        self.read(keys).await
    }
}

impl AcrossFilter {
    /// The status whose keys are in the sparse index.
    fn undelivered(&self) -> Option<Status> {
        self.history.status.filter(|status| *status != Status::Delivered)
    }

    /// Whether it takes the records to know which of the walked keys are wanted: the sparse index knows no events.
    fn is_seen_in_records_only(&self) -> bool {
        self.undelivered().is_some() && self.event.is_some()
    }

    fn filtering(&self) -> Filtering {
        if self.event.is_some() || self.history.status == Some(Status::Delivered) {
            Filtering::Some
        } else {
            Filtering::Nothing
        }
    }

    fn lets_through(&self, record: &Delivery) -> bool {
        self.history.status.is_none_or(|status| record.status == status)
            && self.event.as_ref().is_none_or(|event| record.event == *event)
    }
}

/// Leaves out what the filter does.
fn filtered(mut query: QueryFluentBuilder, filter: &AcrossFilter) -> QueryFluentBuilder {
    let wanted = [
        ("status", filter.history.status.map(Status::as_str)),
        ("event", filter.event.as_ref().map(EventName::as_str)),
    ];
    let mut conditions = Vec::new();
    for (name, value) in wanted {
        if let Some(value) = value {
            conditions.push(format!("#{name} = :{name}"));
            query = query
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
    }
    if conditions.is_empty() {
        return query;
    }
    query.filter_expression(conditions.join(" AND "))
}
