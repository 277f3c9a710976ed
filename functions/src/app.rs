//! What every handler works with: the configuration, the clock and the adapters.

use std::sync::{Arc, LazyLock, OnceLock};

use shared::aws::SdkConfig;
use shared::clock::Clock;
use shared::config::Config;
use shared::domain::event_type::Catalogue;
use shared::domain::id::WorkspaceId;
use shared::http::SetUpFailed;
use shared::queues::Queues;
use shared::schedules::Schedules;
use shared::secrets::Secrets;
use shared::sender::Sender;
use shared::store::Store;

/// A client of AWS that is set up at its first use: no function needs all of them, and each takes as long to set up as the
/// rest of a start.
pub type Later<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

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
    pub queues: Later<Queues>,
    /// The signing secrets.
    pub secrets: Later<Secrets>,
    /// The long waits.
    pub schedules: Later<Schedules>,
    sender: OnceLock<Sender>,
}

impl App {
    /// Reads these variables of the environment and sets the adapters up; none of them connects before it is used.
    ///
    /// # Errors
    /// Variables of the environment are missing or malformed, or TLS could not be set up.
    pub fn from_env(variables: &[&'static str]) -> Result<Arc<Self>, lambda_runtime::Error> {
        let config = Config::from_env(variables)?;
        let aws = shared::aws::config_from_env()?;
        Ok(Arc::new(Self {
            clock: Clock,
            store: Store::new(&aws, &config),
            queues: later(&aws, &config, |aws, _| Queues::new(aws)),
            secrets: later(&aws, &config, Secrets::new),
            schedules: later(&aws, &config, Schedules::new),
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

fn later<T: 'static>(aws: &SdkConfig, config: &Config, set_up: fn(&SdkConfig, &Config) -> T) -> Later<T> {
    let (aws, config) = (aws.clone(), config.clone());
    Later::new(Box::new(move || set_up(&aws, &config)))
}
