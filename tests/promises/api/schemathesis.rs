//! Schemathesis plays `openapi.yaml` against the stack, well and badly, with all of its checks.

use std::process::Command;

use tests::settings::setting;
use tests::{SuiteStack, Workspace, repository};
use tokio::sync::Mutex;

use crate::promises::STACK;

/// Generated requests for each operation, unless `SCHEMATHESIS_EXAMPLES` says otherwise.
const EXAMPLES: u32 = 20;

/// The same requests every time: what it finds, it finds again.
const SEED: &str = "20260607";

#[tokio::test]
async fn single_requests_that_read_reveal_no_fault() {
    play(SINGLE, &["GET"]).await;
}

#[tokio::test]
async fn single_requests_that_create_reveal_no_fault() {
    play(SINGLE, &["POST"]).await;
}

#[tokio::test]
async fn single_requests_that_change_reveal_no_fault() {
    play(SINGLE, &["PATCH", "DELETE"]).await;
}

#[tokio::test]
async fn chains_of_requests_reveal_no_fault() {
    play("stateful", &["GET", "POST", "PATCH", "DELETE"]).await;
}

/// The phases that need no earlier answer.
const SINGLE: &str = "examples,coverage,fuzzing";

/// A process each plays its share; with several threads in one, `CPython` 3.11 fails at times to parse what it is given.
const WORKERS: &str = "1";

/// One at a time: each asks as fast as it is answered.
static PLAYING: Mutex<()> = Mutex::const_new(());

/// In a workspace of its own, so that the limit of endpoints leaves room for what it creates.
async fn play(phases: &str, methods: &[&str]) {
    SuiteStack::begin_at_once();
    let _turn = PLAYING.lock().await;
    let workspace = Workspace::new(&STACK).await;
    let environment = local::install_for_test("schemathesis")
        .await
        .expect("Schemathesis is installed");
    let mut command = Command::new(environment.join("bin/schemathesis"));
    command
        .arg("--config-file")
        .arg(repository::path("tests/schemathesis.toml"));
    command.arg("run").arg(repository::path("openapi.yaml"));
    command.args(["--url", &STACK.api_url, "--phases", phases, "--checks", "all"]);
    command.args([
        "--max-examples",
        &setting("SCHEMATHESIS_EXAMPLES", EXAMPLES).to_string(),
        "--seed",
        SEED,
        "--continue-on-failure",
        // How long it takes to make up what it asks says how busy the machine is.
        "--suppress-health-check",
        "too_slow",
        "--no-color",
    ]);
    command.args(["--header", &format!("Authorization: Bearer {}", workspace.token)]);
    command.args(["--workers", WORKERS]);
    for method in methods {
        command.args(["--include-method", method]);
    }
    // Its data base of earlier examples would end up in the working directory.
    command.args(["--generation-database", "none"]);
    command.current_dir(environment).env("NO_PROXY", "127.0.0.1");

    let output = tokio::task::spawn_blocking(move || command.output()).await;

    let output = output.expect("it is waited for").expect("Schemathesis starts");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
