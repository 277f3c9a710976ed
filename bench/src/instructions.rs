//! Instructions of the queue functions, counted by Callgrind: of each delivery, and of a start.
//!
//! Each function is run twice, the second time with twice as many batches; what is counted is the difference, so that the
//! start and the first batches are not in it. AWS and the receivers are reached without TLS here, and Callgrind's processor
//! has no instructions for SHA, so hashing weighs more than on AWS's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local::Binaries;
use local::receiver::{Answer, Receiver};

use crate::aws::Sent;
use crate::callgrind::{self, Profile};
use crate::cold_start::HELLO;
use crate::pipeline::{Pipeline, Work};
use crate::progress::Bar as Progress;
use crate::report::Report;
use crate::sample;
use crate::sizes::Sizes;

/// The section's name.
pub(crate) const SECTION: &str = "instructions";
const UNIT: &str = "k instructions";
/// Messages of a full batch.
const BATCH: usize = 10;
const PAYLOAD_BYTES: usize = 512;
const INSTRUCTIONS_PER_UNIT: f64 = 1e3;
/// Functions that the JSON names one by one.
const TOP: usize = 80;

/// What the symbols of a group contain; the first one that fits counts.
const GROUPS: [(&str, &[&str]); 12] = [
    (
        "allocation",
        &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "_int_",
            "sysmalloc",
            "unlink_chunk",
            "__rust_alloc",
            "__rdl_",
            "tcache",
            "mi_",
        ],
    ),
    (
        "copying and comparing memory",
        &["memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen"],
    ),
    (
        "SHA-256 and HMAC",
        &["sha2", "sha256", "SHA256", "sha512", "hmac", "digest"],
    ),
    (
        "signing requests to AWS",
        &["aws_sigv4", "aws_runtime::auth", "aws_credential"],
    ),
    ("this project", &["shared::", "functions::", "webhooks::"]),
    (
        "JSON, and items of DynamoDB",
        &[
            "serde",
            "aws_smithy_json",
            "protocol_serde",
            "ryu",
            "itoa",
            "zmij",
        ],
    ),
    ("the AWS SDK", &["aws_"]),
    ("the runtime of Lambda", &["lambda_"]),
    ("logging", &["tracing"]),
    (
        "HTTP",
        &[
            "hyper", "reqwest", "http", "httparse", "tower", "url", "idna", "h2", "rustls",
        ],
    ),
    ("tokio and futures", &["tokio", "futures", "mio"]),
    ("hashing for maps", &["siphash", "SipHash", "Hasher", "hashbrown"]),
];

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

/// What counts.
struct Counter<'a> {
    binaries: &'a Binaries,
    /// Where what was counted last of each function stays, for `callgrind_annotate` and `kcachegrind`.
    folder: &'a Path,
    batches: usize,
}

/// Measures all functions.
pub(crate) async fn measure(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    ensure!(
        callgrind::is_installed(),
        "valgrind is missing, which counts the instructions; your system's packages have it (`apt install valgrind`)"
    );
    progress.expect(WAYS.iter().map(|(_, ways)| ways.len()).sum::<usize>() + 2);
    let counter = Counter {
        binaries,
        folder: &local::root().join("target/bench"),
        batches: sizes.batches.max(1),
    };
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
                let profile = counter.of_each(&pipeline, function, queue, &messages).await?;
                tell(report, &format!("{function}, a delivery"), &profile);
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
    report.add(SECTION, name, together / INSTRUCTIONS_PER_UNIT, UNIT);
    counter.starts(report, progress).await
}

impl Counter<'_> {
    /// What a function executes for each message: the messages are three times the batches that it gets first.
    async fn of_each(
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
        let output = self.output(name);
        let (few, many) = messages.split_at(once);
        let mut profiles = Vec::new();
        for messages in [few, many] {
            let function = pipeline
                .function_by(callgrind::counting(&self.binaries.with_symbols, &output), name)
                .await?;
            for batch in messages.chunks(BATCH) {
                let answer = function.invoke(&sample::batch(queue, batch)).await?;
                let failures = sample::failures(&answer, batch);
                ensure!(failures.is_empty(), "messages of {queue} came back");
            }
            function.end().await?;
            profiles.push(Profile::read(&output)?);
        }
        Ok(profiles[1].beyond(&profiles[0], as_f64(once)))
    }

    /// What a function executes until it asks for its first event, beside one that does nothing.
    async fn starts(&self, report: &mut Report, progress: &Progress) -> Result<()> {
        let pipeline = Pipeline::start(self.binaries, Duration::ZERO, &[]).await?;
        let example = self.binaries.examples.get(HELLO).context("it was not built")?;
        for (name, binary) in [(HELLO, example), ("deliver", &self.binaries.with_symbols)] {
            progress.note(format!("start of {name}"));
            let output = self.output(&format!("start-of-{name}"));
            let function = pipeline
                .function_by(callgrind::counting(binary, &output), name)
                .await?;
            function.ready().await;
            function.end().await?;
            tell(report, &format!("a start of {name}"), &Profile::read(&output)?);
            progress.step();
        }
        Ok(())
    }

    fn output(&self, name: &str) -> PathBuf {
        self.folder.join(format!("callgrind.{name}.out"))
    }
}

fn tell(report: &mut Report, name: &str, profile: &Profile) {
    report.add(SECTION, name, profile.total() / INSTRUCTIONS_PER_UNIT, UNIT);
    for (group, count) in profile.by(group) {
        let name = format!("{name}: {group}");
        report.add(SECTION, name, count / INSTRUCTIONS_PER_UNIT, UNIT);
    }
    report.detail(&format!("instructions: {name}"), profile.top(TOP));
}

fn group(function: &str) -> &'static str {
    let fitting = GROUPS
        .iter()
        .find(|(_, parts)| parts.iter().any(|part| function.contains(part)));
    fitting.map_or("other", |(group, _)| group)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
