//! Looking whether a page has ended. The index says cheaply that it has not; the records say how it has.

use std::collections::HashSet;

use shared::Error;
use shared::domain::delivery::Status;
use shared::domain::recovery::{Outcome, Recovery};

use super::{Work, found};

/// Keys of pending deliveries that are looked at; if there are more, the records are read.
const MAX_PENDING_KEYS: usize = 500;

impl Work<'_> {
    /// Looks at what was sent; `None` if the endpoint is gone.
    pub(super) async fn look(&self, recovery: Recovery) -> Result<Option<Recovery>, Error> {
        if self.is_any_pending(&recovery).await? {
            return Ok(Some(recovery.looked(
                &[Outcome::Pending],
                false,
                self.app.clock.now(),
            )));
        }
        let attempted = recovery.attempted();
        let ids = attempted.iter().map(|taken| &taken.delivery);
        let rows = self.app.store.read(self.keys(ids)).await?;
        let outcomes = attempted
            .iter()
            .map(|taken| recovery.outcome(rows.delivery(&self.endpoint.id, &taken.delivery)));
        let outcomes: Vec<_> = outcomes.collect();
        // After the records, so that no success is missed that came before the failures.
        let endpoint = self.app.store.endpoint(self.workspace, &self.endpoint.id).await;
        let Some(endpoint) = found(endpoint)? else {
            return Ok(None);
        };
        let is_failing = endpoint.failures.failing_since.is_some();
        Ok(Some(recovery.looked(&outcomes, is_failing, self.app.clock.now())))
    }

    /// Whether the index knows one as pending. That it knows none proves nothing, because it lags behind.
    async fn is_any_pending(&self, recovery: &Recovery) -> Result<bool, Error> {
        let ids: HashSet<_> = recovery.attempted().iter().map(|taken| &taken.delivery).collect();
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(false);
        };
        let pending = self.app.store.undelivered(
            &recovery.endpoint,
            Status::Pending,
            (first, last),
            None,
            MAX_PENDING_KEYS,
        );
        Ok(pending.await?.ids.iter().any(|id| ids.contains(id)))
    }
}
