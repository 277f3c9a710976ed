//! Runs `python/after_deploy`: corrects what the emulator does differently, and reads what was deployed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::deploy::point_at_emulator;
use crate::layout;
use crate::options::Options;
use crate::supervise::Supervisor;
use crate::tools::Tools;

/// What was deployed; maps are from the name in the template to the deployed one.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployed {
    pub(crate) api_id: String,
    pub(crate) functions: BTreeMap<String, String>,
    pub(crate) tables: BTreeMap<String, String>,
    /// From the name in the template to the url.
    pub(crate) queues: BTreeMap<String, String>,
    pub(crate) log_groups: BTreeMap<String, String>,
}

/// Corrects the deployed stack and describes it.
pub(crate) async fn correct(tools: &Tools, options: &Options, url: &str, folder: &Path) -> Result<Deployed> {
    let mut step = options
        .progress
        .step("correcting what the emulator does differently");
    let answer = folder.join("deployed.json");
    let mut command = tools.supervisor.command(&tools.emulator_python, &[]);
    command
        .arg("-B")
        .arg(layout::resource("python/after_deploy"))
        .arg(options.stack_name())
        .arg(&answer);
    point_at_emulator(&mut command, url);
    Supervisor::run(command, &folder.join("after-deploy.log"), &mut step)
        .await
        .context("correcting the deployed stack failed; see local/python/after_deploy")?;
    let deployed = serde_json::from_reader(File::open(&answer)?)?;
    fs::remove_file(&answer)?;
    step.done();
    Ok(deployed)
}
