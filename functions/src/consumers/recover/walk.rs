//! Walking over what may be meant: counting it, and taking the next page.

use std::time::Instant;

use shared::Error;
use shared::domain::delivery::Status;
use shared::domain::id::{DeliveryId, EventId};
use shared::domain::recovery::{Include, KeptEvent, Recovery, Taken};
use shared::store::{RowKeys, Rows};

use super::{WALK_FOR, Work};

/// Keys or events that are counted between two looks at the time.
const COUNTED_AT_ONCE: usize = 500;

/// A part of a walk.
struct Part<T> {
    /// What is meant of it.
    found: T,
    /// How far the walk is.
    cursor: Option<String>,
    /// Whether nothing follows.
    is_last: bool,
}

impl<T> Part<T> {
    fn map<U>(self, map: impl FnOnce(T) -> U) -> Part<U> {
        Part {
            found: map(self.found),
            cursor: self.cursor,
            is_last: self.is_last,
        }
    }
}

impl Work<'_> {
    /// Counts a part of what is meant: roughly, because it goes on changing, and at half the price.
    pub(super) async fn count(&self, mut recovery: Recovery) -> Result<Recovery, Error> {
        let (start, mut found) = (Instant::now(), 0);
        loop {
            let part = match recovery.wanted.include {
                Include::Failed => self.count_failed(&recovery).await?,
                Include::Missing => {
                    let part = self.missing(&recovery, COUNTED_AT_ONCE).await?;
                    part.map(|missing| missing.len())
                }
            };
            found += u64::try_from(part.found).unwrap_or(0);
            if part.is_last || start.elapsed() > WALK_FOR {
                let cursor = part.cursor.filter(|_| !part.is_last);
                return Ok(recovery.counted(found, cursor));
            }
            recovery.progress.cursor = part.cursor;
        }
    }

    /// Takes the next page, and reads its records. Parts in which nothing is meant are passed over, until the time is up.
    pub(super) async fn take(&self, mut recovery: Recovery) -> Result<(Recovery, Rows), Error> {
        let start = Instant::now();
        let mut page = Vec::new();
        let mut rows = Rows::default();
        loop {
            let room = recovery.room() - page.len();
            let (part, is_enough) = match recovery.wanted.include {
                Include::Failed => {
                    let part = self.failed(&recovery, room).await?;
                    let part = part.map(|(failed, read)| {
                        rows = read;
                        failed
                    });
                    let is_enough = !part.found.is_empty();
                    (part, is_enough)
                }
                // A small page costs as many turns as a full one.
                Include::Missing => {
                    let part = self.missing(&recovery, room).await?;
                    let is_enough = (page.len() + part.found.len()) * 2 >= recovery.room();
                    (part, is_enough)
                }
            };
            page.extend(part.found);
            let is_over = part.is_last && page.is_empty();
            if part.is_last || is_enough || start.elapsed() > WALK_FOR {
                let cursor = part.cursor.filter(|_| !is_over);
                return Ok((recovery.taken(page, cursor, self.app.clock.now()), rows));
            }
            recovery.progress.cursor = part.cursor;
        }
    }

    /// The next deliveries that failed, at most `limit`, with their records as of this moment.
    async fn failed(&self, recovery: &Recovery, limit: usize) -> Result<Part<(Vec<Taken>, Rows)>, Error> {
        let ids = self.failed_keys(recovery, limit).await?;
        let rows = self.app.store.read(self.keys(&ids)).await?;
        let (cursor, is_last) = (ids.last().map(ToString::to_string), ids.is_empty());
        let meant = ids.into_iter().filter(|id| self.is_meant(recovery, &rows, id));
        let page = meant.map(|delivery| Taken {
            delivery,
            missing: None,
        });
        Ok(Part {
            found: (page.collect(), rows),
            cursor: cursor.or_else(|| recovery.progress.cursor.clone()),
            is_last,
        })
    }

    async fn count_failed(&self, recovery: &Recovery) -> Result<Part<usize>, Error> {
        let ids = self.failed_keys(recovery, COUNTED_AT_ONCE).await?;
        let rows = self.app.store.read_roughly(self.keys(&ids)).await?;
        let meant = ids.iter().filter(|id| self.is_meant(recovery, &rows, id));
        Ok(Part {
            found: meant.count(),
            cursor: ids.last().map(ToString::to_string),
            is_last: ids.is_empty(),
        })
    }

    async fn failed_keys(&self, recovery: &Recovery, limit: usize) -> Result<Vec<DeliveryId>, Error> {
        let (first, last) = recovery.window();
        let cursor = recovery.progress.cursor.as_deref();
        let cursor: Option<DeliveryId> = cursor.and_then(|cursor| cursor.parse().ok());
        let keys = self.app.store.undelivered(
            &recovery.endpoint,
            Status::Failed,
            (&first, &last),
            cursor.as_ref(),
            limit,
        );
        Ok(keys.await?.ids)
    }

    /// The events among the next ones, at most `limit`, that the endpoint has missed. Whoever inserts their records requires
    /// that there are none, so they may be looked for roughly.
    async fn missing(&self, recovery: &Recovery, limit: usize) -> Result<Part<Vec<Taken>>, Error> {
        let cursor = recovery.progress.cursor.as_deref();
        let cursor: Option<EventId> = cursor.and_then(|cursor| cursor.parse().ok());
        let store = &self.app.store;
        let part = store
            .events_behind(self.workspace, cursor.as_ref(), limit)
            .await?;
        let now = self.app.clock.now();
        let meant = part
            .events
            .into_iter()
            .filter(|event| recovery.misses(event, &self.endpoint, now));
        let meant: Vec<_> = meant.map(|event| (self.delivery_of(&event), event)).collect();
        let ids: Vec<_> = meant.iter().map(|(id, _)| id.clone()).collect();
        let rows = store.read_roughly(self.keys(&ids)).await?;
        let missing = meant
            .into_iter()
            .filter(|(id, _)| rows.delivery(&recovery.endpoint, id).is_none())
            .map(|(delivery, event)| Taken {
                delivery,
                missing: Some((event.id, event.name)),
            });
        Ok(Part {
            found: missing.collect(),
            cursor: part.up_to.or(cursor).map(|up_to| up_to.to_string()),
            is_last: part.is_last,
        })
    }

    fn delivery_of(&self, event: &KeptEvent) -> DeliveryId {
        DeliveryId::derive(event.accepted_at, &event.id, &self.endpoint.id)
    }

    fn is_meant(&self, recovery: &Recovery, rows: &Rows, id: &DeliveryId) -> bool {
        rows.delivery(&self.endpoint.id, id)
            .is_some_and(|record| recovery.wants(record))
    }

    pub(super) fn keys<'a>(&self, ids: impl IntoIterator<Item = &'a DeliveryId>) -> RowKeys {
        let mut keys = RowKeys::default();
        for id in ids {
            keys.add_delivery(&self.endpoint.id, id);
        }
        keys
    }
}
