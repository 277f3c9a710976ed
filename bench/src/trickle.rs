//! One event a second, which is what most stacks see: what the functions add to what the queues take, from the event's message
//! until the receiver has the request. Each is received the moment it is there, which on AWS takes its time as well.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local::Binaries;
use local::receiver::{Answer, Receiver};

use crate::pipeline::{Pipeline, Work};
use crate::progress::Bar as Progress;
use crate::report::{Report, percentile};

/// The section's name.
const SECTION: &str = "one event a second";
/// How many are measured; the 99th percentile needs a hundred.
const EVENTS: usize = 200;
/// How far they are apart.
const APART: Duration = Duration::from_secs(1);
const PAYLOAD_BYTES: usize = 512;
/// How long a call of AWS takes, beside what the stand-in for it needs.
const CALLS: [(&str, Duration); 2] = [
    ("calls of AWS answered at once", Duration::ZERO),
    ("calls of AWS answered after 5 ms", Duration::from_millis(5)),
];

/// Both functions, and a receiver that answers at once.
struct Stage {
    name: &'static str,
    pipeline: Pipeline,
    receiver: Receiver,
    milliseconds: Vec<f64>,
}

/// Measures both kinds of calls in turn.
pub(crate) async fn measure(binaries: &Binaries, report: &mut Report, progress: &Progress) -> Result<()> {
    progress.expect(EVENTS);
    let mut stages = Vec::new();
    for (name, latency) in CALLS {
        let receiver = Receiver::start(|_| Answer::status(200)).await?;
        let pipeline = Pipeline::start(binaries, latency, &[receiver.url("/hooks")]).await?;
        let mut stage = Stage {
            name,
            pipeline,
            receiver,
            milliseconds: Vec::new(),
        };
        // The first event finds the functions cold; how long a start takes is measured elsewhere.
        stage.send_one().await?;
        stages.push(stage);
    }
    let mut clock = tokio::time::interval(APART);
    for _ in 0..EVENTS {
        clock.tick().await;
        for stage in &mut stages {
            let took = stage.send_one().await?;
            stage.milliseconds.push(took.as_secs_f64() * 1000.0);
        }
        progress.step();
    }
    for stage in stages {
        for percent in [50.0, 99.0] {
            let value = percentile(stage.milliseconds.iter().copied(), percent);
            let name = format!("{}: {percent}th percentile", stage.name);
            report.add(SECTION, name, value, "ms from queue to receiver");
        }
    }
    Ok(())
}

impl Stage {
    /// Has an event fanned out and delivered, and returns what that took until it had arrived.
    async fn send_one(&mut self) -> Result<Duration> {
        let before = self.receiver.received().len();
        let events = self.pipeline.events(1, PAYLOAD_BYTES);
        let start = Instant::now();
        self.drain("EventsQueue", &events).await?;
        let fanned_out = start.elapsed();
        let tasks = self.pipeline.aws.take_messages("DeliveriesQueue");
        let start = Instant::now();
        self.drain("DeliveriesQueue", &tasks).await?;
        let received = self.receiver.received();
        ensure!(received.len() == before + 1, "the event did not arrive");
        let arrived = received.last().context("nothing has arrived")?.at;
        Ok(fanned_out + arrived.saturating_duration_since(start))
    }

    async fn drain(&mut self, queue: &'static str, messages: &[crate::aws::Sent]) -> Result<()> {
        self.pipeline
            .drain(queue, messages, 1, &mut Work::default())
            .await
    }
}
