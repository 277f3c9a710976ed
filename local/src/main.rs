//! `cargo local`: the product on this machine.

mod arguments;
mod guide;
mod receive;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use local::{Options, Progress, Stack, StackState, demo, logs};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Command, StackArguments, TokenArguments};
use crate::guide::{Targets, guide};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = run(arguments) => outcome,
        () = interrupted() => {
            say("Ended.");
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        None => show(arguments.stack).await,
        Some(Command::Up(stack)) => up(stack).await,
        Some(Command::Receive(arguments)) => receive::run(arguments).await,
        Some(Command::Token(arguments)) => issue_token(arguments).await,
        Some(Command::Validate) => local::validate(&Options::default()).await,
    }
}

/// Starts a stack, runs the demo and stays up. Returns only with an error: what it has started ends when dropped.
async fn show(arguments: StackArguments) -> Result<()> {
    ensure!(
        arguments.allow_local_targets(),
        "the demo needs an endpoint on this machine, which AllowInsecureTargets=false forbids; \
         leave the demo out: cargo local up"
    );
    let mut stack = Stack::start(arguments.into()).await?;
    let demo = match demo::run(&stack.state, Progress::Shown).await {
        Ok(demo) => demo,
        Err(error) => return Err(explained(error, &stack.state).await),
    };
    say(&demo.report);
    stay_up(&mut stack, Targets::Anywhere).await
}

/// Starts a stack and stays up.
async fn up(arguments: StackArguments) -> Result<()> {
    let targets = if arguments.allow_local_targets() {
        Targets::Anywhere
    } else {
        Targets::Public
    };
    let mut stack = Stack::start(arguments.into()).await?;
    stay_up(&mut stack, targets).await
}

async fn stay_up(stack: &mut Stack, targets: Targets) -> Result<()> {
    let state = stack.state.clone();
    let (description, sam_local) = stack.announce().await?;
    say(&guide(&state, description, sam_local, targets));
    std::future::pending().await
}

/// Prints the token alone on standard output, for use in scripts.
async fn issue_token(arguments: TokenArguments) -> Result<()> {
    let state = StackState::of_running(arguments.state_dir.as_deref())?;
    let request = arguments.request(&state.workspace_id);
    let issued = request.issue(&state).await?;
    let _ = writeln!(
        std::io::stderr(),
        "A token for {}; its token_id, which revokes it, is {}",
        request.workspace_id,
        issued.token_id
    );
    writeln!(std::io::stdout(), "{}", issued.token)?;
    Ok(())
}

/// The error with what the functions have logged about it.
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

/// Prints a text for people. That nobody reads it is not a reason to fail.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "\n{text}");
}
