//! The description of a running stack, which `target/local-stack.json` holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::state_folder;

/// A running stack, for people, scripts and tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackState {
    /// The address of the API, without a slash at the end: `GET` of it lists the endpoints.
    pub api: String,
    /// The stack's output `ApiUrl`, to which `/api/integrations/webhooks` is appended.
    pub api_url: String,
    /// The endpoint of every AWS service.
    pub aws_endpoint_url: String,
    /// The region to sign requests for.
    pub region: String,
    /// Credentials that may do everything.
    pub access_key_id: String,
    /// The secret that belongs to `access_key_id`.
    pub secret_access_key: String,
    /// A workspace for trying things out.
    pub workspace_id: String,
    /// An API token for that workspace, with all scopes.
    pub token: String,
    /// Where producers put events.
    pub events_queue_url: String,
    /// Where malformed events are put, with the reason.
    pub rejected_events_queue_url: String,
    /// The dead-letter queue that `retry` reads.
    pub failed_attempts_queue_url: String,
    /// Where messages are kept that no function could handle.
    pub parked_queue_url: String,
    /// Functions: name in the template → deployed name.
    pub functions: BTreeMap<String, String>,
    /// Tables: name in the template → deployed name.
    pub tables: BTreeMap<String, String>,
    /// Queues: name in the template → url.
    pub queues: BTreeMap<String, String>,
    /// Log groups: name in the template → deployed name.
    pub log_groups: BTreeMap<String, String>,
    /// What the names of the endpoints' secrets begin with.
    pub secret_prefix: String,
    /// The built template that is deployed, beside the functions that it names.
    pub template: PathBuf,
    /// The emulator's process, whose children are the functions.
    pub emulator_pid: Option<u32>,
    /// The pinned SAM CLI.
    pub sam: PathBuf,
    /// A Python with boto3 and the official Standard Webhooks library.
    pub python: PathBuf,
    /// The emulator's log.
    pub log_file: PathBuf,
}

impl StackState {
    /// Reads the description of the stack that runs with this state folder, or with the usual one.
    ///
    /// # Errors
    /// No such stack runs.
    pub fn of_running(state_dir: Option<&Path>) -> Result<Self> {
        let path = state_folder::description(state_dir);
        ensure!(
            path.exists(),
            "no stack is running: there is no {}; start one with `cargo local`, \
             and give the same --state-dir to both if you give it",
            path.display()
        );
        let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Writes this as JSON to `path`, which is either complete or absent.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let partial = path.with_extension("json.partial");
        std::fs::write(&partial, serde_json::to_vec_pretty(self)?)
            .and_then(|()| std::fs::rename(&partial, path))
            .with_context(|| format!("writing {}", path.display()))
    }
}
