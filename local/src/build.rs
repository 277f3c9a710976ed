//! Builds the functions: all binaries in one go, then `sam build`, which finds each of them fresh and lays them out
//! for deployment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

use crate::layout;
use crate::lock;
use crate::options::{Options, architecture};
use crate::python;
use crate::supervise::Supervisor;
use crate::tools::{self, Tools};

/// Variables by which `cargo run` and `cargo test` tell this process about itself; a nested cargo, which has others
/// of its own, would see in them a reason to compile again.
const CARGO_OWN: [&str; 4] = [
    "CARGO",
    "LD_LIBRARY_PATH",
    "AWS_LC_SYS_NO_JITTER_ENTROPY",
    "RUST_RECURSION_COUNT",
];

/// Builds what `template.yaml` deploys into `built` and returns the built template. Two builds at once wait for each
/// other: both would write the same binaries.
pub(crate) async fn build(tools: &Tools, options: &Options, built: &Path, log: &Path) -> Result<PathBuf> {
    let mut step = options.progress.step("building the functions");
    let _lock = lock::wait_for(&layout::kept().join("build.lock"), &mut step).await?;
    Supervisor::run(compile(tools)?, log, &mut step)
        .await
        .context("building the functions failed; repair what the compiler complains about and repeat")?;
    step.done();
    let mut step = options.progress.step("laying out what is deployed");
    Supervisor::run(lay_out(tools, options, built), log, &mut step)
        .await
        .context("sam build failed; `sam validate --lint` says more about a mistake in template.yaml")?;
    step.done();
    Ok(built.join("template.yaml"))
}

/// Builds every function, and one example of theirs, exactly as a stack would. Returns the folder in which each has a
/// folder of its name, with the binary `bootstrap` in it.
///
/// # Errors
/// A tool is missing, or something does not compile.
pub async fn build_binaries(options: &Options, example: &str) -> Result<PathBuf> {
    let tools = tools::install(python::find()?, options.progress).await?;
    let mut step = options.progress.step("building the functions");
    let _lock = lock::wait_for(&layout::kept().join("build.lock"), &mut step).await?;
    let log = layout::kept().join("build.log");
    Supervisor::run(compile(&tools)?, &log, &mut step).await?;
    let mut command = cargo_lambda_build(&tools);
    command.args(["--package", "functions", "--example", example]);
    Supervisor::run(command, &log, &mut step).await?;
    step.done();
    Ok(layout::root().join("target/lambda"))
}

/// The same selection and flags as SAM's builds of single binaries, so that cargo has nothing left to do in those.
fn compile(tools: &Tools) -> Result<Command> {
    let mut command = cargo_lambda_build(tools);
    for binary in binaries(&fs::read_to_string(layout::root().join("template.yaml"))?)? {
        command.args(["--bin", &binary]);
    }
    Ok(command)
}

fn cargo_lambda_build(tools: &Tools) -> Command {
    let mut command = command(tools, &tools.sam_bin.join("cargo-lambda"));
    command.args(["lambda", "build", "--release"]);
    if architecture() == "arm64" {
        command.arg("--arm64");
    }
    command
}

fn lay_out(tools: &Tools, options: &Options, built: &Path) -> Command {
    let mut command = command(tools, &tools.sam_bin.join("sam"));
    command.args(["build", "--parallel", "--build-dir"]).arg(built);
    command.arg("--parameter-overrides");
    command.args(
        options
            .parameters()
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    command
}

fn command(tools: &Tools, program: &Path) -> Command {
    let mut command = tools.supervisor.command(program, &[]);
    command
        .current_dir(layout::root())
        .env("PATH", path_with(&tools.sam_bin));
    command.env("CARGO_LAMBDA_GLOBAL", layout::resource("cargo-lambda.toml"));
    command
        .env("SAM_CLI_TELEMETRY", "0")
        .env("__SAM_CLI_APP_DIR", layout::kept().join("sam"));
    for (name, _) in std::env::vars_os() {
        let known = name.to_string_lossy();
        if CARGO_OWN.contains(&known.as_ref())
            || known.starts_with("CARGO_PKG_")
            || known.starts_with("CARGO_MANIFEST_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The search path with the tools first.
fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

/// The binaries that the template's functions name.
fn binaries(template: &str) -> Result<Vec<String>> {
    let template: Value = serde_yaml_ng::from_str(template).context("template.yaml is not valid YAML")?;
    let resources = template["Resources"]
        .as_mapping()
        .context("template.yaml has no resources")?;
    let binary = |resource: &Value| {
        resource["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .map(str::to_owned)
    };
    Ok(resources.values().filter_map(binary).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_what_the_functions_name() {
        let template = "Resources:\n  Queue: {Type: Q, Arn: !GetAtt A.B}\n  \
                        F: {Metadata: {BuildProperties: {Binary: fan-out}}}\n";

        assert_eq!(binaries(template).unwrap(), ["fan-out"]);
    }
}
