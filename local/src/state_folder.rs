//! The folder in which a stack keeps its logs and describes itself, used by one stack at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::layout;

/// The folder, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    description: PathBuf,
    _lock: File,
}

impl StateFolder {
    /// Takes the `given` folder, or the usual one.
    pub(crate) fn take(given: Option<&Path>) -> Result<Self> {
        let path = given.map_or_else(|| layout::kept().join("stack"), Path::to_owned);
        let description = description(given);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = File::create(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                description,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => bail!(
                "a local stack is already running in {}\nend it, or run a second one in another folder: --state-dir DIR",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).context("locking the state folder"),
        }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that describes the running stack.
    pub(crate) fn description(&self) -> &Path {
        &self.description
    }

    /// The emulator's log of the latest run.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.path.join("emulator.log")
    }
}

/// The file that describes the stack with the `given` folder, or with the usual one.
pub(crate) fn description(given: Option<&Path>) -> PathBuf {
    match given {
        Some(path) => path.join("local-stack.json"),
        None => layout::root().join("target/local-stack.json"),
    }
}
