//! What `template.yaml` tells the functions, read from the environment once at start-up. A function names the variables
//! that it uses, and only those are asked for.

use std::ops::Deref;
use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::id::WorkspaceId;
use crate::domain::lane::Lane;
use crate::domain::schedule::Schedule;
use crate::domain::target::TargetPolicy;

/// A value from the environment, there if the function asked for it.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    variable: &'static str,
    value: Option<T>,
}

impl<T> Setting<T> {
    /// The value, if the function asked for it.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    /// # Panics
    /// If the function did not ask for the variable, which is a mistake in the function: the end-to-end tests run each.
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => panic!("the function uses {} and does not ask for it", self.variable),
        }
    }
}

/// The configuration of a deployment, as far as a function asks for it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names of the tables.
    pub tables: Tables,
    /// Urls of the queues.
    pub queues: QueueUrls,
    /// The ARN of the retries queue, for schedules.
    pub retries_queue_arn: Setting<String>,
    /// The ARN of the failed-attempts queue, for schedules that can't reach the retries queue.
    pub failed_attempts_queue_arn: Setting<String>,
    /// What the names of endpoint secrets begin with.
    pub secret_prefix: Setting<String>,
    /// The schedule group of long waits.
    pub schedule_group: Setting<String>,
    /// The role with which the scheduler puts retries on their queue.
    pub scheduler_role_arn: Setting<String>,
    /// Endpoints a workspace may have.
    pub endpoint_limit: Setting<u32>,
    /// How long events and deliveries are kept.
    pub retention: Setting<SignedDuration>,
    /// The waits between attempts.
    pub schedule: Setting<Schedule>,
    /// The deadline of one attempt.
    pub post_deadline: Setting<Duration>,
    /// How long `deliver` may run.
    pub deliver_timeout: Setting<Duration>,
    /// How long an endpoint may fail before it is disabled.
    pub disable_after: Setting<SignedDuration>,
    /// Waits up to this use the queue's delay, longer ones the scheduler.
    pub scheduler_threshold: Setting<SignedDuration>,
    /// The workspace that is told what happens to endpoints, if there is one.
    pub operator_workspace: Setting<Option<WorkspaceId>>,
    /// Where customers reach this API, without a slash at the end; links lead to the dashboard below it.
    pub public_url: Setting<String>,
    /// Which targets are allowed.
    pub targets: Setting<TargetPolicy>,
    /// Which pages may frame the dashboard, as the directive `frame-ancestors` has it.
    pub frame_ancestors: Setting<String>,
}

/// Names of the tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Endpoints by workspace.
    pub endpoints: Setting<String>,
    /// Events by workspace.
    pub events: Setting<String>,
    /// Deliveries by endpoint.
    pub deliveries: Setting<String>,
    /// Grants by token hash.
    pub tokens: Setting<String>,
}

/// Urls of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// Where producers put events.
    pub events: Setting<String>,
    /// Where messages are put that are not valid events.
    pub rejected_events: Setting<String>,
    /// First attempts.
    pub deliveries: Setting<String>,
    /// Further attempts.
    pub retries: Setting<String>,
    /// The dead-letter queue that `retry` reads.
    pub failed_attempts: Setting<String>,
    /// Messages that no function can read.
    pub unreadable: Setting<String>,
    /// Deleted endpoints awaiting cleanup.
    pub purges: Setting<String>,
    /// Turns of recoveries.
    pub recoveries: Setting<String>,
}

/// Environment variables that are missing or malformed, all of them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variables are missing or malformed: {}", .0.join(", "))]
pub struct InvalidEnvironment(Vec<&'static str>);

/// The time-out of `retry` and of `recover` in the template.
pub const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

impl Config {
    /// Reads the named variables from the environment.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] names all variables that are missing or malformed.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn from_env(wanted: &[&'static str]) -> Result<Self, InvalidEnvironment> {
        Self::read(wanted, |name| std::env::var(name).ok())
    }

    /// Reads the named variables from wherever they are.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] names all variables that are missing or malformed.
    pub fn read(
        wanted: &[&'static str],
        value_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidEnvironment> {
        let mut environment = Environment {
            wanted,
            value_of,
            invalid: Vec::new(),
        };
        let mut read = |name| environment.setting(name, Some);
        let tables = Tables {
            endpoints: read("ENDPOINTS_TABLE"),
            events: read("EVENTS_TABLE"),
            deliveries: read("DELIVERIES_TABLE"),
            tokens: read("TOKENS_TABLE"),
        };
        let queues = QueueUrls {
            events: read("EVENTS_QUEUE_URL"),
            rejected_events: read("REJECTED_EVENTS_QUEUE_URL"),
            deliveries: read("DELIVERIES_QUEUE_URL"),
            retries: read("RETRIES_QUEUE_URL"),
            failed_attempts: read("FAILED_ATTEMPTS_QUEUE_URL"),
            unreadable: read("UNREADABLE_QUEUE_URL"),
            purges: read("PURGES_QUEUE_URL"),
            recoveries: read("RECOVERIES_QUEUE_URL"),
        };
        let config = Self {
            tables,
            queues,
            retries_queue_arn: read("RETRIES_QUEUE_ARN"),
            failed_attempts_queue_arn: read("FAILED_ATTEMPTS_QUEUE_ARN"),
            secret_prefix: read("SECRET_PREFIX"),
            schedule_group: read("SCHEDULE_GROUP"),
            scheduler_role_arn: read("SCHEDULER_ROLE_ARN"),
            endpoint_limit: environment.setting("ENDPOINT_LIMIT", number),
            retention: environment.setting("RETENTION_DAYS", days),
            schedule: environment.setting("RETRY_SCHEDULE", |text| text.parse().ok()),
            post_deadline: environment.setting("POST_DEADLINE_SECONDS", seconds),
            deliver_timeout: environment.setting("DELIVER_TIMEOUT_SECONDS", seconds),
            disable_after: environment.setting("DISABLE_AFTER_SECONDS", signed_seconds),
            scheduler_threshold: environment.setting("SCHEDULER_THRESHOLD_SECONDS", signed_seconds),
            operator_workspace: environment.possibly_empty("OPERATOR_WORKSPACE", |text| text.parse().ok()),
            public_url: environment.setting("PUBLIC_URL", public_url),
            targets: environment.setting("ALLOW_INSECURE_TARGETS", targets),
            frame_ancestors: environment.setting("DASHBOARD_FRAME_ANCESTORS", sources),
        };
        if environment.invalid.is_empty() {
            Ok(config)
        } else {
            Err(InvalidEnvironment(environment.invalid))
        }
    }

    /// The longest time-out of the functions that record deliveries, `deliver`, `retry` and `recover`: once this long has
    /// passed since an endpoint was deleted, nothing more is recorded for it.
    #[must_use]
    pub fn longest_recording(&self) -> Duration {
        self.deliver_timeout.max(RETRY_TIMEOUT)
    }
}

impl QueueUrls {
    /// The url of the queue with this ARN, if it is one that the function reads: both end in the queue's name.
    #[must_use]
    pub fn url_of(&self, arn: &str) -> Option<&str> {
        let name = arn.rsplit(':').next()?;
        let sources = [
            &self.events,
            &self.deliveries,
            &self.retries,
            &self.failed_attempts,
            &self.purges,
            &self.recoveries,
        ];
        let mut urls = sources.into_iter().filter_map(Setting::get).map(String::as_str);
        urls.find(|url| url.rsplit('/').next() == Some(name))
    }

    /// The queue of a lane.
    #[must_use]
    pub fn of_lane(&self, lane: Lane) -> &str {
        match lane {
            Lane::First => &self.deliveries,
            Lane::Retries => &self.retries,
        }
    }
}

/// The environment while it is read.
struct Environment<'a, F> {
    wanted: &'a [&'static str],
    value_of: F,
    invalid: Vec<&'static str>,
}

impl<F: Fn(&str) -> Option<String>> Environment<'_, F> {
    fn setting<T>(&mut self, variable: &'static str, read: impl FnOnce(String) -> Option<T>) -> Setting<T> {
        self.any_text(variable, |text| {
            Some(text).filter(|text| !text.is_empty()).and_then(read)
        })
    }

    /// One that is turned off by being empty.
    fn possibly_empty<T>(
        &mut self,
        variable: &'static str,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Setting<Option<T>> {
        self.any_text(variable, |text| {
            if text.is_empty() {
                return Some(None);
            }
            read(text).map(Some)
        })
    }

    fn any_text<T>(&mut self, variable: &'static str, read: impl FnOnce(String) -> Option<T>) -> Setting<T> {
        if !self.wanted.contains(&variable) {
            return Setting {
                variable,
                value: None,
            };
        }
        let value = (self.value_of)(variable).and_then(read);
        if value.is_none() {
            self.invalid.push(variable);
        }
        Setting { variable, value }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the readers of variables take their value"
)]
fn number(text: String) -> Option<u32> {
    text.parse().ok()
}

fn seconds(text: String) -> Option<Duration> {
    number(text).map(|seconds| Duration::from_secs(seconds.into()))
}

fn signed_seconds(text: String) -> Option<SignedDuration> {
    number(text).map(|seconds| SignedDuration::from_secs(seconds.into()))
}

fn days(text: String) -> Option<SignedDuration> {
    number(text).map(|days| SignedDuration::from_hours(24 * i64::from(days)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the readers of variables take their value"
)]
fn targets(text: String) -> Option<TargetPolicy> {
    match text.as_str() {
        "true" => Some(TargetPolicy::InsecureToo),
        "false" => Some(TargetPolicy::PublicOnly),
        _ => None,
    }
}

/// An address without a slash at the end.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the readers of variables take their value"
)]
fn public_url(text: String) -> Option<String> {
    let url = text.trim_end_matches('/');
    (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_owned())
}

/// Sources of one directive of a content security policy: nothing in them may begin another directive or policy.
fn sources(text: String) -> Option<String> {
    let fits = |character: char| (' '..='~').contains(&character) && !";,".contains(character);
    Some(text).filter(|text| text.chars().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wanted: &[&'static str], there: &[(&str, &str)]) -> Result<Config, InvalidEnvironment> {
        Config::read(wanted, |name| {
            let found = there.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn all_that_is_missing_or_malformed_is_named_at_once() {
        let wanted = [
            "ENDPOINTS_TABLE",
            "EVENTS_TABLE",
            "ENDPOINT_LIMIT",
            "RETRY_SCHEDULE",
        ];

        let error = read(&wanted, &[("ENDPOINTS_TABLE", "t"), ("ENDPOINT_LIMIT", "many")]).unwrap_err();

        assert_eq!(
            error,
            InvalidEnvironment(vec!["EVENTS_TABLE", "ENDPOINT_LIMIT", "RETRY_SCHEDULE"])
        );
    }

    #[test]
    fn only_what_a_function_uses_is_asked_for() {
        let config = read(
            &["ENDPOINTS_TABLE"],
            &[("ENDPOINTS_TABLE", "t"), ("EVENTS_TABLE", "e")],
        )
        .unwrap();

        assert_eq!(*config.tables.endpoints, "t");
        assert_eq!(config.tables.events.get(), None);
    }

    #[test]
    fn a_setting_that_may_be_empty_must_still_be_there_and_right() {
        let wanted = ["OPERATOR_WORKSPACE"];
        let operator = |text: &str| {
            let config = read(&wanted, &[("OPERATOR_WORKSPACE", text)])?;
            Ok::<_, InvalidEnvironment>((*config.operator_workspace).clone())
        };

        assert_eq!(operator(""), Ok(None));
        assert_eq!(operator("ws_ops"), Ok(Some("ws_ops".parse().unwrap())));
        assert!(operator("ops").is_err());
        assert!(read(&wanted, &[]).is_err());
    }

    #[test]
    fn a_queue_is_found_by_its_arn_among_those_that_are_asked_for() {
        let there = [("EVENTS_QUEUE_URL", "https://sqs/1/events")];
        let config = read(&["EVENTS_QUEUE_URL"], &there).unwrap();

        assert_eq!(
            config.queues.url_of("arn:aws:sqs:r:1:events"),
            Some("https://sqs/1/events")
        );
        assert_eq!(config.queues.url_of("arn:aws:sqs:r:1:purges"), None);
    }
}
