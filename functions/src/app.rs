//! What every handler works with: the configuration, the clock and the adapters.

use std::sync::{Arc, OnceLock};

use shared::clock::Clock;
use shared::config::{Config, InvalidEnvironment};
use shared::domain::event_type::Catalogue;
use shared::domain::id::WorkspaceId;
use shared::queues::Queues;
use shared::schedules::Schedules;
use shared::secrets::Secrets;
use shared::sender::{Sender, SetUpFailed};
use shared::store::Store;

/// The process: made once at start-up, shared by all invocations.
#[derive(Debug)]
pub struct App {
    /// What the template says.
    pub config: Config,
    /// The source of the present.
    pub clock: Clock,
    /// The tables.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// The signing secrets.
    pub secrets: Secrets,
    /// The long waits.
    pub schedules: Schedules,
    sender: OnceLock<Sender>,
}

impl App {
    /// Reads these variables of the environment and sets the adapters up; none of them connects before it is used.
    ///
    /// # Errors
    /// Variables of the environment are missing or malformed.
    pub fn from_env(variables: &[&'static str]) -> Result<Arc<Self>, InvalidEnvironment> {
        let config = Config::from_env(variables)?;
        let aws = shared::aws::config_from_env();
        Ok(Arc::new(Self {
            clock: Clock,
            store: Store::new(&aws, &config),
            queues: Queues::new(&aws),
            secrets: Secrets::new(&aws, &config),
            schedules: Schedules::new(&aws, &config),
            sender: OnceLock::new(),
            config,
        }))
    }

    /// The event types that a workspace knows.
    #[must_use]
    pub fn catalogue(&self, workspace: &WorkspaceId) -> Catalogue {
        Catalogue::of(workspace, self.config.operator_workspace.as_ref())
    }

    /// The outbound HTTP client, set up at its first use: only one function needs it.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn sender(&self) -> Result<&Sender, SetUpFailed> {
        if let Some(sender) = self.sender.get() {
            return Ok(sender);
        }
        let sender = Sender::new(*self.config.targets)?;
        Ok(self.sender.get_or_init(|| sender))
    }
}
