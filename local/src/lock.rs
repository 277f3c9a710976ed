//! Locks between processes, released by the system whatever happens to their holder.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::progress::Step;

const RETRY: Duration = Duration::from_millis(100);

/// Takes the lock at `path`, waiting for whoever has it. Does not block the thread, so Ctrl-C still works.
pub(crate) async fn wait_for(path: &Path, step: &mut Step) -> Result<File> {
    let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => step.note("waiting for another local stack to finish this"),
            Err(TryLockError::Error(error)) => return Err(error).context("locking"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
