//! The AWS emulator: one process on one port of 127.0.0.1, with IAM enforced.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::clients::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::layout;
use crate::options::Options;
use crate::supervise::{Supervised, Supervisor};
use crate::tools::Tools;

const START_DEADLINE: Duration = Duration::from_mins(1);
/// Threads on which the emulator waits for functions. Its default of 64 is fewer than the template's
/// concurrent batches together, so functions that wait for a slow endpoint would hold up the API.
const WORKER_THREADS: &str = "256";

/// A running emulator; ends when dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    supervised: Supervised,
    /// Its AWS endpoint.
    pub(crate) url: String,
    /// Its log.
    pub(crate) log_file: PathBuf,
    /// Where it keeps files, including one with its process id.
    temporary: PathBuf,
    port: u16,
}

impl Emulator {
    /// Starts it with its files in `folder`. `removals` are deleted when it ends, however it ends.
    pub(crate) async fn start(
        tools: &Tools,
        options: &Options,
        folder: &Path,
        log_file: &Path,
        removals: &[&Path],
    ) -> Result<Self> {
        let step = options.progress.step("starting the emulator");
        let port = port(options)?;
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary)?;
        let log = File::create(log_file).with_context(|| format!("writing {}", log_file.display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut command = tools.supervisor.command(&tools.emulator_python, removals);
        command.arg("-B").arg(layout::resource("python/emulator"));
        command.current_dir(folder);
        command.stdout(log.try_clone()?).stderr(log);
        command.env_clear().envs(environment(&url, port, options, folder));
        let supervised = Supervisor::start(command)?;
        let mut emulator = Self {
            supervised,
            url,
            log_file: log_file.to_owned(),
            temporary,
            port,
        };
        emulator.wait_until_ready().await?;
        step.done();
        Ok(emulator)
    }

    /// The emulator's own process, whose children are the functions.
    pub(crate) fn pid(&self) -> Option<u32> {
        let file = self.temporary.join(format!("ministack-{}.pid", self.port));
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// Ends it and the functions, and deletes its files; returns when that is done.
    pub(crate) fn stop(&mut self) {
        self.supervised.stop();
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        let health = format!("{}/_ministack/health", self.url);
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()?;
        while Instant::now() < deadline {
            if client
                .get(&health)
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return Ok(());
            }
            if self.supervised.has_ended() {
                bail!(
                    "the emulator ended at once; its log, {}, says why",
                    self.log_file.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!(
            "the emulator did not start within {START_DEADLINE:?}; its log is {}",
            self.log_file.display()
        )
    }
}

/// A port that is free now. Nothing reserves it, but the system hands out other ports first.
fn port(options: &Options) -> Result<u16> {
    let wanted = options.port.unwrap_or_default();
    let listener = TcpListener::bind(("127.0.0.1", wanted)).with_context(|| {
        format!("port {wanted} is taken; end what listens there, or leave out --port to use a free one")
    })?;
    Ok(listener.local_addr()?.port())
}

/// The whole environment of the emulator and, through it, of the functions: nothing of this machine's AWS settings,
/// proxies or secrets gets in.
fn environment(url: &str, port: u16, options: &Options, folder: &Path) -> Vec<(&'static str, String)> {
    let path = |name: &str| folder.join(name).display().to_string();
    let function_endpoint = options
        .function_endpoint
        .clone()
        .unwrap_or_else(|| url.to_owned());
    vec![
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("TMPDIR", path("tmp")),
        ("HOME", path("tmp")),
        ("STATE_DIR", path("state")),
        ("S3_DATA_DIR", path("s3")),
        ("GATEWAY_PORT", port.to_string()),
        ("BIND_HOST", "127.0.0.1".to_owned()),
        // What queue urls begin with; `localhost` may first be tried as ::1.
        ("MINISTACK_HOST", "127.0.0.1".to_owned()),
        ("MINISTACK_REGION", REGION.to_owned()),
        ("MINISTACK_WORKER_THREADS", WORKER_THREADS.to_owned()),
        ("AUTH", "true".to_owned()),
        ("IOT_MTLS_ENABLED", "0".to_owned()),
        ("CLOUDTRAIL_RECORDING", "0".to_owned()),
        ("AWS_ENDPOINT_URL", function_endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
    ]
}
