//! Checks the templates with the pinned SAM CLI and its linter, without starting anything.

use anyhow::{Context, Result};

use crate::layout;
use crate::options::Options;
use crate::python;
use crate::supervise::Supervisor;
use crate::tools;

const TEMPLATES: [&str; 2] = ["template.yaml", "deploy/domain.yaml"];

/// Runs `sam validate --lint` on each template.
///
/// # Errors
/// Python or the tools are missing, or a template has a mistake; the error shows what SAM says.
pub async fn validate(options: &Options) -> Result<()> {
    let tools = tools::install(python::find()?, options.progress).await?;
    for template in TEMPLATES {
        let mut step = options.progress.step(&format!("validating {template}"));
        let mut command = tools.sam();
        command
            .args([
                "validate",
                "--lint",
                "--region",
                "us-east-1",
                "--template",
                template,
            ])
            .current_dir(layout::root());
        let log = layout::kept().join("validate.log");
        Supervisor::run(command, &log, &mut step)
            .await
            .with_context(|| format!("{template} has mistakes"))?;
        step.done();
    }
    Ok(())
}
