//! `sam local` against a suite's stack, on machines that have Docker and the image.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use local::{SamLocal, new_id};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::{SuiteStack, eventually};

/// An engine that takes longer to say what it has does not answer at all.
const ENGINE_PATIENCE: Duration = Duration::from_secs(5);
/// Lambda's image, without the architecture that ends its tag.
const IMAGE: &str = "public.ecr.aws/lambda/provided:al2023";

/// The pinned SAM CLI, with a Docker network of its own that leads to a stack.
pub struct Sam {
    program: PathBuf,
    folder: TempDir,
    stack: SamLocal,
    _network: Network,
}

/// One of SAM's servers; ends with its containers when dropped.
pub struct Server {
    /// Where it listens.
    pub url: String,
    child: Child,
    log: PathBuf,
}

impl Sam {
    /// SAM, or `None` if this machine can't run it, which is printed with the reason.
    pub async fn for_stack(stack: &'static SuiteStack, test: &str) -> Option<Self> {
        if let Err(reason) = engine_with_image().await {
            // The macros' output is shown only for tests that fail.
            let _ = writeln!(std::io::stderr(), "{test}: not run, because {reason}");
            return None;
        }
        let environment = local::install_for_test("sam").await.expect("SAM is installed");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let network = Network::create();
        let stack = SamLocal::open(stack, &network.0, folder.path()).await;
        let stack = stack.expect("the files for SAM are written");
        assert_eq!(stack.unreachable, None);
        Some(Self {
            program: environment.join("bin/sam"),
            folder,
            stack,
            _network: network,
        })
    }

    /// Invokes a function by its name in the template, in a container, and returns its answer.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let file = self.folder.path().join(format!("{function}.json"));
        fs::write(&file, event.to_string()).expect("the event is written");
        let mut command = self.command("invoke");
        command.arg(function).arg("--event").arg(file);
        let output = run(command).await;
        let answer = serde_json::from_slice(&output.stdout);
        answer.unwrap_or_else(|error| panic!("{function}: {error} in {}", text(&output)))
    }

    /// Starts one of the servers, `start-api` or `start-lambda`, and returns when it listens.
    pub async fn serve(&self, server: &str) -> Server {
        let port = free_port();
        let log = self.folder.path().join(format!("{server}.log"));
        let output = File::create(&log).expect("a log");
        let mut command = self.command(server);
        command.args(["--port", &port.to_string()]);
        command
            .stdout(output.try_clone().expect("the log"))
            .stderr(output);
        let child = command.spawn().expect("SAM starts");
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Server { url, child, log };
        eventually("SAM listens", async || server.listens(port).await.then_some(())).await;
        server
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["local", name, "--config-file"]);
        command.arg(&self.stack.config);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command
            .env("SAM_CLI_TELEMETRY", "0")
            .env("NO_PROXY", "127.0.0.1,localhost");
        command.env("__SAM_CLI_APP_DIR", self.folder.path().join("sam"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }
}

impl Server {
    async fn listens(&mut self, port: u16) -> bool {
        if let Ok(Some(status)) = self.child.try_wait() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            panic!("SAM ended with {status}: {log}");
        }
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
    }
}

impl Drop for Server {
    /// By SIGTERM, at which SAM removes its containers.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A network that nobody else uses; removed when dropped.
struct Network(String);

impl Network {
    fn create() -> Self {
        let name = new_id("serverless-webhooks-test-");
        docker(&["network", "create", &name]);
        Self(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        docker(&["network", "rm", &self.0]);
    }
}

fn docker(arguments: &[&str]) {
    let output = Command::new("docker").args(arguments).output();
    let output = output.expect("Docker answered before");
    // While a test fails, this would abort all others.
    assert!(
        output.status.success() || std::thread::panicking(),
        "{}",
        text(&output)
    );
}

/// Whether an engine answers and has Lambda's image. An error is the reason to print.
async fn engine_with_image() -> Result<(), String> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let image = format!("{IMAGE}-{architecture}");
    let mut command = tokio::process::Command::new("docker");
    command.args(["image", "inspect", &image]).stdin(Stdio::null());
    let asked = timeout(ENGINE_PATIENCE, command.kill_on_drop(true).output()).await;
    let output = asked
        .map_err(|_| "Docker does not answer".to_owned())?
        .map_err(|_| "there is no command docker".to_owned())?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim().lines().last().unwrap_or_default();
    if complaint.to_lowercase().contains("no such image") {
        return Err(format!("Docker has no image {image}"));
    }
    Err(complaint.to_owned())
}

async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.expect("it is waited for").expect("SAM starts")
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
