//! The statistics of a long history, by days, over the 30 days that it is kept: the first look counts it, the second uses
//! what was kept.

use std::time::Instant;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use shared::domain::time;

use super::SECTION;
use crate::report::Report;
use crate::stack::Client;

/// What is looked at twice, in turn.
pub(crate) const LOOKS: [&str; 2] = ["first", "second"];

/// The query of the last 30 days.
pub(crate) fn query() -> String {
    let from = Timestamp::now() - SignedDuration::from_hours(30 * 24 - 1);
    format!("bucket=day&from={}", time::format(from))
}

/// Measures both looks on the local stack.
pub(super) async fn on_stack(
    client: &Client,
    endpoint: &str,
    length: usize,
    report: &mut Report,
) -> Result<()> {
    for look in LOOKS {
        let start = Instant::now();
        let mut requests = 1;
        while client.statistics(endpoint, &query()).await?["meta"]["complete"] != true {
            requests += 1;
        }
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let name = format!("{length} in the history: statistics, {look} look");
        report.add(SECTION, format!("{name}, requests"), f64::from(requests), "");
        report.add(SECTION, name, milliseconds, "ms");
    }
    Ok(())
}
