//! What there is to know about a running stack; `target/local-stack.json` is this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A running stack, for people, scripts and tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackState {
    /// What `/api/integrations/webhooks` is appended to.
    pub api_url: String,
    /// The endpoint of every AWS service.
    pub aws_endpoint_url: String,
    /// The region to sign requests for.
    pub region: String,
    /// Credentials that may do everything.
    pub access_key_id: String,
    /// Belongs to `access_key_id`.
    pub secret_access_key: String,
    /// A workspace to play with.
    pub workspace_id: String,
    /// An API token of that workspace, with all scopes.
    pub token: String,
    /// Where producers put events.
    pub events_queue_url: String,
    /// Where messages end that are no event.
    pub rejected_events_queue_url: String,
    /// The dead-letter queue that `retry` reads.
    pub failed_attempts_queue_url: String,
    /// Where messages wait that no function could handle.
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
    /// The emulator's process, whose children are the functions.
    pub emulator_pid: Option<u32>,
    /// A Python with boto3 and the official Standard Webhooks library.
    pub python: PathBuf,
    /// The emulator's log.
    pub log_file: PathBuf,
}

impl StackState {
    /// Writes this as JSON to `path`, which is either complete or absent.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let partial = path.with_extension("json.partial");
        std::fs::write(&partial, serde_json::to_vec_pretty(self)?)
            .and_then(|()| std::fs::rename(&partial, path))
            .with_context(|| format!("writing {}", path.display()))
    }
}
