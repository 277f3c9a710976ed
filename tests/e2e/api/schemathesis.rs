//! Schemathesis plays `openapi.yaml` against the stack, well and badly, with all of its checks.

use std::path::Path;
use std::process::Command;

use crate::support::{Workspace, stack};

/// Generated requests for each operation.
const MAX_EXAMPLES: &str = "100";

/// The same requests every time: what it finds, it finds again.
const SEED: &str = "20260607";

#[tokio::test]
async fn single_requests_reveal_no_fault() {
    play("examples,coverage,fuzzing").await;
}

#[tokio::test]
async fn chains_of_requests_reveal_no_fault() {
    play("stateful").await;
}

/// Operations that are played side by side: a deletion, say, waits before it answers.
const WORKERS: &str = "4";

/// In a workspace of its own, so that the limit of endpoints leaves room for what it creates.
async fn play(phases: &str) {
    let workspace = Workspace::new().await;
    let environment = local::install_for_test("schemathesis")
        .await
        .expect("Schemathesis is installed");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(environment.join("bin/schemathesis"));
    command.arg("--config-file").arg(tests.join("schemathesis.toml"));
    command.arg("run").arg(tests.join("../openapi.yaml"));
    command.args(["--url", &stack().api_url, "--phases", phases, "--checks", "all"]);
    command.args([
        "--max-examples",
        MAX_EXAMPLES,
        "--seed",
        SEED,
        "--continue-on-failure",
        "--no-color",
    ]);
    command.args(["--header", &format!("Authorization: Bearer {}", workspace.token)]);
    command.args(["--workers", WORKERS]);
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
