//! Builds the functions: first with cargo-lambda, whose progress can be shown, then with `sam build`, which finds
//! nothing left to compile and lays the functions out for deployment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_yaml_ng::Value;

use crate::layout;
use crate::lock;
use crate::options::{Options, architecture};
use crate::progress::Step;
use crate::python;
use crate::supervise::Supervisor;
use crate::template::Template;
use crate::tools::{self, Tools};

/// The package of the functions. Naming it keeps features that only the local stack or the tests need out of what is deployed.
const PACKAGE: &str = "functions";
/// The property of a function that names its folder.
const CODE: &str = "CodeUri";
/// The packed binary, beside that template.
const ARCHIVE: &str = "functions.zip";
/// The variable that names cargo-lambda's configuration.
const CONFIGURATION: &str = "CARGO_LAMBDA_GLOBAL";
/// Variables with which `cargo run` and `cargo test` describe themselves to this process. A nested cargo sets its own;
/// if it saw these, it would compile again.
const CARGO_OWN: [&str; 4] = [
    "CARGO",
    "LD_LIBRARY_PATH",
    "AWS_LC_SYS_NO_JITTER_ENTROPY",
    "RUST_RECURSION_COUNT",
];

/// What the benchmark runs, built exactly as a deployment is.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The one binary of all functions, which learns from `_HANDLER` which of them it is.
    pub functions: PathBuf,
    /// The same with the names of its functions.
    pub with_symbols: PathBuf,
    /// The examples that were asked for, by name.
    pub examples: BTreeMap<String, PathBuf>,
}

/// Builds what `template.yaml` deploys into `built` and returns the built template. Two builds at once wait for each
/// other, because both would write the same binary.
pub(crate) async fn build(tools: &Tools, options: &Options, built: &Path, log: &Path) -> Result<PathBuf> {
    let mut step = options.progress.step("building the functions");
    let _lock = lock::wait_for(&layout::kept().join("build.lock"), &mut step).await?;
    Supervisor::run(compile(tools, options, &Template::read()?), log, &mut step)
        .await
        .context("building the functions failed; fix what the compiler reports, then run this again")?;
    step.done();
    let mut step = options.progress.step("preparing the deployment");
    Supervisor::run(lay_out(tools, options, built), log, &mut step)
        .await
        .context("sam build failed; `cargo local validate` says more about a mistake in template.yaml")?;
    step.done();
    Ok(built.join("template.yaml"))
}

/// Packs the binary, and returns a template in which every function is that archive: `sam deploy` would pack it again for
/// each of them. It is JSON: SAM reads a template seven times, and each time 0.4 s faster than YAML.
pub(crate) async fn pack(tools: &Tools, built: &Path, log: &Path, step: &mut Step) -> Result<PathBuf> {
    the_binary(&Template::read()?)?;
    let mut template: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(built)?)?;
    let bootstrap = |folder: &str| built.with_file_name(folder).join("bootstrap");
    let folders = replace_by_archive(&mut template, |folder| bootstrap(folder).exists());
    let folder = folders.first().context("the built template has no function")?;
    let mut command = tools.supervisor.command(&tools.emulator_python, &[]);
    command.args(["-m", "zipfile", "--create"]);
    command.arg(built.with_file_name(ARCHIVE)).arg(bootstrap(folder));
    Supervisor::run(command, log, step)
        .await
        .context("packing the functions failed")?;
    let packed = built.with_file_name("packed.json");
    std::fs::write(&packed, serde_json::to_vec(&template)?)?;
    Ok(packed)
}

/// Makes what was built the archive, and returns the folders that it was before.
fn replace_by_archive(template: &mut Value, is_built: impl Fn(&str) -> bool) -> Vec<String> {
    let mut folders = Vec::new();
    let resources = template["Resources"].as_mapping_mut().into_iter().flatten();
    for (_, resource) in resources {
        let Some(code) = resource.get_mut("Properties").and_then(|of| of.get_mut(CODE)) else {
            continue;
        };
        if let Some(folder) = code.as_str().filter(|folder| is_built(folder)) {
            folders.push(folder.to_owned());
            *code = Value::from(ARCHIVE);
        }
    }
    folders
}

/// Builds the functions as `sam build` does for a deployment, which takes longer than the build for a local stack: the
/// whole program is optimized at its link. So are the examples of their package that are asked for.
///
/// # Errors
/// A tool is missing, something does not compile, or the template names more than one binary.
pub async fn build_binaries(options: &Options, examples: &[&str]) -> Result<Binaries> {
    let template = Template::read()?;
    let binary = the_binary(&template)?;
    let tools = tools::install(python::find()?, options.progress).await?;
    let mut step = options
        .progress
        .step("building the functions as for a deployment");
    let _lock = lock::wait_for(&layout::kept().join("build.lock"), &mut step).await?;
    let log = layout::kept().join("build.log");
    for target in std::iter::once(["--bin", binary]).chain(examples.iter().map(|name| ["--example", name])) {
        Supervisor::run(as_deployed(&tools, options, target), &log, &mut step).await?;
    }
    // Where the next build of a stack does not replace them.
    let deployed = layout::kept().join("deployed");
    std::fs::create_dir_all(&deployed)?;
    let built = |name: &str| layout::root().join("target/lambda").join(name).join("bootstrap");
    let with_symbols = deployed.join(format!("{binary}.symbols"));
    std::fs::copy(built(binary), &with_symbols)?;
    for name in std::iter::once(&binary).chain(examples) {
        let mut strip = tools.supervisor.command(Path::new("strip"), &[]);
        strip.arg("-o").arg(deployed.join(name)).arg(built(name));
        Supervisor::run(strip, &log, &mut step)
            .await
            .context("strip failed, which is installed with the linker (binutils)")?;
    }
    step.done();
    Ok(Binaries {
        functions: deployed.join(binary),
        with_symbols,
        examples: examples
            .iter()
            .map(|name| ((*name).to_owned(), deployed.join(name)))
            .collect(),
    })
}

/// The binary that all functions of the template run.
fn the_binary(template: &Template) -> Result<&str> {
    let binaries = template.binaries();
    ensure!(
        binaries.len() == 1,
        "the functions in template.yaml must all have the same BuildProperties.Binary, but have {}",
        binaries.len()
    );
    Ok(binaries.first().copied().unwrap_or_default())
}

/// Compiles the same binaries with the same flags as `sam build`, so that it finds nothing left to compile.
fn compile(tools: &Tools, options: &Options, template: &Template) -> Command {
    let mut command = cargo_lambda_build(tools, options);
    for binary in template.binaries() {
        command.args(["--bin", binary]);
    }
    command
}

/// Compiles with the flags of a plain `sam build`, but with this machine's linker, and keeps the names of functions, which
/// change nothing else.
fn as_deployed(tools: &Tools, options: &Options, what: [&str; 2]) -> Command {
    let mut command = cargo_lambda_build(tools, options);
    command
        .args(["--compiler", "cargo", "--package", PACKAGE])
        .args(what);
    command.env_remove(CONFIGURATION);
    command.env("CARGO_PROFILE_RELEASE_STRIP", "none");
    command
}

fn cargo_lambda_build(tools: &Tools, options: &Options) -> Command {
    let program = tools.sam_bin.join("cargo-lambda");
    let mut command = tools.supervisor.command(&program, &[]);
    prepare(&mut command, tools, options);
    command.args(["lambda", "build"]);
    if options.optimized {
        command.arg("--release");
    }
    if architecture() == "arm64" {
        command.arg("--arm64");
    }
    command
}

fn lay_out(tools: &Tools, options: &Options, built: &Path) -> Command {
    let mut command = tools.sam();
    prepare(&mut command, tools, options);
    command.args(["build", "--parallel", "--build-dir"]).arg(built);
    command.arg("--parameter-overrides");
    command.args(options.overrides());
    command
}

/// Lets a command find the tools and the checkout, says how to optimize, and hides the outer cargo from the cargo that it
/// runs.
pub(crate) fn prepare(command: &mut Command, tools: &Tools, options: &Options) {
    if !options.optimized {
        command.env("SAM_BUILD_MODE", "debug");
    }
    command
        .current_dir(layout::root())
        .env("PATH", path_with(&tools.sam_bin));
    command.env(CONFIGURATION, layout::resource("cargo-lambda.toml"));
    for (name, _) in std::env::vars_os() {
        let known = name.to_string_lossy();
        if CARGO_OWN.contains(&known.as_ref())
            || known.starts_with("CARGO_PKG_")
            || known.starts_with("CARGO_MANIFEST_")
        {
            command.env_remove(&name);
        }
    }
}

/// The search path with the tools first.
fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(binaries: [&str; 2]) -> Template {
        let [a, b] = binaries;
        let text = format!(
            "Resources:\n  A: {{Metadata: {{BuildProperties: {{Binary: {a}}}}}}}\n  \
             B: {{Metadata: {{BuildProperties: {{Binary: {b}}}}}}}\n"
        );
        Template::parse(&text).unwrap()
    }

    #[test]
    fn every_function_of_a_packed_template_is_the_archive() {
        let yaml = |a: &str, b: &str| -> Value {
            let text = format!(
                "Globals: {{Function: {{CodeUri: functions}}}}\nResources:\n  A: {{Properties: {{CodeUri: {a}}}}}\n  \
                 B: {{Properties: {{CodeUri: {b}}}}}\n  Queue: {{Type: AWS::SQS::Queue}}\n"
            );
            serde_yaml_ng::from_str(&text).unwrap()
        };
        let mut template = yaml("A", "B");

        let folders = replace_by_archive(&mut template, |folder| ["A", "B"].contains(&folder));

        assert_eq!(folders, ["A", "B"]);
        assert_eq!(template, yaml(ARCHIVE, ARCHIVE));
    }

    #[test]
    fn functions_that_share_a_binary_have_that_one() {
        assert_eq!(
            the_binary(&template(["webhooks", "webhooks"])).unwrap(),
            "webhooks"
        );
    }

    #[test]
    fn functions_with_binaries_of_their_own_cannot_be_benchmarked() {
        assert!(the_binary(&template(["deliver", "retry"])).is_err());
    }
}
