//! Counted spans of a history. To count a long history is to read all its keys; so what has been counted of its older
//! part is kept, in a partition beside the history's own, and not counted again.
//!
//! A span is right for as long as no delivery joins it. One joins where time has long passed only after a backlog or a
//! redrive, and whoever records such a one first says so: a new generation begins, and the spans of earlier ones are
//! void. Deliveries leave by expiring; spans so old are not used either.

use std::collections::{BTreeMap, HashSet};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Store;
use super::attribute::{Item, key, text};
use super::deliveries::delivery_key;
use crate::Error;
use crate::domain::id::{DeliveryId, EndpointId};

const TABLE: &str = "deliveries";

/// The sort key of the item that names the generation. It lies outside those of deliveries.
const GENERATION: &str = "generation";

/// A span ends at least so long ago.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A delivery that is recorded so long after its event was accepted may join a span. The difference to
/// [`CLOSED_AFTER`] is more than clocks differ and a record takes.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// A span is not used so long before its oldest record expires: TTL takes its records one by one.
const EXPIRY_MARGIN_SECONDS: i64 = 60 * 60;

/// A stretch of a history: all deliveries before one, down to and including another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// The delivery above the newest.
    pub(super) before: DeliveryId,
    /// The oldest.
    pub(super) last: DeliveryId,
    /// How many there are.
    pub(super) count: usize,
}

#[derive(Serialize, Deserialize)]
struct SpanItem {
    endpoint: String,
    #[serde(rename = "delivery")]
    before: DeliveryId,
    last: DeliveryId,
    count: usize,
    generation: i64,
    /// When the oldest of its records expires, in seconds since 1970.
    expires_at: i64,
}

/// Lives as long as its endpoint: were it to expire, the spans before it could be taken for right again.
#[derive(Serialize, Deserialize)]
struct GenerationItem {
    endpoint: String,
    delivery: String,
    /// When it began, in milliseconds since 1970; 0 for the first.
    generation: i64,
}

/// The spans of a history that may be used, and where more may be added.
#[derive(Debug)]
pub(super) struct Spans {
    generation: i64,
    by_start: BTreeMap<DeliveryId, Span>,
    /// Those that lie below are kept; `None` while a late delivery may be under way.
    kept_below: Option<DeliveryId>,
}

impl Spans {
    /// The span that begins right below this delivery.
    pub(super) fn below(&self, delivery: &DeliveryId) -> Option<&Span> {
        self.by_start.get(delivery)
    }

    /// Where the next span begins below this delivery.
    pub(super) fn next_start(&self, delivery: &DeliveryId) -> Option<&DeliveryId> {
        self.by_start
            .range(..delivery.clone())
            .next_back()
            .map(|(start, _)| start)
    }

    /// Whether what was counted is to be kept.
    fn keeps(&self, span: &Span) -> bool {
        let closed = self
            .kept_below
            .as_ref()
            .is_some_and(|newest| span.before <= *newest);
        closed && !self.by_start.contains_key(&span.before)
    }
}

impl Store {
    /// The spans between two deliveries.
    pub(super) async fn spans(
        &self,
        endpoint: &EndpointId,
        first: &DeliveryId,
        last: &DeliveryId,
        now: Timestamp,
    ) -> Result<Spans, Error> {
        let generation = self.generation(endpoint).await?;
        let mut spans = Spans {
            generation,
            by_start: BTreeMap::new(),
            kept_below: None,
        };
        // A generation is named before the late delivery is recorded; until that must have happened, nothing is sure.
        if generation > before(now, self.settled_after).as_millisecond() {
            return Ok(spans);
        }
        spans.kept_below = Some(DeliveryId::first_at(before(now, CLOSED_AFTER)));
        let query = self
            .client
            .query()
            .table_name(&self.tables.deliveries)
            .key_condition_expression("endpoint = :endpoint AND delivery BETWEEN :first AND :last")
            .expression_attribute_values(":endpoint", text(&partition(endpoint)))
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last));
        let items: Vec<Item> = query
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(Error::aws("Query"))?;
        for item in items {
            let item: SpanItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
            if item.generation == generation && item.last >= *first && lasts(item.expires_at, now) {
                let span = Span {
                    before: item.before,
                    last: item.last,
                    count: item.count,
                };
                spans.by_start.insert(span.before.clone(), span);
            }
        }
        Ok(spans)
    }

    /// Keeps a span that was counted while `spans` held, if that is of use.
    ///
    /// # Errors
    /// A call failed; nothing depends on it.
    pub(super) async fn keep_span(
        &self,
        endpoint: &EndpointId,
        spans: &Spans,
        span: Span,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !spans.keeps(&span) {
            return Ok(());
        }
        // What the record says, and not today's setting, is when it goes.
        let Some(expires_at) = self.expiry_of(endpoint, &span.last).await? else {
            return Ok(());
        };
        if !lasts(expires_at, now) {
            return Ok(());
        }
        self.put_beside_history(SpanItem {
            endpoint: partition(endpoint),
            before: span.before,
            last: span.last,
            count: span.count,
            generation: spans.generation,
            expires_at,
        })
        .await
    }

    /// Voids the spans of those endpoints for which a delivery is about to be recorded long after its event was
    /// accepted. Returns the deliveries that must not be recorded now, because that failed.
    pub(super) async fn void_spans_joined_by<'a>(
        &self,
        new: impl Iterator<Item = (&'a EndpointId, &'a DeliveryId)>,
        now: Timestamp,
    ) -> HashSet<&'a DeliveryId> {
        let limit = DeliveryId::first_at(before(now, LATE_AFTER));
        let mut late: BTreeMap<&EndpointId, Vec<&DeliveryId>> = BTreeMap::new();
        for (endpoint, delivery) in new.filter(|(_, delivery)| **delivery < limit) {
            late.entry(endpoint).or_default().push(delivery);
        }
        let voided = late.into_iter().map(async |(endpoint, deliveries)| {
            let item = GenerationItem {
                endpoint: partition(endpoint),
                delivery: GENERATION.to_owned(),
                generation: now.as_millisecond(),
            };
            match self.put_beside_history(item).await {
                Ok(()) => Vec::new(),
                Err(error) => {
                    tracing::warn!(error = error.chain(), endpoint.id = %endpoint, "counts were not voided");
                    deliveries
                }
            }
        });
        join_all(voided).await.into_iter().flatten().collect()
    }

    /// When a record expires, in seconds since 1970; `None` if it has.
    async fn expiry_of(&self, endpoint: &EndpointId, delivery: &DeliveryId) -> Result<Option<i64>, Error> {
        let call = self.client.get_item().table_name(&self.tables.deliveries);
        let call = call
            .set_key(Some(delivery_key(endpoint, delivery)))
            .projection_expression("expires_at");
        let item = call.send().await.map_err(Error::aws("GetItem"))?.item;
        let expires_at = item.and_then(|mut item| item.remove("expires_at"));
        Ok(expires_at.and_then(|value| value.as_n().ok()?.parse().ok()))
    }

    async fn generation(&self, endpoint: &EndpointId) -> Result<i64, Error> {
        let call = self.client.get_item().table_name(&self.tables.deliveries);
        let partition = partition(endpoint);
        let call = call
            .set_key(Some(key([
                ("endpoint", partition.as_str()),
                ("delivery", GENERATION),
            ])))
            .consistent_read(true);
        let Some(item) = call.send().await.map_err(Error::aws("GetItem"))?.item else {
            return Ok(0);
        };
        let item: GenerationItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
        Ok(item.generation)
    }

    async fn put_beside_history(&self, item: impl Serialize) -> Result<(), Error> {
        let item: Item = serde_dynamo::to_item(item).map_err(Error::corrupt(TABLE))?;
        let call = self.client.put_item().table_name(&self.tables.deliveries);
        let call = call.set_item(Some(item));
        call.send().await.map(|_| ()).map_err(Error::aws("PutItem"))
    }
}

/// The partition of an endpoint's spans, which is none of a history.
pub(super) fn partition(endpoint: &EndpointId) -> String {
    format!("{endpoint}#spans")
}

fn lasts(expires_at: i64, now: Timestamp) -> bool {
    expires_at - EXPIRY_MARGIN_SECONDS > now.as_second()
}

fn before(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.saturating_sub(duration)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .max(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: i64) -> DeliveryId {
        DeliveryId::first_at(Timestamp::from_second(number).unwrap())
    }

    fn span(before: i64, last: i64, count: usize) -> Span {
        Span {
            before: id(before),
            last: id(last),
            count,
        }
    }

    fn spans(spans: &[Span]) -> Spans {
        Spans {
            generation: 0,
            by_start: spans
                .iter()
                .map(|span| (span.before.clone(), span.clone()))
                .collect(),
            kept_below: Some(id(90)),
        }
    }

    #[test]
    fn a_span_is_found_at_its_start_and_from_above() {
        let (upper, lower) = (span(80, 60, 2_000), span(50, 30, 2_000));
        let spans = spans(&[upper.clone(), lower]);

        assert_eq!(spans.below(&id(80)), Some(&upper));
        assert_eq!(spans.below(&id(70)), None);
        assert_eq!(spans.next_start(&id(81)), Some(&id(80)));
        assert_eq!(spans.next_start(&id(80)), Some(&id(50)));
        assert_eq!(spans.next_start(&id(50)), None);
    }

    #[test]
    fn only_spans_that_are_closed_are_kept() {
        let spans = spans(&[span(80, 60, 2_000)]);

        assert!(spans.keeps(&span(90, 80, 1)));
        assert!(!spans.keeps(&span(91, 80, 1)), "too new");
        assert!(!spans.keeps(&span(80, 60, 1)), "kept already");
    }

    #[test]
    fn a_span_lasts_until_an_hour_before_its_oldest_record_expires() {
        let now = Timestamp::from_second(1_000_000).unwrap();

        assert!(lasts(1_000_000 + EXPIRY_MARGIN_SECONDS + 1, now));
        assert!(!lasts(1_000_000 + EXPIRY_MARGIN_SECONDS, now));
    }

    #[test]
    fn nothing_is_kept_while_a_late_delivery_may_be_under_way() {
        let spans = Spans {
            kept_below: None,
            ..spans(&[])
        };

        assert!(!spans.keeps(&span(90, 80, 1)));
    }
}
