//! What somebody has who deploys by the documents: a checkout, the pinned tools, and an account with nothing in it, which
//! is an emulator here. For the tests that run the documented commands.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::deploy::{POLL_SECONDS, point_at_emulator};
use crate::emulator::Emulator;
use crate::options::{Options, architecture};
use crate::supervise::Supervisor;
use crate::tools::Tools;
use crate::{build, layout, lock, python, run_folder, tools};

/// What the commands of one deployer leave in the checkout, and the file that they may change.
const OWN: [&str; 5] = [".aws-sam", ".git", ".venv", "samconfig.toml", "target"];

/// Somebody who deploys. What was started ends when this is dropped.
#[derive(Debug)]
pub struct Deployer {
    options: Options,
    tools: Tools,
    /// The access key that the commands use, if it is not the account's own.
    key: Option<(String, String)>,
    checkout: PathBuf,
    log: PathBuf,
    // Dropped in this order: first what runs, then where it ran.
    emulator: Emulator,
    _run: TempDir,
}

impl Deployer {
    /// Starts an emulator, with its files in `folder`, and lays out a checkout with `samconfig.toml` as it comes, but for
    /// the processor, which is this machine's.
    ///
    /// # Errors
    /// A tool is missing, or the emulator does not start.
    pub async fn start(folder: &Path) -> Result<Self> {
        let options = Options::default();
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let mut tools = tools::install(python::find()?, options.progress).await?;
        let run = run_folder::create(&folder)?;
        tools.supervisor.temporary = run.path().join("tools");
        let log = folder.join("emulator.log");
        let emulator = Emulator::start(&tools, &options, run.path(), &log, &[run.path()]).await?;
        Ok(Self {
            checkout: check_out(run.path())?,
            log: folder.join("command.log"),
            key: None,
            options,
            tools,
            emulator,
            _run: run,
        })
    }

    /// From now on the commands use this access key.
    pub fn use_key(&mut self, id: &str, secret: &str) {
        self.key = Some((id.to_owned(), secret.to_owned()));
    }

    /// The Python that has boto3.
    #[must_use]
    pub fn python(&self) -> &Path {
        &self.tools.emulator_python
    }

    /// Runs a line of shell in the checkout and returns what it printed. Standard input is empty, so whatever asks a
    /// question fails. What `sam build` has built is packed once for all functions, so that deploying it takes seconds.
    ///
    /// # Errors
    /// The line failed; the error shows the end of what it printed.
    pub async fn run(&self, line: &str) -> Result<String> {
        let mut step = self.options.progress.step(line);
        // Whoever builds in the checkouts of this one writes the same binary.
        let _lock = if line.starts_with("sam build") {
            Some(lock::wait_for(&layout::kept().join("build.lock"), &mut step).await?)
        } else {
            None
        };
        Supervisor::run(self.command(line), &self.log, &mut step)
            .await
            .with_context(|| format!("`{line}` failed"))?;
        let printed = fs::read_to_string(&self.log).context("reading what the command printed")?;
        if line.starts_with("sam build") {
            let built = self.checkout.join(".aws-sam/build/template.yaml");
            let packed = build::pack(&self.tools, &built, &self.log, &mut step).await?;
            fs::rename(packed, built).context("replacing the built template")?;
        }
        step.done();
        Ok(printed)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.tools.with_sam(Path::new("sh"));
        command.args(["-c", line]);
        build::prepare(&mut command, &self.tools, &self.options);
        point_at_emulator(&mut command, &self.emulator.url);
        if let Some((id, secret)) = &self.key {
            command
                .env("AWS_ACCESS_KEY_ID", id)
                .env("AWS_SECRET_ACCESS_KEY", secret);
        }
        command
            .env("SAM_CLI_POLL_DELAY", POLL_SECONDS)
            .current_dir(&self.checkout);
        command
    }
}

/// A checkout in `folder` that shares this one's folders, but has a `.aws-sam` and a `samconfig.toml` of its own.
fn check_out(folder: &Path) -> Result<PathBuf> {
    let checkout = folder.join("checkout");
    fs::create_dir(&checkout)?;
    for entry in fs::read_dir(layout::root())? {
        let entry = entry?;
        let copy = checkout.join(entry.file_name());
        if OWN.contains(&entry.file_name().to_string_lossy().as_ref()) {
            continue;
        }
        // SAM follows a link to the template, and would then look for the sources beside the file that it leads to.
        if entry.file_type()?.is_dir() {
            symlink(entry.path(), copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    let config = fs::read_to_string(layout::root().join("samconfig.toml"))?;
    fs::write(checkout.join("samconfig.toml"), for_this_machine(&config)?)?;
    Ok(checkout)
}

/// `samconfig.toml` with the line that `docs/deploying.md` has for another processor.
fn for_this_machine(config: &str) -> Result<String> {
    let (before, after) = config
        .split_once("[default.global.parameters]\n")
        .context("samconfig.toml has no [default.global.parameters]")?;
    let overrides = format!("parameter_overrides = [\"Architecture={}\"]", architecture());
    Ok(format!(
        "{before}[default.global.parameters]\n{overrides}\n{after}"
    ))
}
