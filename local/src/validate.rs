//! Checks `template.yaml` with the pinned SAM CLI and its linter, without starting anything.

use anyhow::{Context, Result};

use crate::layout;
use crate::options::Options;
use crate::python;
use crate::supervise::Supervisor;
use crate::tools;

/// Runs `sam validate --lint`.
///
/// # Errors
/// Python or the tools are missing, or the template has a mistake; the error shows what SAM says.
pub async fn validate(options: &Options) -> Result<()> {
    let tools = tools::install(python::find()?, options.progress).await?;
    let mut step = options.progress.step("validating template.yaml");
    let mut command = tools.sam();
    command
        .args(["validate", "--lint", "--region", "us-east-1"])
        .current_dir(layout::root());
    let log = layout::kept().join("validate.log");
    Supervisor::run(command, &log, &mut step)
        .await
        .context("template.yaml has mistakes")?;
    step.done();
    Ok(())
}
