//! The tools that say what a program does.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use tokio::process::Command;

use super::{Profile, callgrind, perf};
use crate::sizes::Sizes;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Instructions, on a simulated processor: the same each time, and without the kernel's.
    Callgrind,
    /// Nanoseconds on this machine's processor, sampled, including the kernel's for this program.
    Perf,
}

impl Tool {
    /// The name of the section that it measures.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Callgrind => "instructions",
            Self::Perf => "processor",
        }
    }

    /// The unit of its figures: a thousand of what it counts.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Callgrind => "k instructions",
            Self::Perf => "µs",
        }
    }

    /// How many batches are counted.
    pub(crate) fn batches(self, sizes: Sizes) -> usize {
        let times = match self {
            Self::Callgrind => 1,
            Self::Perf => perf::TIMES_AS_MANY_BATCHES,
        };
        sizes.batches.max(1) * times
    }

    /// How many starts are counted.
    pub(crate) fn starts(self, sizes: Sizes) -> usize {
        match self {
            Self::Callgrind => 1,
            Self::Perf => sizes.starts.max(1),
        }
    }

    /// Ensures that it can be used.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Callgrind => ensure!(
                callgrind::is_installed(),
                "valgrind is missing, which counts the instructions; your system's packages have it (`apt install valgrind`)"
            ),
            Self::Perf => ensure!(
                perf::may_sample(),
                "perf can't sample the processor and the kernel; install it (`apt install linux-perf`), and be root or allow it (`sysctl kernel.perf_event_paranoid=1`)"
            ),
        }
        Ok(())
    }

    /// The file in a folder for what is counted of a program.
    pub(crate) fn file(self, folder: &Path, name: &str) -> PathBuf {
        folder.join(match self {
            Self::Callgrind => format!("callgrind.{name}.out"),
            Self::Perf => format!("perf.{name}.data"),
        })
    }

    /// A command that runs a binary and counts, and writes what it counted to a file when it ends. What was in the file is
    /// gone.
    pub(crate) fn counting(self, binary: &Path, into: &Path) -> Result<Command> {
        if into.exists() {
            std::fs::remove_file(into)?;
        }
        Ok(match self {
            Self::Callgrind => callgrind::counting(binary, into),
            Self::Perf => perf::sampling(binary, into),
        })
    }

    /// Reads what was counted.
    pub(crate) async fn read(self, path: &Path) -> Result<Profile> {
        let functions = match self {
            Self::Callgrind => callgrind::read(path)?,
            Self::Perf => perf::read(path).await?,
        };
        ensure!(!functions.is_empty(), "{} counts nothing", path.display());
        Ok(Profile(functions))
    }
}
