//! Growth: what more endpoints and a longer history change. Rates and times are measured on the local stack, calls and
//! units on the stand-in for AWS, which counts them.

mod endpoints;
mod history;
mod seed;
pub(crate) mod statistics;

use std::time::Duration;

use anyhow::Result;
use local::Binaries;
use local::receiver::Receiver;

use crate::pipeline::Pipeline;
use crate::progress::Bar as Progress;
use crate::report::{Report, count_of_endpoints};
use crate::sizes::Sizes;
use crate::stack::{Client, stretch};

/// The section's name.
pub(crate) const SECTION: &str = "growth";
/// The number of events is divided by this in each step: by default, 1,000.
const SHARE: usize = 5;
/// A multiple of every number of endpoints that is measured.
const LEAST_DELIVERIES: usize = 100;
const PAYLOAD_BYTES: usize = 512;
const BATCH: usize = 10;
const PATIENCE: Duration = Duration::from_mins(9);

/// Measures all of it.
pub(crate) async fn measure(
    client: &Client,
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let deliveries = (sizes.events / SHARE / LEAST_DELIVERIES).max(1) * LEAST_DELIVERIES;
    let lengths = history::lengths(sizes.history);
    progress.expect(endpoints::COUNTS.len() + lengths.len());
    for endpoints in endpoints::COUNTS {
        progress.note(count_of_endpoints(endpoints));
        endpoints::measure(client, binaries, endpoints, deliveries, report).await?;
        progress.step();
    }
    history::measure(client, binaries, &lengths, deliveries, report, progress).await
}

/// The stack's rate, in deliveries a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn rate(client: &Client, receiver: &Receiver, endpoints: usize, deliveries: usize) -> Result<f64> {
    let before = receiver.received().len();
    let sent = client.send(deliveries / endpoints, PAYLOAD_BYTES).await?;
    let received = receiver.wait_for(before + deliveries, PATIENCE).await?;
    let received = &received[before..];
    Ok(received.len() as f64 / stretch(&sent, received))
}

/// Adds calls and units a delivery, counted by the stand-in.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn count(pipeline: &mut Pipeline, deliveries: usize, what: &str, report: &mut Report) -> Result<()> {
    let events = pipeline.events(deliveries / pipeline.endpoints.len(), PAYLOAD_BYTES);
    let bill = pipeline.run(&events, BATCH).await?.bill;
    let mut add = |name: &str, count: f64| {
        let name = format!("{what}: {name}");
        report.add(SECTION, name, count / deliveries as f64, "a delivery");
    };
    add("AWS calls", bill.calls_of("") as f64);
    add("write units", bill.write_units);
    add("read units", bill.read_units);
    Ok(())
}
