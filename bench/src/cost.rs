//! Calls and cost: the real binaries of the queue functions, with a stand-in for AWS that counts.
//!
//! Counted: the calls of the functions, and the units of what those calls carry. Computed, and named so: the calls of
//! Lambda's event sources, from the batches. The producer's own call is not the system's and is left out, and so is
//! the polling of empty queues, which does not depend on deliveries.

mod recovery;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use local::Binaries;
use local::receiver::{Answer, Received, Receiver};

use crate::pipeline::{Pipeline, Work};
use crate::prices::{Item, Prices};
use crate::progress::Bar as Progress;
use crate::report::{Bar, Report};
use crate::sizes::Sizes;
use crate::template::Template;

/// The section's name.
pub(crate) const SECTION: &str = "calls and cost";
/// The scene that is drawn.
pub(crate) const FULL: &str = "full batches";
/// What an itemised bill is measured in.
pub(crate) const ITEM_UNIT: &str = "$/million";
/// How long a real customer's receiver takes to answer.
pub(crate) const RECEIVER: Duration = Duration::from_millis(250);
/// How long a call to AWS takes from within its region.
pub(crate) const AWS_LATENCY: Duration = Duration::from_millis(5);
/// Memory that the functions might have instead, in MB: the least that Lambda gives, and up to a whole processor
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const OTHER_MEMORY_MB: [f64; 4] = [128.0, 512.0, 1024.0, 1769.0];
/// Bytes of an event.
pub(crate) const PAYLOAD_BYTES: usize = 512;

struct Scene {
    name: &'static str,
    batch_size: usize,
    /// What the receiver answers to the first attempt of each delivery.
    first_answer: u16,
    /// What a million may cost.
    dollars: Option<f64>,
}

const SCENES: [Scene; 5] = [
    Scene {
        name: FULL,
        batch_size: 10,
        first_answer: 200,
        dollars: Some(2.35),
    },
    Scene {
        name: "full batches of 100",
        batch_size: 100,
        first_answer: 200,
        dollars: Some(2.2),
    },
    Scene {
        name: "trickle",
        batch_size: 1,
        first_answer: 200,
        dollars: Some(5.5),
    },
    Scene {
        name: "full batches, each delivery retried once",
        batch_size: 10,
        first_answer: 500,
        dollars: None,
    },
    Scene {
        name: "trickle, each delivery retried once",
        batch_size: 1,
        first_answer: 500,
        dollars: None,
    },
];

/// Measures all scenes.
pub(crate) async fn measure(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    progress.expect(SCENES.len() + recovery::SCENES.len());
    let prices = Prices::read()?;
    let memory_mb = Template::read()?.memory_mb()?;
    for scene in &SCENES {
        progress.note(scene.name);
        let deliveries = scene.batch_size * sizes.batches.max(1);
        let work = scene.run(binaries, deliveries).await?;
        let items = prices.per_million(&work, deliveries, memory_mb);
        tell(report, scene, &work, deliveries, &items);
        for memory_mb in OTHER_MEMORY_MB {
            let items = prices.per_million(&work, deliveries, memory_mb);
            let name = format!("{}: all together with {memory_mb} MB", scene.name);
            report.add(SECTION, name, together(&items), "$ a million");
        }
        report.detail(scene.name, &work);
        progress.step();
    }
    for scene in &recovery::SCENES {
        progress.note(scene.name);
        let deliveries = 10 * sizes.batches.max(1);
        let work = scene.run(binaries, deliveries).await?;
        let items = prices.per_million(&work, deliveries, memory_mb);
        scene.tell(report, &work, deliveries, &items);
        report.detail(scene.name, &work);
        progress.step();
    }
    report.add(SECTION, "an endpoint, for a month", prices.endpoint_month(), "$");
    Ok(())
}

impl Scene {
    async fn run(&self, binaries: &Binaries, deliveries: usize) -> Result<Work> {
        let receiver = self.receiver().await?;
        let mut pipeline = Pipeline::start(binaries, AWS_LATENCY, &[receiver.url("/hooks")]).await?;
        // The first batch starts the functions and fetches the secret, which later ones find in memory.
        let first = pipeline.events(self.batch_size, PAYLOAD_BYTES);
        pipeline.run(&first, self.batch_size).await?;
        let before = receiver.received().len();
        let events = pipeline.events(deliveries, PAYLOAD_BYTES);
        let work = pipeline.run(&events, self.batch_size).await?;
        let arrived = receiver.received().len() - before;
        let attempts = deliveries * if self.first_answer == 200 { 1 } else { 2 };
        ensure!(arrived == attempts, "{arrived} of {attempts} attempts arrived");
        Ok(work)
    }

    async fn receiver(&self) -> Result<Receiver> {
        let seen: Mutex<HashSet<String>> = Mutex::default();
        let first_answer = self.first_answer;
        let answer = move |received: &Received| {
            let id = received.header("webhook-id").to_owned();
            let is_first = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            Answer::status(if is_first { first_answer } else { 200 }).after(RECEIVER)
        };
        Receiver::start(answer).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn tell(report: &mut Report, scene: &Scene, work: &Work, deliveries: usize, items: &[Item]) {
    let name = |what: &str| format!("{}: {what}", scene.name);
    let each = |count: f64| count / deliveries as f64;
    let bill = &work.bill;
    let mut add = |what: &str, value: f64, unit, limit: Option<f64>| match limit {
        Some(limit) => report.judge(SECTION, name(what), value, unit, Bar::AtMost(limit)),
        None => report.add(SECTION, name(what), value, unit),
    };
    let of_full = |limit: f64| (scene.name == FULL).then_some(limit);
    add(
        "AWS calls",
        each(bill.calls_of("") as f64),
        "a delivery",
        of_full(2.0),
    );
    for (call, count) in &bill.calls {
        add(&format!("  {call}"), each(*count as f64), "a delivery", None);
    }
    add("write units", each(bill.write_units), "a delivery", of_full(3.0));
    add("read units", each(bill.read_units), "a delivery", None);
    add("invocations", each(work.invocations as f64), "a delivery", None);
    add("all together", together(items), "$ a million", scene.dollars);
    for item in items {
        add(&format!("  {}", item.what), item.dollars, ITEM_UNIT, None);
    }
}

fn together(items: &[Item]) -> f64 {
    items.iter().map(|item| item.dollars).sum()
}
