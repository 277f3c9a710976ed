//! What the queue functions do, by function: for each delivery, and for a start.
//!
//! Each function is run twice. Callgrind counts both times, the second with twice as many batches; what counts is the
//! difference, so that the start and the first batches are not in it. Sampling takes time of its own, so perf says only what
//! the time goes to, a start of some milliseconds among seconds; how long it is, is measured without perf.
//!
//! AWS and the receivers are reached without TLS here, and Callgrind's processor has no instructions for SHA, so among its
//! instructions hashing weighs more than on AWS's processors.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local::Binaries;
use local::receiver::{Answer, Receiver};
use tokio::process::Command;

use crate::aws::Sent;
use crate::cold_start::HELLO;
use crate::lambda::Function;
use crate::pipeline::{Pipeline, Work};
use crate::profile::{Profile, Tool};
use crate::progress::Bar as Progress;
use crate::report::Report;
use crate::sample;
use crate::sizes::Sizes;

/// Messages of a full batch.
const BATCH: usize = 10;
const PAYLOAD_BYTES: usize = 512;
/// How many of what a tool counts are one of its unit.
const PER_UNIT: f64 = 1e3;
/// Functions that the JSON names one by one.
const TOP: usize = 80;

/// A function, the queue that it reads, and whether it is counted.
type Step = (&'static str, &'static str, Counted);

/// The functions that a delivery goes through, the queues that they read, and whether they are counted. The endpoint answers
/// with this status.
const WAYS: [(u16, &[Step]); 2] = [
    (
        200,
        &[
            ("fan-out", "EventsQueue", Counted::Together),
            ("deliver", "DeliveriesQueue", Counted::Together),
        ],
    ),
    (
        500,
        &[
            ("fan-out", "EventsQueue", Counted::No),
            ("deliver", "DeliveriesQueue", Counted::No),
            // What the first lane leaves to this one, because the endpoint fails.
            ("deliver", "RetriesQueue", Counted::No),
            ("retry", "FailedAttemptsQueue", Counted::Alone),
        ],
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    No,
    Alone,
    Together,
}

/// A tool, and what it is used on.
struct Counter<'a> {
    tool: Tool,
    binaries: &'a Binaries,
    /// Where what was counted last of each function stays, for the tool's own reports.
    folder: &'a Path,
    batches: usize,
    starts: usize,
}

/// Measures all functions.
pub(crate) async fn measure(
    tool: Tool,
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let counter = Counter {
        tool,
        binaries,
        folder: &local::root().join("target/bench"),
        batches: tool.batches(sizes),
        starts: tool.starts(sizes),
    };
    progress.expect(WAYS.iter().map(|(_, ways)| ways.len()).sum::<usize>() + 2 * counter.starts);
    let mut together = 0.0;
    for (status, functions) in WAYS {
        let receiver = Receiver::start(move |_| Answer::status(status)).await?;
        let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/hooks")]).await?;
        let mut messages = pipeline.events(counter.batches * BATCH * 3, PAYLOAD_BYTES);
        for (function, queue, counted) in functions {
            progress.note(*function);
            messages.extend(pipeline.aws.take_messages(queue));
            if *counted == Counted::No {
                pipeline
                    .drain(queue, &messages, BATCH, &mut Work::default())
                    .await?;
            } else {
                let profile = counter
                    .of_a_message(&pipeline, function, queue, &messages)
                    .await?;
                counter.tell(report, &format!("{function}, a delivery"), &profile);
                together += if *counted == Counted::Together {
                    profile.total()
                } else {
                    0.0
                };
            }
            messages.clear();
            progress.step();
        }
    }
    let name = "fan-out and deliver together, a delivery";
    report.add(tool.section(), name, together / PER_UNIT, tool.unit());
    counter.count_starts(report, progress).await
}

impl Counter<'_> {
    /// What a function does for each message: the messages are three times the batches that it gets first.
    async fn of_a_message(
        &self,
        pipeline: &Pipeline,
        name: &str,
        queue: &str,
        messages: &[Sent],
    ) -> Result<Profile> {
        let once = self.batches * BATCH;
        ensure!(
            messages.len() == 3 * once,
            "{} messages for {name}",
            messages.len()
        );
        let (few, many) = messages.split_at(once);
        match self.tool {
            Tool::Callgrind => {
                let of_few = self.counted(pipeline, name, queue, few).await?;
                let of_many = self.counted(pipeline, name, queue, many).await?;
                Ok(of_many.beyond(&of_few, as_f64(once)))
            }
            Tool::Perf => {
                let function = pipeline.function_by(Command::new(&self.binaries.with_symbols), name);
                let function = function.await?;
                function.ready().await;
                let before = function.usage()?;
                handle(&function, queue, few).await?;
                let time = function.usage()?.processor_since(&before);
                let sampled = self.counted(pipeline, name, queue, many).await?;
                Ok(sampled.scaled_to(nanoseconds(time) / as_f64(once)))
            }
        }
    }

    /// What is counted while a function starts and handles these messages.
    async fn counted(
        &self,
        pipeline: &Pipeline,
        name: &str,
        queue: &str,
        messages: &[Sent],
    ) -> Result<Profile> {
        let output = self.tool.file(self.folder, name);
        let command = self.tool.counting(&self.binaries.with_symbols, &output)?;
        let function = pipeline.function_by(command, name).await?;
        handle(&function, queue, messages).await?;
        function.end().await?;
        self.tool.read(&output).await
    }

    /// What a function does until it asks for its first event, beside one that does nothing.
    async fn count_starts(&self, report: &mut Report, progress: &Progress) -> Result<()> {
        let pipeline = Pipeline::start(self.binaries, Duration::ZERO, &[]).await?;
        let example = self.binaries.examples.get(HELLO).context("it was not built")?;
        for (name, binary) in [(HELLO, example), ("deliver", &self.binaries.with_symbols)] {
            progress.note(format!("start of {name}"));
            let output = self.tool.file(self.folder, &format!("start-of-{name}"));
            let (mut counted, mut time) = (Profile::default(), Duration::ZERO);
            for _ in 0..self.starts {
                let command = self.tool.counting(binary, &output)?;
                let function = pipeline.function_by(command, name).await?;
                function.ready().await;
                function.end().await?;
                counted = counted.with(self.tool.read(&output).await?);
                if self.tool == Tool::Perf {
                    let function = pipeline.function_by(Command::new(binary), name).await?;
                    function.ready().await;
                    time += function.usage()?.processor;
                }
                progress.step();
            }
            let starts = as_f64(self.starts);
            let each = match self.tool {
                Tool::Callgrind => counted.beyond(&Profile::default(), starts),
                Tool::Perf => counted.scaled_to(nanoseconds(time) / starts),
            };
            self.tell(report, &format!("a start of {name}"), &each);
        }
        Ok(())
    }

    fn tell(&self, report: &mut Report, name: &str, profile: &Profile) {
        let (section, unit) = (self.tool.section(), self.tool.unit());
        report.add(section, name, profile.total() / PER_UNIT, unit);
        for (group, work) in profile.by_group() {
            report.add(section, format!("{name}: {group}"), work / PER_UNIT, unit);
        }
        report.detail(&format!("{section}: {name}"), profile.top(TOP));
    }
}

async fn handle(function: &Function, queue: &str, messages: &[Sent]) -> Result<()> {
    for batch in messages.chunks(BATCH) {
        let answer = function.invoke(&sample::batch(queue, batch)).await?;
        let failures = sample::failures(&answer, batch);
        ensure!(failures.is_empty(), "messages of {queue} came back");
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

fn nanoseconds(time: Duration) -> f64 {
    const PER_SECOND: f64 = 1e9;
    time.as_secs_f64() * PER_SECOND
}
