//! The pinned tools, in private virtual environments that are made when missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use sha2::{Digest, Sha256};

use crate::layout;
use crate::lock;
use crate::progress::Progress;
use crate::python;
use crate::supervise::Supervisor;

/// Written last, so an environment without it is one whose installation was interrupted.
const COMPLETE: &str = "complete";

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
    let installations = names.map(|name| environment(&supervisor, &folder, name, progress));
    let mut paths = [const { PathBuf::new() }; N];
    for (path, installed) in paths.iter_mut().zip(try_join_all(installations).await?) {
        *path = installed;
    }
    Ok((supervisor, paths))
}

async fn environment(
    supervisor: &Supervisor,
    folder: &Path,
    name: &str,
    progress: Progress,
) -> Result<PathBuf> {
    let requirements = layout::resource(&format!("requirements/{name}.txt"));
    let path = folder.join(format!("{name}-{}", key(&requirements, &supervisor.python)?));
    if path.join(COMPLETE).exists() {
        return Ok(path);
    }
    if path.exists() {
        fs::remove_dir_all(&path)?;
    }
    // Each has temporary files of its own, which go when its installation ends.
    let supervisor = Supervisor {
        temporary: supervisor.temporary.join(name),
        ..supervisor.clone()
    };
    let mut step = progress.step(&format!(
        "installing the pinned tools: {name} (only the first time)"
    ));
    let log = folder.join(format!("{name}.log"));
    let mut create = supervisor.command(&supervisor.python, &[]);
    create.args(["-m", "venv"]).arg(&path);
    Supervisor::run(create, &log, &mut step).await.context(
        "making a virtual environment failed; on Debian and Ubuntu, install python3-venv for this Python",
    )?;
    let mut install = supervisor.command(&path.join("bin/python"), &[]);
    pip_install(&mut install, &requirements);
    Supervisor::run(install, &log, &mut step).await.context(
        "installing the pinned tools from PyPI failed; check the network and pip's settings, then repeat",
    )?;
    fs::write(path.join(COMPLETE), "")?;
    step.done();
    Ok(path)
}

/// Everything is pinned, so there is nothing to resolve.
fn pip_install(command: &mut Command, requirements: &Path) {
    command.args([
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    command.arg(requirements);
}

/// Names an environment: another list of packages or another Python makes another one.
fn key(requirements: &Path, python: &Path) -> Result<String> {
    let text = fs::read(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let digest = Sha256::new()
        .chain_update(text)
        .chain_update(python.as_os_str().as_encoded_bytes())
        .finalize();
    let prefix: [u8; 8] = digest[..8].try_into()?;
    Ok(format!("{:016x}", u64::from_be_bytes(prefix)))
}
