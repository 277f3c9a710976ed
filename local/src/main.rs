//! `cargo local`: the product on this machine.

mod guide;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use local::{Options, Progress, Stack, StackState, demo, logs};
use tokio::signal::unix::{SignalKind, signal};

/// Runs template.yaml on this machine and shows an event arriving, signed. Ctrl-C ends it.
#[derive(Debug, Parser)]
#[command(name = "cargo local")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Overrides a template parameter; may be given several times.
    #[arg(long = "parameter", global = true, value_name = "KEY=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Keeps logs and local-stack.json in this folder; for a second stack beside the first.
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The emulator's port; a free one if left out.
    #[arg(long, global = true)]
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// The same without the demo; writes target/local-stack.json (or DIR/local-stack.json) when ready.
    Up,
    /// Checks template.yaml with the pinned SAM CLI and its linter.
    Validate,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = run(arguments) => outcome,
        () = interrupted() => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Never returns in a good run: what it has started ends when it is dropped.
async fn run(arguments: Arguments) -> Result<()> {
    let options = Options {
        parameters: arguments.parameters,
        state_dir: arguments.state_dir,
        port: arguments.port,
        ..Options::default()
    };
    if matches!(arguments.command, Some(Command::Validate)) {
        return local::validate(&options).await;
    }
    let stack = Stack::start(options).await?;
    let _demo = if arguments.command.is_none() {
        let demo = match demo::run(&stack.state, Progress::Shown).await {
            Ok(demo) => demo,
            Err(error) => return Err(explained(error, &stack.state).await),
        };
        say(&demo.report);
        Some(demo)
    } else {
        None
    };
    let announced = arguments.command.map(|_| stack.announce()).transpose()?;
    say(&guide::guide(&stack.state, announced));
    std::future::pending().await
}

/// The error with what the functions have to say about it.
async fn explained(error: anyhow::Error, state: &StackState) -> anyhow::Error {
    let complaints = logs::complaints(state).await.unwrap_or_default().join("\n");
    error.context(format!(
        "the demo failed\n{complaints}\nthe emulator's log: {}\n",
        state.log_file.display()
    ))
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
        _ = hang_up.recv() => (),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as Key=Value".to_owned()),
    }
}

/// Nobody is helped by failing because nobody reads.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "\n{text}");
}
