//! The pinned tools, in private virtual environments that are made when missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use sha2::{Digest, Sha256};

use crate::layout;
use crate::lock;
use crate::progress::{Progress, Step};
use crate::python;
use crate::supervise::Supervisor;

/// Written last, so an environment without it is one whose installation was interrupted.
const COMPLETE: &str = "complete";
/// The environment that installs into the others. To give each its own takes longer than to install what some of them need.
const PIP: &str = "pip";

/// The tools that are needed in addition to Rust and Python.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// Starts them.
    pub(crate) supervisor: Supervisor,
    /// The folder with `sam` and `cargo-lambda`.
    pub(crate) sam_bin: PathBuf,
    /// The Python that has the emulator and boto3.
    pub(crate) emulator_python: PathBuf,
}

impl Tools {
    /// The SAM CLI, without telemetry and with its own files kept in this checkout.
    pub(crate) fn sam(&self) -> Command {
        self.with_sam(&self.sam_bin.join("sam"))
    }

    /// The SAM CLI, or a program that runs it.
    pub(crate) fn with_sam(&self, program: &Path) -> Command {
        let mut command = self.supervisor.command(program, &[]);
        command
            .env("SAM_CLI_TELEMETRY", "0")
            .env("__SAM_CLI_APP_DIR", layout::kept().join("sam"));
        command
    }
}

/// Installs what is missing. Two installations at once wait for each other.
pub(crate) async fn install(python: PathBuf, progress: Progress) -> Result<Tools> {
    let (supervisor, [sam, emulator]) = environments(python, ["sam", "emulator"], progress).await?;
    Ok(Tools {
        supervisor,
        sam_bin: sam.join("bin"),
        emulator_python: emulator.join("bin/python"),
    })
}

/// Installs what `requirements/{name}.txt` pins, for a test, and returns the virtual environment that has it.
pub async fn install_for_test(name: &str) -> Result<PathBuf> {
    let (_, [environment]) = environments(python::find()?, [name], Progress::default()).await?;
    Ok(environment)
}

async fn environments<const N: usize>(
    python: PathBuf,
    names: [&str; N],
    progress: Progress,
) -> Result<(Supervisor, [PathBuf; N])> {
    let folder = layout::kept().join("tools");
    let temporary = folder.join("tmp");
    let supervisor = Supervisor { python, temporary };
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut step = progress.step("looking for the pinned tools");
    let _lock = lock::wait_for(&folder.join("lock"), &mut step).await?;
    step.done();
    let environments = names.map(|name| Environment::find(&supervisor, &folder, name));
    let mut paths = [const { PathBuf::new() }; N];
    let mut missing = Vec::new();
    for (path, environment) in paths.iter_mut().zip(environments) {
        let environment = environment?;
        path.clone_from(&environment.path);
        if !environment.is_complete() {
            missing.push(environment);
        }
    }
    if !missing.is_empty() {
        let pip = pip(&supervisor, &folder, progress).await?;
        try_join_all(
            missing
                .iter()
                .map(|environment| environment.install(&pip, progress)),
        )
        .await?;
    }
    Ok((supervisor, paths))
}

/// Makes the environment that installs into others, if it is missing, and returns the folder of its modules.
async fn pip(supervisor: &Supervisor, folder: &Path, progress: Progress) -> Result<PathBuf> {
    let environment = Environment::find(supervisor, folder, PIP)?;
    if !environment.is_complete() {
        let mut step = progress.step("preparing the installation of tools (only the first time)");
        environment.create(&[], &mut step).await?;
        environment.fill(None, &mut step).await?;
        step.done();
    }
    let modules = environment.path.join("lib");
    let version = fs::read_dir(&modules)?
        .next()
        .context("a virtual environment has modules")??;
    Ok(modules.join(version.file_name()).join("site-packages"))
}

/// A virtual environment, there or not.
#[derive(Debug)]
struct Environment<'a> {
    name: &'a str,
    path: PathBuf,
    log: PathBuf,
    /// Has temporary files of its own, which go when a command ends.
    supervisor: Supervisor,
}

impl<'a> Environment<'a> {
    /// The one that has what `requirements/{name}.txt` pins. Another list of packages or another Python makes another one,
    /// also one that came in the place of an older.
    fn find(supervisor: &Supervisor, folder: &Path, name: &'a str) -> Result<Self> {
        let path = requirements(name);
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let python = fs::canonicalize(&supervisor.python).unwrap_or_else(|_| supervisor.python.clone());
        let digest = Sha256::new()
            .chain_update(text)
            .chain_update(python.as_os_str().as_encoded_bytes())
            .finalize();
        let key = digest
            .iter()
            .take(8)
            .fold(0_u64, |key, byte| (key << 8) | u64::from(*byte));
        Ok(Self {
            name,
            path: folder.join(format!("{name}-{key:016x}")),
            log: folder.join(format!("{name}.log")),
            supervisor: Supervisor {
                temporary: supervisor.temporary.join(name),
                ..supervisor.clone()
            },
        })
    }

    fn is_complete(&self) -> bool {
        self.path.join(COMPLETE).exists()
    }

    /// Makes it, in the place of one whose installation was interrupted.
    async fn create(&self, options: &[&str], step: &mut Step) -> Result<()> {
        if self.path.exists() {
            fs::remove_dir_all(&self.path)?;
        }
        let mut create = self.supervisor.command(&self.supervisor.python, &[]);
        create.args(["-m", "venv"]).args(options).arg(&self.path);
        Supervisor::run(create, &self.log, step).await.context(
            "making a virtual environment failed; on Debian and Ubuntu, install python3-venv for this Python",
        )
    }

    /// Makes it without a pip of its own and installs what is pinned, with the modules in `pip`.
    async fn install(&self, pip: &Path, progress: Progress) -> Result<()> {
        let mut step = progress.step(&format!(
            "installing the pinned tools: {} (only the first time)",
            self.name
        ));
        self.create(&["--without-pip"], &mut step).await?;
        self.fill(Some(pip), &mut step).await?;
        step.done();
        Ok(())
    }

    /// Installs what is pinned, with the modules in `pip` or with its own, and marks it as complete.
    async fn fill(&self, pip: Option<&Path>, step: &mut Step) -> Result<()> {
        let mut install = self.supervisor.command(&self.path.join("bin/python"), &[]);
        if let Some(pip) = pip {
            install.env("PYTHONPATH", pip);
        }
        install.args(["-m", "pip", "install"]);
        install.args(["--no-input", "--disable-pip-version-check"]);
        // Everything is pinned, so there is nothing to resolve.
        install
            .args(["--no-deps", "--requirement"])
            .arg(requirements(self.name));
        Supervisor::run(install, &self.log, step).await.context(
            "installing the pinned tools from PyPI failed; check the network and pip's settings, then repeat",
        )?;
        Ok(fs::write(self.path.join(COMPLETE), "")?)
    }
}

fn requirements(name: &str) -> PathBuf {
    layout::resource(&format!("requirements/{name}.txt"))
}
