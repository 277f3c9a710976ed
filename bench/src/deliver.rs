//! `deliver` alone: full batches through the Runtime API, against a bare HTTP client that sends the same signed bytes
//! to the same receiver with as many requests in flight.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use local::Binaries;
use local::receiver::{Answer, Receiver};
use serde_json::json;
use shared::domain::event::MAX_EVENT_BYTES;

use crate::lambda::Function;
use crate::pipeline::{Pipeline, Work};
use crate::progress::Bar as Progress;
use crate::raw_client::{self, Recorded};
use crate::report::{Bar, Report, median};
use crate::sample;
use crate::sizes::Sizes;
use crate::template::Template;

/// The section's name.
pub(crate) const SECTION: &str = "deliver alone";
/// Messages of a batch, and requests in flight of the bare client.
const BATCH: usize = 10;
/// Requests that the bare client sends over and over.
const RECORDED: usize = 200;
const PAYLOAD_BYTES: usize = 512;
/// The most messages that the template allows a batch.
const LARGEST_BATCH: usize = 100;
const KIB_PER_MIB: f64 = 1024.0;

/// A kind of receiver, and a kind of batches.
struct Scene {
    name: &'static str,
    answers_after: Duration,
    endpoints: usize,
    /// The number of events is divided by this, because a slow receiver takes longer.
    share: usize,
    /// How many times as fast as the bare client it should be.
    least: Option<f64>,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "10 endpoints a batch, receiver at once",
        answers_after: Duration::ZERO,
        endpoints: BATCH,
        share: 1,
        least: Some(0.6),
    },
    Scene {
        name: "1 endpoint a batch, receiver at once",
        answers_after: Duration::ZERO,
        endpoints: 1,
        share: 1,
        least: None,
    },
    Scene {
        name: "10 endpoints a batch, receiver after 50 ms",
        answers_after: Duration::from_millis(50),
        endpoints: BATCH,
        share: 10,
        least: Some(0.8),
    },
    Scene {
        name: "1 endpoint a batch, receiver after 50 ms",
        answers_after: Duration::from_millis(50),
        endpoints: 1,
        share: 10,
        least: Some(0.9),
    },
];

/// How old a backlog is: so long after its event was accepted, the first record of a delivery is a late one, which is
/// marked before it is written.
const BACKLOG_AGE: Duration = Duration::from_hours(1);

/// What a scene is measured with.
struct Stage {
    receiver: Receiver,
    pipeline: Pipeline,
    function: Function,
    recorded: Vec<Recorded>,
    /// Deliveries of a round.
    deliveries: usize,
}

/// One round of both, one after the other, so that a busy moment of the machine affects both.
struct Round {
    delivered_per_second: f64,
    raw_per_second: f64,
}

/// Measures all scenes.
pub(crate) async fn measure(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    progress.expect((SCENES.len() + 1) * sizes.rounds + 1);
    for scene in &SCENES {
        progress.note(scene.name);
        let deliveries = (sizes.events / scene.share / BATCH).max(1) * BATCH;
        let mut stage = Stage::set_up(binaries, scene, deliveries).await?;
        let usage = stage.function.usage()?;
        let mut rounds = Vec::new();
        for _ in 0..sizes.rounds {
            rounds.push(stage.round(scene).await?);
            progress.step();
        }
        let used = stage.function.usage()?;
        let delivered = as_f64(sizes.rounds * deliveries);
        let processor_seconds = used.processor_since(&usage).as_secs_f64() / delivered;
        let peak_mib = as_f64(usize::try_from(used.peak_kib)?) / KIB_PER_MIB;
        tell(report, scene, &rounds, processor_seconds, peak_mib);
    }
    measure_backlog(binaries, sizes, report, progress).await?;
    measure_largest(binaries, report, progress).await
}

/// The memory of `deliver` with the largest batch of the largest events, which it reads from their table.
async fn measure_largest(binaries: &Binaries, report: &mut Report, progress: &Progress) -> Result<()> {
    let name = format!("a batch of {LARGEST_BATCH} events of 256 KB: peak memory");
    progress.note(name.clone());
    let receiver = Receiver::start(|_| Answer::status(200)).await?;
    let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/hooks")]).await?;
    let function = pipeline.function("deliver").await?;
    let events = pipeline.events(LARGEST_BATCH, MAX_EVENT_BYTES);
    pipeline
        .drain("EventsQueue", &events, BATCH, &mut Work::default())
        .await?;
    let tasks = pipeline.aws.take_messages("DeliveriesQueue");
    function.invoke(&sample::batch("DeliveriesQueue", &tasks)).await?;
    let arrived = receiver.received().len();
    ensure!(arrived == LARGEST_BATCH, "{arrived} of {LARGEST_BATCH} arrived");
    let memory = Template::read()?.memory_mb()?;
    let peak = as_f64(usize::try_from(function.usage()?.peak_kib)?) / KIB_PER_MIB;
    report.judge(SECTION, name, peak, "MiB", Bar::AtMost(memory));
    progress.step();
    Ok(())
}

/// Drains a backlog of one endpoint, and as many fresh deliveries in turn.
async fn measure_backlog(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let name = "a backlog of one endpoint, an hour old, receiver at once";
    progress.note(name);
    let mut stage = Stage::set_up(binaries, &SCENES[1], sizes.events.max(BATCH)).await?;
    let (mut rounds, mut write_units) = (Vec::new(), 0.0);
    for _ in 0..sizes.rounds {
        let (pipeline, function) = (&mut stage.pipeline, &stage.function);
        let fresh = deliver(pipeline, function, stage.deliveries, 1, Duration::ZERO).await?;
        pipeline.aws.take_bill();
        let late = deliver(pipeline, function, stage.deliveries, 1, BACKLOG_AGE).await?;
        write_units = pipeline.aws.take_bill().write_units / as_f64(stage.deliveries);
        rounds.push((fresh, late));
        progress.step();
    }
    let rate = median(rounds.iter().map(|(_, late)| as_f64(stage.deliveries) / late));
    report.add(SECTION, format!("{name}: deliver"), rate, "deliveries/s");
    let ratio = median(rounds.iter().map(|(fresh, late)| fresh / late));
    let what = format!("{name}: against fresh deliveries");
    report.judge(SECTION, what, ratio, "×", Bar::AtLeast(0.8));
    report.add(SECTION, format!("{name}: write units"), write_units, "a delivery");
    Ok(())
}

impl Stage {
    async fn set_up(binaries: &Binaries, scene: &Scene, deliveries: usize) -> Result<Self> {
        let delay = scene.answers_after;
        let receiver = Receiver::start(move |_| Answer::status(200).after(delay)).await?;
        let urls: Vec<_> = (0..scene.endpoints)
            .map(|number| receiver.url(&format!("/hooks/{number}")))
            .collect();
        let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &urls).await?;
        let function = pipeline.function("deliver").await?;
        deliver(
            &mut pipeline,
            &function,
            RECORDED,
            scene.endpoints,
            Duration::ZERO,
        )
        .await?;
        Ok(Self {
            recorded: raw_client::record(&receiver.received()),
            receiver,
            pipeline,
            function,
            deliveries,
        })
    }

    async fn round(&mut self, scene: &Scene) -> Result<Round> {
        let before = self.receiver.received().len();
        let seconds = deliver(
            &mut self.pipeline,
            &self.function,
            self.deliveries,
            scene.endpoints,
            Duration::ZERO,
        )
        .await?;
        let arrived = self.receiver.received().len() - before;
        ensure!(
            arrived == self.deliveries,
            "{arrived} of {} deliveries arrived",
            self.deliveries
        );
        let raw_seconds = raw_client::run(&self.recorded, self.deliveries, BATCH)
            .await
            .context("the bare client")?;
        Ok(Round {
            delivered_per_second: as_f64(self.deliveries) / seconds,
            raw_per_second: as_f64(self.deliveries) / raw_seconds,
        })
    }
}

/// Queues this many deliveries, accepted so long ago, and has the function make them; returns how long that took, in
/// seconds.
async fn deliver(
    pipeline: &mut Pipeline,
    function: &Function,
    deliveries: usize,
    endpoints: usize,
    age: Duration,
) -> Result<f64> {
    let events = pipeline.events(deliveries / endpoints, PAYLOAD_BYTES);
    pipeline
        .drain("EventsQueue", &events, BATCH, &mut Work::default())
        .await?;
    let mut tasks = pipeline.aws.take_messages("DeliveriesQueue");
    for task in &mut tasks {
        sample::make_older(task, age)?;
    }
    let batches: Vec<_> = tasks
        .chunks(BATCH)
        .map(|batch| Bytes::from(sample::batch("DeliveriesQueue", batch).to_string()))
        .collect();
    let start = Instant::now();
    for batch in batches {
        function.invoke_raw(batch).await?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn tell(report: &mut Report, scene: &Scene, rounds: &[Round], processor_seconds: f64, peak_mib: f64) {
    let name = |what: &str| format!("{}: {what}", scene.name);
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
    let delivered = middle(|round| round.delivered_per_second);
    let raw = middle(|round| round.raw_per_second);
    let ratio = middle(|round| round.delivered_per_second / round.raw_per_second);
    report.add(SECTION, name("deliver"), delivered, "deliveries/s");
    report.add(SECTION, name("bare client"), raw, "requests/s");
    match scene.least {
        Some(least) => report.judge(SECTION, name("ratio"), ratio, "×", Bar::AtLeast(least)),
        None => report.add(SECTION, name("ratio"), ratio, "×"),
    }
    let milliseconds = processor_seconds * 1e3;
    report.add(SECTION, name("processor time a delivery"), milliseconds, "ms");
    report.add(SECTION, name("peak memory"), peak_mib, "MiB");
    let rates: Vec<_> = rounds
        .iter()
        .map(|round| json!([round.delivered_per_second, round.raw_per_second]))
        .collect();
    report.detail(scene.name, rates);
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
