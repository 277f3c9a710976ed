//! Deploys the built template to the emulator, as `sam deploy` would to AWS.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::clients::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::layout;
use crate::options::Options;
use crate::supervise::Supervisor;
use crate::tools::Tools;

/// Seconds between looks at the deployment's progress; unlike AWS, the emulator does not throttle them.
pub(crate) const POLL_SECONDS: &str = "0.3";

/// Deploys `template` and returns when the stack is complete.
pub(crate) async fn deploy(
    tools: &Tools,
    options: &Options,
    template: &Path,
    url: &str,
    log: &Path,
) -> Result<()> {
    let mut step = options.progress.step("deploying template.yaml to the emulator");
    let packed = build::pack(tools, template, log, &mut step).await?;
    let mut command = tools.sam();
    command.arg("deploy").arg("--template-file").arg(packed);
    command
        .arg("--config-file")
        .arg(layout::root().join("samconfig.toml"));
    command.args([
        "--stack-name",
        options.stack_name(),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-progressbar",
    ]);
    command.args([
        "--capabilities",
        "CAPABILITY_IAM",
        "--on-failure",
        "DO_NOTHING",
        "--parameter-overrides",
    ]);
    command.args(options.overrides());
    command.env("SAM_CLI_POLL_DELAY", POLL_SECONDS);
    point_at_emulator(&mut command, url);
    Supervisor::run(command, log, &mut step)
        .await
        .context("sam deploy failed")?;
    step.done();
    Ok(())
}

/// Makes an AWS client talk to the emulator, whatever this machine's own AWS settings are.
pub(crate) fn point_at_emulator(command: &mut Command, url: &str) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(&name);
        }
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_ENDPOINT_URL", url).env("NO_PROXY", "127.0.0.1");
    command
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION);
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
}
