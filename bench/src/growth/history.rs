//! A longer history of one endpoint.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use local::Binaries;
use local::receiver::Receiver;

use super::{BATCH, PATIENCE, PAYLOAD_BYTES, SECTION, count, rate, seed, statistics};
use crate::history;
use crate::pipeline::Pipeline;
use crate::progress::Bar as Progress;
use crate::report::{Bar, Report, median};
use crate::stack::Client;

/// The length whose page 1 is compared with that of the longest history.
const SHORT: usize = 100;
/// How many times as long the longest may take.
const MOST_LONGER: f64 = 2.0;
/// How often a page is read.
const PAGES: usize = 15;
/// Deliveries on a page in the middle; with 100,000 in the history it is page 500.
const PER_PAGE: usize = 100;
const POLL: Duration = Duration::from_millis(50);

/// The lengths that are measured, up to the longest.
pub(super) fn lengths(longest: usize) -> Vec<usize> {
    let longest = longest.max(1);
    let mut lengths = vec![1, SHORT, 1000, longest];
    lengths.retain(|length| *length <= longest);
    lengths.dedup();
    lengths
}

/// Measures all lengths, each with an endpoint of its own.
pub(super) async fn measure(
    client: &Client,
    binaries: &Binaries,
    lengths: &[usize],
    deliveries: usize,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let mut pages = Vec::new();
    for length in lengths {
        progress.note(format!("{length} in the history"));
        // What is counted depends on no machine, so it comes first.
        calls(binaries, *length, deliveries, report).await?;
        pages.push(on_stack(client, *length, deliveries, report).await?);
        progress.step();
    }
    let short = lengths.iter().position(|length| *length == SHORT);
    if let (Some(short), Some(longest)) = (short, pages.last()) {
        let name = format!("page 1 of the longest against page 1 of {SHORT}");
        let ratio = longest / pages[short];
        report.judge(SECTION, name, ratio, "×", Bar::AtMost(MOST_LONGER));
    }
    Ok(())
}

/// Measures page 1 and the rate on the local stack; returns how long page 1 takes, in milliseconds.
async fn on_stack(client: &Client, length: usize, deliveries: usize, report: &mut Report) -> Result<f64> {
    let receiver = Receiver::start_ok().await?;
    let ids = client.create_endpoints(&[receiver.url("/history")]).await?;
    client.send(1, PAYLOAD_BYTES).await?;
    receiver.wait_for(1, PATIENCE).await?;
    wait_until_recorded(client, &ids[0]).await?;
    seed::lengthen(&client.state, &ids[0], length - 1)
        .await
        .context("making a history")?;
    let mut time = |what: &str, milliseconds: f64| {
        let name = format!("{length} in the history: {what}");
        report.add(SECTION, name, milliseconds, "ms");
    };
    time("page 1, the first time", once(client, &ids[0], "").await?);
    let first_page = page(client, &ids[0], "").await?;
    time("page 1", first_page);
    let last = (length / PER_PAGE / 2).max(1);
    let query = format!("page={last}&per_page={PER_PAGE}");
    time(
        &format!("page {last} of {PER_PAGE}"),
        page(client, &ids[0], &query).await?,
    );
    time("failed ones", page(client, &ids[0], "status=failed").await?);
    statistics::on_stack(client, &ids[0], length, report).await?;
    let rate = rate(client, &receiver, 1, deliveries).await?;
    report.add(
        SECTION,
        format!("{length} in the history: rate"),
        rate,
        "deliveries/s",
    );
    client.delete_endpoints(&ids).await?;
    Ok(first_page)
}

async fn calls(binaries: &Binaries, length: usize, deliveries: usize, report: &mut Report) -> Result<()> {
    let receiver = Receiver::start_ok().await?;
    let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/history")]).await?;
    let first = pipeline.events(1, PAYLOAD_BYTES);
    pipeline.run(&first, BATCH).await?;
    pipeline
        .aws
        .lengthen_history(&pipeline.endpoints[0], length - 1, history::MONTH);
    let what = format!("{length} in the history");
    count(&mut pipeline, deliveries, &what, report).await
}

async fn wait_until_recorded(client: &Client, endpoint: &str) -> Result<()> {
    while client.deliveries(endpoint, "").await?["data"][0]["status"] != "delivered" {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// How long a page takes once the history has been counted, in milliseconds.
async fn page(client: &Client, endpoint: &str, query: &str) -> Result<f64> {
    client.deliveries(endpoint, query).await?;
    let mut times = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        times.push(once(client, endpoint, query).await?);
    }
    Ok(median(times))
}

async fn once(client: &Client, endpoint: &str, query: &str) -> Result<f64> {
    let start = Instant::now();
    client.deliveries(endpoint, query).await?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_end_with_the_longest() {
        assert_eq!(lengths(100_000), [1, 100, 1000, 100_000]);
        assert_eq!(lengths(1000), [1, 100, 1000]);
        assert_eq!(lengths(50), [1, 50]);
    }
}
