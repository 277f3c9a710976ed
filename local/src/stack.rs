//! A deployed stack on this machine: starting it, describing it, ending it.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::after_deploy::{self, Deployed};
use crate::clients::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::emulator::Emulator;
use crate::ids::new_id;
use crate::options::Options;
use crate::sam_local::{self, NETWORK, SamLocal};
use crate::state::StackState;
use crate::state_folder::StateFolder;
use crate::template::Template;
use crate::token::TokenRequest;
use crate::tools::Tools;
use crate::{build, deploy, parameters, python, run_folder, tools};

/// What the paths of all routes begin with.
const BASE_PATH: &str = "/api/integrations/webhooks";

/// A running stack. It ends when this is dropped, and also when the process ends without dropping it.
#[derive(Debug)]
pub struct Stack {
    /// How to reach it.
    pub state: StackState,
    // Dropped in this order: first what runs, then where it ran.
    sam_local: Option<SamLocal>,
    emulator: Emulator,
    _run: TempDir,
    folder: StateFolder,
}

impl Stack {
    /// Installs the tools, starts the emulator, builds and deploys; returns a stack that works.
    pub async fn start(options: Options) -> Result<Self> {
        ensure!(
            cfg!(target_os = "linux"),
            "the local stack runs the functions themselves, which needs Linux"
        );
        parameters::check(&Template::read()?, &options.parameters)?;
        let folder = StateFolder::take(options.state_dir.as_deref())?;
        let mut tools = tools::install(python::find()?, options.progress).await?;
        let run = run_folder::create(folder.path())?;
        tools.supervisor.temporary = run.path().join("tools");
        let [sam_config, sam_environment] = sam_local::files(folder.path());
        let removals = [run.path(), folder.description(), &sam_config, &sam_environment];
        let emulator = Emulator::start(&tools, &options, run.path(), &folder.log_file(), &removals).await?;
        let build_log = folder.path().join("build.log");
        let template = build::build(&tools, &options, &run.path().join("build"), &build_log).await?;
        let deployed = deploy_to(&emulator, &tools, &options, &template, folder.path()).await?;
        let mut state = describe(&emulator, &tools, &options, template, deployed);
        issue_token(&mut state, &options).await?;
        Ok(Self {
            state,
            sam_local: None,
            emulator,
            _run: run,
            folder,
        })
    }

    /// Writes `local-stack.json`, and what `sam local` needs; all of it is removed when the stack ends.
    pub async fn announce(&mut self) -> Result<(&Path, &SamLocal)> {
        let sam_local = SamLocal::open(&self.state, NETWORK, self.folder.path()).await?;
        self.state.write(self.folder.description())?;
        Ok((self.folder.description(), self.sam_local.insert(sam_local)))
    }

    /// Ends the stack and returns when nothing of it is left running.
    pub fn stop(mut self) {
        self.emulator.stop();
    }
}

async fn deploy_to(
    emulator: &Emulator,
    tools: &Tools,
    options: &Options,
    template: &Path,
    logs: &Path,
) -> Result<Deployed> {
    deploy::deploy(tools, options, template, &emulator.url, &logs.join("deploy.log")).await?;
    after_deploy::correct(tools, options, &emulator.url, logs).await
}

fn describe(
    emulator: &Emulator,
    tools: &Tools,
    options: &Options,
    template: PathBuf,
    deployed: Deployed,
) -> StackState {
    let queue = |name: &str| deployed.queues.get(name).cloned().unwrap_or_default();
    // The emulator would also take the API's id as a host name, but glibc does not resolve `*.localhost`.
    let api_url = format!("{}/_aws/execute-api/{}/$default", emulator.url, deployed.api_id);
    StackState {
        api: format!("{api_url}{BASE_PATH}"),
        api_url,
        aws_endpoint_url: emulator.url.clone(),
        region: REGION.to_owned(),
        access_key_id: ACCESS_KEY_ID.to_owned(),
        secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        workspace_id: new_id("ws_"),
        token: String::new(),
        events_queue_url: queue("EventsQueue"),
        rejected_events_queue_url: queue("RejectedEventsQueue"),
        failed_attempts_queue_url: queue("FailedAttemptsQueue"),
        parked_queue_url: queue("ParkedQueue"),
        functions: deployed.functions,
        tables: deployed.tables,
        queues: deployed.queues,
        log_groups: deployed.log_groups,
        secret_prefix: format!("{}/endpoints/", options.stack_name()),
        template,
        emulator_pid: emulator.pid(),
        sam: tools.sam_bin.join("sam"),
        python: tools.emulator_python.clone(),
        log_file: emulator.log_file.clone(),
    }
}

async fn issue_token(state: &mut StackState, options: &Options) -> Result<()> {
    let step = options.progress.step("issuing a token");
    let request = TokenRequest {
        workspace_id: state.workspace_id.clone(),
        ..TokenRequest::default()
    };
    state.token = request.issue(state).await?.token;
    step.done();
    Ok(())
}
