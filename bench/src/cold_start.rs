//! Cold start: from the start of the process to its first answer, for every function, compared with the smallest
//! possible function, built in the same way; `dashboard`, which calls nothing, also with one that does nothing in a binary
//! with the same functions. The phases show where the time goes.

mod first;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::read::DeflateEncoder;
use local::{Binaries, root};
use serde::Serialize;
use serde_json::Value;

use self::first::FirstEvents;
use crate::pipeline::Pipeline;
use crate::progress::Bar as Progress;
use crate::report::{Bar, Report, median};
use crate::sample;
use crate::sizes::Sizes;

/// The section's name.
pub(crate) const SECTION: &str = "cold start";
/// What the starts are measured in.
pub(crate) const UNIT: &str = "ms";
/// The smallest function, an example of the functions' package.
pub(crate) const HELLO: &str = "hello";
/// A function that does nothing, in an example of the functions' package that has all of them.
const NOTHING: &str = "nothing";
/// What else than the functions is measured.
pub(crate) const EXAMPLES: [&str; 2] = [HELLO, NOTHING];
const DASHBOARD: &str = "dashboard";
/// How many times as long as doing nothing in the same binary the dashboard may take.
const MOST_AGAINST_NOTHING: f64 = 1.1;
/// How long `deliver` may take until it asks for an event, against a function that does nothing.
const MOST_UNTIL_READY: f64 = 1.3;
/// How large the compressed binary may be.
const MOST_COMPRESSED_MB: f64 = 5.0;
const BYTES_PER_MB: f64 = 1e6;

/// One start.
struct Start {
    total: Duration,
    /// Until the process asked for an event.
    until_ready: Duration,
    /// From then until it first called AWS, if it did.
    until_first_call: Duration,
    processor: Duration,
}

/// The medians of a function's starts, in milliseconds.
#[derive(Debug, Serialize)]
struct Phases {
    function: String,
    total: f64,
    until_ready: f64,
    ready_until_first_call: f64,
    first_call_until_answer: f64,
    processor: f64,
}

/// Measures all functions. Each round starts all of them, so that a busy moment of the machine affects all.
pub(crate) async fn measure(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let names = names()?;
    progress.expect(sizes.starts);
    let mut events = FirstEvents::prepare(binaries).await?;
    let mut starts: Vec<Vec<Start>> = names.iter().map(|_| Vec::new()).collect();
    for _ in 0..sizes.starts {
        for (name, starts) in names.iter().zip(&mut starts) {
            let event = events.of(name).await?;
            let start = Start::of(&events.pipeline, name, &event).await;
            starts.push(start.with_context(|| name.clone())?);
        }
        progress.step();
    }
    let mut phases = Vec::new();
    for (name, starts) in names.iter().zip(&starts) {
        phases.push(Phases::of(name, starts));
    }
    tell(report, &phases);
    tell_sizes(report, binaries)?;
    report.detail("cold start phases", phases);
    Ok(())
}

/// The smallest function, the one that does nothing, and every function that has a sample event: a test ensures that each
/// has one.
fn names() -> Result<Vec<String>> {
    let mut functions = Vec::new();
    for file in std::fs::read_dir(root().join("events"))? {
        let path = file?.path();
        functions.push(
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        );
    }
    functions.sort();
    Ok(EXAMPLES.map(str::to_owned).into_iter().chain(functions).collect())
}

impl Start {
    async fn of(pipeline: &Pipeline, name: &str, event: &Value) -> Result<Self> {
        pipeline.aws.take_first_call();
        let function = if EXAMPLES.contains(&name) {
            pipeline.example(name).await?
        } else {
            pipeline.function(name).await?
        };
        let answer = function.invoke(event).await?;
        let (answered, started) = (Instant::now(), function.started());
        let has_failed = answer["statusCode"].as_u64().is_some_and(|status| status >= 500);
        ensure!(!has_failed, "it answered {answer}");
        let ready = function.first_asked().context("it never asked for an event")?;
        let first_call = pipeline.aws.take_first_call().unwrap_or(ready);
        Ok(Self {
            total: answered - started,
            until_ready: ready - started,
            until_first_call: first_call.saturating_duration_since(ready),
            processor: function.usage()?.processor,
        })
    }
}

impl Phases {
    fn of(function: &str, starts: &[Start]) -> Self {
        let middle =
            |of: fn(&Start) -> Duration| median(starts.iter().map(|start| of(start).as_secs_f64() * 1e3));
        let total = middle(|start| start.total);
        let until_ready = middle(|start| start.until_ready);
        let ready_until_first_call = middle(|start| start.until_first_call);
        Self {
            function: function.to_owned(),
            total,
            until_ready,
            ready_until_first_call,
            first_call_until_answer: total - until_ready - ready_until_first_call,
            processor: middle(|start| start.processor),
        }
    }
}

fn tell(report: &mut Report, phases: &[Phases]) {
    let Some((smallest, functions)) = phases.split_first() else {
        return;
    };
    for phases in phases {
        report.add(SECTION, &phases.function, phases.total, UNIT);
    }
    for phases in functions {
        let name = format!("{} against hello", phases.function);
        let ratio = phases.total / smallest.total;
        match limit(&phases.function) {
            Some(limit) => report.judge(SECTION, name, ratio, "×", Bar::AtMost(limit)),
            None => report.add(SECTION, name, ratio, "×"),
        }
    }
    tell_until_ready(report, phases);
    tell_dashboard(report, phases);
    for phases in phases {
        tell_phases(report, phases);
    }
}

fn tell_until_ready(report: &mut Report, phases: &[Phases]) {
    if let (Some(deliver), Some(hello)) = (find(phases, "deliver"), find(phases, HELLO)) {
        let ratio = deliver.until_ready / hello.until_ready;
        let name = "deliver against hello, start to ready";
        report.judge(SECTION, name, ratio, "×", Bar::AtMost(MOST_UNTIL_READY));
    }
}

fn tell_dashboard(report: &mut Report, phases: &[Phases]) {
    if let (Some(dashboard), Some(nothing)) = (find(phases, DASHBOARD), find(phases, NOTHING)) {
        let name = format!("{DASHBOARD} against {NOTHING}");
        let ratio = dashboard.total / nothing.total;
        report.judge(SECTION, name, ratio, "×", Bar::AtMost(MOST_AGAINST_NOTHING));
    }
}

fn find<'a>(phases: &'a [Phases], function: &str) -> Option<&'a Phases> {
    phases.iter().find(|phases| phases.function == function)
}

fn tell_phases(report: &mut Report, phases: &Phases) {
    let name = |what: &str| format!("{}: {what}", phases.function);
    let mut spent = |what: &str, value| report.add(SECTION, name(what), value, "ms of it");
    spent("start to ready", phases.until_ready);
    spent("ready to first call to AWS", phases.ready_until_first_call);
    spent("first call to AWS to the answer", phases.first_call_until_answer);
    spent("on a processor", phases.processor);
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn tell_sizes(report: &mut Report, binaries: &Binaries) -> Result<()> {
    let hello = binaries.examples.get(HELLO).context("no example was built")?;
    let [functions, hello] = [&binaries.functions, hello].map(std::fs::read);
    let (functions, hello) = (functions?, hello?);
    for (name, binary) in [
        ("the functions: size of their binary", &functions),
        ("hello: size of its binary", &hello),
    ] {
        report.add(SECTION, name, binary.len() as f64 / BYTES_PER_MB, "MB");
    }
    // As in the archive that is uploaded.
    let mut compressed = DeflateEncoder::new(functions.as_slice(), Compression::default());
    let compressed = std::io::copy(&mut compressed, &mut std::io::sink())? as f64 / BYTES_PER_MB;
    let name = "the functions: their binary, compressed";
    report.judge(SECTION, name, compressed, "MB", Bar::AtMost(MOST_COMPRESSED_MB));
    Ok(())
}

/// How many times as long as the smallest function this one may take, if there is a bar for it.
fn limit(function: &str) -> Option<f64> {
    if function == "deliver" {
        return Some(2.0);
    }
    let is_api = sample::of(function).is_ok_and(|sample| sample["requestContext"].is_object());
    is_api.then_some(1.5)
}
