//! What `sam local` needs to run a function of a running stack in Lambda's container: the function's environment, and a
//! SAM configuration that names it.
//!
//! SAM resolves no reference to a table or queue, and passes only variables that the template declares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use futures::future::try_join_all;
use reqwest::Url;

use crate::clients::aws_config;
use crate::docker::Bridge;
use crate::options::architecture;
use crate::relay::Relay;
use crate::state::StackState;

/// The network that people make for it, and with that allow it.
pub const NETWORK: &str = "serverless-webhooks";
/// The variable with which a function finds the emulator.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The files of one stack, and the way to it, which is open until this is dropped.
#[derive(Debug)]
pub struct SamLocal {
    /// What `--config-file` wants.
    pub config: PathBuf,
    /// What `--env-vars` wants; the configuration names it already.
    pub environment: PathBuf,
    /// Why containers can't reach the stack, if they can't.
    pub unreachable: Option<String>,
    _relay: Option<Relay>,
}

impl SamLocal {
    /// Writes both files to `folder` and lets the containers of `network` reach the stack.
    ///
    /// # Errors
    /// The emulator does not answer, or the files can't be written. That containers can't reach the stack is none.
    pub async fn open(state: &StackState, network: &str, folder: &Path) -> Result<Self> {
        let [config, environment] = files(folder);
        let relay = relay(state, network).await;
        let endpoint = match &relay {
            Ok(relay) => format!("http://{}", relay.address),
            Err(_) => state.aws_endpoint_url.clone(),
        };
        let variables = serde_json::to_vec_pretty(&variables(state, &endpoint).await?)?;
        let write = |path: &Path, text: &[u8]| {
            std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
        };
        write(&environment, &variables)?;
        write(&config, configuration(state, network, &environment).as_bytes())?;
        let (relay, unreachable) = match relay {
            Ok(relay) => (Some(relay), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        Ok(Self {
            config,
            environment,
            unreachable,
            _relay: relay,
        })
    }
}

/// The files that [`SamLocal::open`] writes to `folder`: the configuration and the environment.
pub(crate) fn files(folder: &Path) -> [PathBuf; 2] {
    [folder.join("sam-local.toml"), folder.join("env.json")]
}

async fn relay(state: &StackState, network: &str) -> Result<Relay> {
    let port = Url::parse(&state.aws_endpoint_url)?.port();
    let port = port.context("the emulator's url has no port")?;
    Relay::start(&Bridge::of_network(network).await?, port)
}

/// For each function by its name in the template, the variables that it was deployed with and the way to the emulator.
async fn variables(state: &StackState, endpoint: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let client = Client::new(&aws_config(state));
    let functions = state.functions.iter().map(async |(name, deployed)| {
        let request = client.get_function_configuration().function_name(deployed);
        let answer = request
            .send()
            .await
            .with_context(|| format!("reading the configuration of {name}"))?;
        let variables = answer.environment.and_then(|environment| environment.variables);
        let mut variables: BTreeMap<_, _> = variables.unwrap_or_default().into_iter().collect();
        variables.insert(ENDPOINT.to_owned(), endpoint.to_owned());
        anyhow::Ok((name.clone(), variables))
    });
    Ok(try_join_all(functions).await?.into_iter().collect())
}

/// In TOML, whose basic strings JSON's are.
fn configuration(state: &StackState, network: &str, environment: &Path) -> String {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    format!(
        "# Written by `cargo local` for `sam local`; gone when the stack ends.\n\
         version = 0.1\n\n\
         [default.global.parameters]\n\
         template_file = {template}\n\
         parameter_overrides = {overrides}\n\
         env_vars = {environment}\n\
         docker_network = {network}\n\
         # An image that is there is good enough; one that is missing is pulled all the same.\n\
         skip_pull_image = true\n\
         region = {region}\n",
        template = text(&state.template.to_string_lossy()),
        overrides = text(&format!("Architecture={}", architecture())),
        environment = text(&environment.to_string_lossy()),
        network = text(network),
        region = text(&state.region),
    )
}
