//! What it costs to recover deliveries that failed, after all their attempts. The pace is the fastest: the stand-in's
//! queues know no delay, and a turn that comes early goes back.

use anyhow::{Result, ensure};
use local::Binaries;
use local::receiver::{Answer, Receiver};

use super::{AWS_LATENCY, PAYLOAD_BYTES, RECEIVER, SECTION};
use crate::pipeline::{Pipeline, Work};
use crate::prices::Item;
use crate::report::{Bar, Report};

/// What a million of them may cost if their records are small, in dollars.
const MOST_DOLLARS: f64 = 4.5;

/// Messages in a batch.
const BATCH_SIZE: usize = 10;

/// Deliveries of one kind.
pub(super) struct Scene {
    /// What they are called.
    pub(super) name: &'static str,
    /// Bytes that are kept of the receiver's answer to each of their eight attempts.
    body_bytes: usize,
}

/// Both kinds; the first one is judged.
pub(super) const SCENES: [Scene; 2] = [
    Scene {
        name: "recovered deliveries, records under 1 KB",
        body_bytes: 0,
    },
    Scene {
        name: "recovered deliveries, records of 8 attempts with bodies of 1 KB",
        body_bytes: 1024,
    },
];

impl Scene {
    /// Recovers so many deliveries.
    pub(super) async fn run(&self, binaries: &Binaries, deliveries: usize) -> Result<Work> {
        let receiver = Receiver::start(|_| Answer::status(200).after(RECEIVER)).await?;
        let mut pipeline = Pipeline::start(binaries, AWS_LATENCY, &[receiver.url("/hooks")]).await?;
        // The first batch starts the functions and fetches the secret, which later ones find in memory.
        let first = pipeline.events(BATCH_SIZE, PAYLOAD_BYTES);
        pipeline.run(&first, BATCH_SIZE).await?;
        let before = receiver.received().len();
        pipeline.keep_failed(deliveries, PAYLOAD_BYTES, self.body_bytes)?;
        pipeline.start_recovery().await?;
        let work = pipeline.run(&[], BATCH_SIZE).await?;
        let arrived = receiver.received().len() - before;
        ensure!(
            arrived == deliveries,
            "{arrived} of {deliveries} attempts arrived"
        );
        Ok(work)
    }

    /// Adds what was counted to the report.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) fn tell(&self, report: &mut Report, work: &Work, deliveries: usize, items: &[Item]) {
        let name = |what: &str| format!("{}: {what}", self.name);
        let each = |count: f64| count / deliveries as f64;
        let calls = each(work.bill.calls_of("") as f64);
        report.add(SECTION, name("AWS calls"), calls, "a delivery");
        report.add(
            SECTION,
            name("write units"),
            each(work.bill.write_units),
            "a delivery",
        );
        report.add(
            SECTION,
            name("read units"),
            each(work.bill.read_units),
            "a delivery",
        );
        let dollars = super::together(items);
        let (all, unit) = (name("all together"), "$ a million");
        if self.body_bytes == 0 {
            report.judge(SECTION, all, dollars, unit, Bar::AtMost(MOST_DOLLARS));
        } else {
            report.add(SECTION, all, dollars, unit);
        }
        for item in items {
            report.add(
                SECTION,
                name(&format!("  {}", item.what)),
                item.dollars,
                super::ITEM_UNIT,
            );
        }
    }
}
