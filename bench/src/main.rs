//! `cargo bench-webhooks`: speed, calls, cost, cold start, reads, growth and isolation, measured; and a burst, simulated.
//!
//! What runs without a stack is the binary that a deployment gets; a local stack runs its own, optimized but linked without
//! link-time optimization. Ratios compare figures of the same run; absolute figures depend on the machine.

#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep the clock, the environment and HTTP clients out of deployed code, which this is not"
)]

mod aws;
mod chart;
mod cold_start;
mod cost;
mod deliver;
mod end_to_end;
mod growth;
mod history;
mod hot_path;
mod isolation;
mod lambda;
mod pipeline;
mod prices;
mod profile;
mod progress;
mod raw_client;
mod reads;
mod report;
mod sample;
mod scale;
mod server;
mod sizes;
mod stack;
mod template;
mod trickle;
mod usage;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use local::{Binaries, Options};
use serde_json::json;

use crate::profile::Tool;
use crate::progress::Bar;
use crate::report::Report;
use crate::sizes::Sizes;

/// Measures this system. Prints a table; writes JSON and a plot to target/bench.
#[derive(Debug, Parser)]
#[command(name = "bench-webhooks", bin_name = "cargo bench-webhooks")]
struct Arguments {
    /// What to measure; everything by default.
    #[arg(value_enum)]
    sections: Vec<Section>,
    #[command(flatten)]
    sizes: Sizes,
    /// Measure this binary of the functions, such as one of an earlier commit, and build none.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Run as the bare HTTP client that `deliver` is compared with; the benchmark starts itself this way.
    #[arg(long, hide = true)]
    raw_client: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// The delivery function alone, against a bare HTTP client.
    Deliver,
    /// One event a second, from its message to the receiver.
    Trickle,
    /// Instructions of the queue functions, counted by valgrind.
    Instructions,
    /// Processor time of the queue functions, sampled by perf.
    Processor,
    /// Calls to AWS, billed units and dollars.
    Cost,
    /// From process start to the first answer.
    ColdStart,
    /// From the events queue of a local stack to the receiver.
    EndToEnd,
    /// More endpoints, a longer history, on a local stack and on the stand-in.
    Growth,
    /// What lists and statistics of many deliveries read and write.
    Reads,
    /// A burst of a million events on AWS, simulated by what AWS documents; needs nothing else, and takes seconds.
    Scale,
    /// How a healthy endpoint fares next to one that hangs and one that fails, on a local stack of its own.
    Isolation,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(work) = &arguments.raw_client {
        return raw_client::main(work);
    }
    tokio::runtime::Runtime::new()?.block_on(measure(arguments))
}

/// Writes what was measured even if something failed later.
async fn measure(arguments: &Arguments) -> Result<()> {
    let folder = local::root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let mut report = Report::default();
    report.detail("machine", machine());
    report.detail("sizes", arguments.sizes);
    let mut measured = simulate(arguments, &mut report);
    if measured.is_ok() && arguments.sections != [Section::Scale] {
        measured = with_binaries(arguments, &mut report).await;
    }
    write(&report, &folder)?;
    measured
}

fn simulate(arguments: &Arguments, report: &mut Report) -> Result<()> {
    if !arguments.want(Section::Scale) {
        return Ok(());
    }
    let bar = Bar::new("scale");
    scale::simulate(report, &bar).context("scale")
}

async fn with_binaries(arguments: &Arguments, report: &mut Report) -> Result<()> {
    for (section, tool) in [
        (Section::Instructions, Tool::Callgrind),
        (Section::Processor, Tool::Perf),
    ] {
        if arguments.want(section) {
            tool.check()?;
        }
    }
    let optimized = Options {
        optimized: true,
        ..Options::default()
    };
    let binaries = match &arguments.binary {
        Some(binary) => built_before(binary),
        None => local::build_binaries(&optimized, arguments.examples()).await?,
    };
    without_stack(arguments, &binaries, report).await?;
    on_a_stack(arguments, &binaries, report).await?;
    on_its_own_stack(arguments, report).await
}

/// What cargo has built, with the examples in the folder beside it.
fn built_before(binary: &Path) -> Binaries {
    let example = |name: &str| (name.to_owned(), binary.with_file_name("examples").join(name));
    Binaries {
        functions: binary.to_owned(),
        with_symbols: binary.to_owned(),
        examples: cold_start::EXAMPLES.map(example).into(),
    }
}

impl Arguments {
    fn want(&self, section: Section) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }

    /// The examples that are compared with functions.
    fn examples(&self) -> &[&'static str] {
        if self.want(Section::ColdStart) {
            &cold_start::EXAMPLES
        } else if self.want(Section::Instructions) || self.want(Section::Processor) {
            &[cold_start::HELLO]
        } else {
            &[]
        }
    }
}

async fn without_stack(arguments: &Arguments, binaries: &Binaries, report: &mut Report) -> Result<()> {
    let sizes = arguments.sizes;
    if arguments.want(Section::Deliver) {
        let bar = Bar::new("deliver");
        let measured = deliver::measure(binaries, sizes, report, &bar).await;
        measured.context("deliver")?;
    }
    if arguments.want(Section::Trickle) {
        let bar = Bar::new("trickle");
        let measured = trickle::measure(binaries, report, &bar).await;
        measured.context("trickle")?;
    }
    if arguments.want(Section::Instructions) {
        let bar = Bar::new("instructions");
        let measured = hot_path::measure(Tool::Callgrind, binaries, sizes, report, &bar).await;
        measured.context("instructions")?;
    }
    if arguments.want(Section::Processor) {
        let bar = Bar::new("processor");
        let measured = hot_path::measure(Tool::Perf, binaries, sizes, report, &bar).await;
        measured.context("processor")?;
    }
    if arguments.want(Section::Cost) {
        let bar = Bar::new("cost");
        let measured = cost::measure(binaries, sizes, report, &bar).await;
        measured.context("cost")?;
    }
    if arguments.want(Section::ColdStart) {
        let bar = Bar::new("cold start");
        let measured = cold_start::measure(binaries, sizes, report, &bar).await;
        measured.context("cold start")?;
    }
    if arguments.want(Section::Reads) {
        let bar = Bar::new("reads");
        let measured = reads::measure(binaries, sizes, report, &bar).await;
        measured.context("reads")?;
    }
    Ok(())
}

async fn on_a_stack(arguments: &Arguments, binaries: &Binaries, report: &mut Report) -> Result<()> {
    if !arguments.want(Section::EndToEnd) && !arguments.want(Section::Growth) {
        return Ok(());
    }
    let sizes = arguments.sizes;
    let stack = stack::start(&[]).await?;
    let client = stack::Client::new(&stack.state)?;
    if arguments.want(Section::EndToEnd) {
        let bar = Bar::new("end to end");
        let measured = end_to_end::measure(&client, sizes, report, &bar).await;
        measured.context("end to end")?;
    }
    if arguments.want(Section::Growth) {
        let bar = Bar::new("growth");
        let measured = growth::measure(&client, binaries, sizes, report, &bar).await;
        measured.context("growth")?;
    }
    stack.stop();
    Ok(())
}

async fn on_its_own_stack(arguments: &Arguments, report: &mut Report) -> Result<()> {
    if !arguments.want(Section::Isolation) {
        return Ok(());
    }
    let stack = isolation::start().await?;
    let bar = Bar::new("isolation");
    let measured = isolation::measure(&stack.state, report, &bar).await;
    measured.context("isolation")?;
    stack.stop();
    Ok(())
}

/// The machine that absolute figures depend on.
fn machine() -> serde_json::Value {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({ "processors": processors, "architecture": std::env::consts::ARCH })
}

fn write(report: &Report, folder: &Path) -> Result<()> {
    let (json, plot) = (folder.join("results.json"), folder.join("results.svg"));
    report.write(&json)?;
    chart::draw(report, &plot)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", report.table())?;
    writeln!(out, "{}\n{}", json.display(), plot.display())?;
    Ok(())
}
