//! What `template.yaml` tells the functions, read from the environment once at start-up.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::schedule::Schedule;
use crate::domain::target::TargetPolicy;

/// The configuration of a deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names of the tables.
    pub tables: Tables,
    /// Urls of the queues.
    pub queues: QueueUrls,
    /// The ARN of the retries queue, for schedules.
    pub retries_queue_arn: String,
    /// The ARN of the failed-attempts queue, for schedules that can't reach the retries queue.
    pub failed_attempts_queue_arn: String,
    /// What the names of endpoint secrets begin with.
    pub secret_prefix: String,
    /// The schedule group of long waits.
    pub schedule_group: String,
    /// The role with which the scheduler puts retries on their queue.
    pub scheduler_role_arn: String,
    /// Endpoints a workspace may have.
    pub endpoint_limit: u32,
    /// How long events and deliveries are kept.
    pub retention: SignedDuration,
    /// The waits between attempts.
    pub schedule: Schedule,
    /// The deadline of one attempt.
    pub post_deadline: Duration,
    /// How long `deliver` may run.
    pub deliver_timeout: Duration,
    /// How long an endpoint may fail before it is disabled.
    pub disable_after: SignedDuration,
    /// Waits up to this use the queue's delay, longer ones the scheduler.
    pub scheduler_threshold: SignedDuration,
    /// Which targets are allowed.
    pub targets: TargetPolicy,
}

/// Names of the tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Endpoints by workspace.
    pub endpoints: String,
    /// Events by workspace.
    pub events: String,
    /// Deliveries by endpoint.
    pub deliveries: String,
    /// Grants by token hash.
    pub tokens: String,
}

/// Urls of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// Where producers put events.
    pub events: String,
    /// Where messages that are no event end.
    pub rejected_events: String,
    /// First attempts.
    pub deliveries: String,
    /// Further attempts.
    pub retries: String,
    /// The dead-letter queue that `retry` reads.
    pub failed_attempts: String,
    /// What no function could handle.
    pub parked: String,
    /// Endpoints of which nothing may remain.
    pub purges: String,
}

/// An environment variable that is missing or malformed.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is missing or malformed")]
pub struct InvalidVariable(&'static str);

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// [`InvalidVariable`] names the first variable that is missing or malformed.
    pub fn from_env() -> Result<Self, InvalidVariable> {
        Ok(Self {
            tables: Tables {
                endpoints: text("ENDPOINTS_TABLE")?,
                events: text("EVENTS_TABLE")?,
                deliveries: text("DELIVERIES_TABLE")?,
                tokens: text("TOKENS_TABLE")?,
            },
            queues: QueueUrls {
                events: text("EVENTS_QUEUE_URL")?,
                rejected_events: text("REJECTED_EVENTS_QUEUE_URL")?,
                deliveries: text("DELIVERIES_QUEUE_URL")?,
                retries: text("RETRIES_QUEUE_URL")?,
                failed_attempts: text("FAILED_ATTEMPTS_QUEUE_URL")?,
                parked: text("PARKED_QUEUE_URL")?,
                purges: text("PURGES_QUEUE_URL")?,
            },
            retries_queue_arn: text("RETRIES_QUEUE_ARN")?,
            failed_attempts_queue_arn: text("FAILED_ATTEMPTS_QUEUE_ARN")?,
            secret_prefix: text("SECRET_PREFIX")?,
            schedule_group: text("SCHEDULE_GROUP")?,
            scheduler_role_arn: text("SCHEDULER_ROLE_ARN")?,
            endpoint_limit: number("ENDPOINT_LIMIT")?,
            retention: SignedDuration::from_hours(24 * i64::from(number("RETENTION_DAYS")?)),
            schedule: text("RETRY_SCHEDULE")?
                .parse()
                .map_err(|_| InvalidVariable("RETRY_SCHEDULE"))?,
            post_deadline: Duration::from_secs(number("POST_DEADLINE_SECONDS")?.into()),
            deliver_timeout: Duration::from_secs(number("DELIVER_TIMEOUT_SECONDS")?.into()),
            disable_after: SignedDuration::from_secs(number("DISABLE_AFTER_SECONDS")?.into()),
            scheduler_threshold: SignedDuration::from_secs(number("SCHEDULER_THRESHOLD_SECONDS")?.into()),
            targets: match text("ALLOW_INSECURE_TARGETS")?.as_str() {
                "true" => TargetPolicy::InsecureToo,
                "false" => TargetPolicy::PublicOnly,
                _ => return Err(InvalidVariable("ALLOW_INSECURE_TARGETS")),
            },
        })
    }
}

/// The time-out of `retry` in the template.
pub const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

impl Config {
    /// The longest time-out of the functions that record deliveries, `deliver` and `retry`: so long after an endpoint was
    /// deleted, nothing is recorded for it any more.
    #[must_use]
    pub fn longest_recording(&self) -> Duration {
        self.deliver_timeout.max(RETRY_TIMEOUT)
    }
}

impl QueueUrls {
    /// The url of the queue with this ARN: both end in the queue's name.
    #[must_use]
    pub fn url_of(&self, arn: &str) -> Option<&str> {
        let name = arn.rsplit(':').next()?;
        let sources = [
            &self.events,
            &self.deliveries,
            &self.retries,
            &self.failed_attempts,
            &self.purges,
        ];
        sources
            .into_iter()
            .map(String::as_str)
            .find(|url| url.rsplit('/').next() == Some(name))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn text(name: &'static str) -> Result<String, InvalidVariable> {
    std::env::var(name).map_err(|_| InvalidVariable(name))
}

fn number(name: &'static str) -> Result<u32, InvalidVariable> {
    text(name)?.parse().map_err(|_| InvalidVariable(name))
}
