//! A recovery at an endpoint of another workspace, which was disabled while events came.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use local::StackState;
use local::receiver::Receiver;
use serde_json::json;

use super::{PATIENCE, PAYLOAD_BYTES, Side};

/// Its pace, in deliveries a second.
pub(super) const PER_SECOND: usize = 50;
/// How many events are measured meanwhile: one minute of them.
const EVENTS: usize = 600;
/// How many the endpoint has missed: as many as are recovered in that minute, and a fifth more.
const MISSED: usize = 72 * PER_SECOND;

/// The endpoint, and another one that shows that everything is accepted.
pub(super) struct Recovery {
    side: Side,
    endpoint: String,
}

/// What was measured while it ran.
pub(super) struct Crowded {
    /// How long the events of the healthy endpoint took, in milliseconds.
    pub(super) times: Vec<f64>,
    /// Deliveries that were recovered in a second.
    pub(super) rate: f64,
}

impl Recovery {
    /// An endpoint that has missed events and is enabled again.
    pub(super) async fn prepare(state: &StackState) -> Result<Self> {
        let receivers = vec![Receiver::start_ok().await?, Receiver::start_ok().await?];
        let (side, ids) = Side::new(state, receivers).await?;
        let endpoint = ids.into_iter().next().context("no endpoint")?;
        side.client
            .change_endpoint(&endpoint, &json!({ "enabled": false }))
            .await?;
        side.client.send(MISSED, PAYLOAD_BYTES).await?;
        side.receivers[1].wait_for(MISSED, PATIENCE).await?;
        side.client
            .change_endpoint(&endpoint, &json!({ "enabled": true }))
            .await?;
        Ok(Self { side, endpoint })
    }

    /// Measures the healthy endpoint while everything that was missed is recovered, and waits for the end.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) async fn measure(&self, healthy: &Side) -> Result<Crowded> {
        let wanted =
            json!({ "since": "2026-01-01T00:00:00Z", "include": "missing", "per_second": PER_SECOND });
        let receiver = &self.side.receivers[0];
        self.side.client.start_recovery(&self.endpoint, &wanted).await?;
        receiver.wait_for(1, PATIENCE).await?;
        let (start, before) = (Instant::now(), receiver.received().len());
        let times = healthy.times(EVENTS).await?;
        let recovered = receiver.received().len();
        ensure!(
            recovered < MISSED,
            "the recovery ended before the measurement did"
        );
        let rate = (recovered - before) as f64 / start.elapsed().as_secs_f64();
        receiver.wait_for(MISSED, PATIENCE).await?;
        Ok(Crowded { times, rate })
    }
}
