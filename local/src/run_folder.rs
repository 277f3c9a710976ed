//! The folder of one run, with its build and the emulator's files. Deleted when the run ends.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A folder of its own for this run, in `parent`.
pub(crate) fn create(parent: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(parent)
        .with_context(|| format!("writing in {}", parent.display()))
}
