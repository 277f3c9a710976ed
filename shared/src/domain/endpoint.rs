//! An endpoint: where events go, which ones, and how it has been doing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::annotations::{Description, Metadata};
use super::event_type::{Catalogue, EventName};
use super::failure_record::FailureRecord;
use super::id::{EndpointId, RecoveryId, WorkspaceId};
use super::task::Kind;

/// Most entries in an endpoint's list of events.
pub const MAX_SUBSCRIPTIONS: usize = 50;

/// The entry that subscribes to all current and future events.
pub const EVERYTHING: &str = "*";

/// An endpoint of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whom it belongs to.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: EndpointId,
    /// Where deliveries are sent.
    pub url: String,
    /// What it receives.
    pub events: Subscriptions,
    /// What its owner calls it.
    pub description: Description,
    /// What its owner keeps with it.
    pub metadata: Metadata,
    /// Whether it receives anything.
    pub enabled: bool,
    /// When it was last enabled or disabled, or was created; `None` where it is not known.
    pub switched_at: Option<Timestamp>,
    /// Why this system disabled it; `None` if its owner did, or if it is enabled.
    pub disabled_reason: Option<DisabledReason>,
    /// The version of its secret that signs; every other version is dead.
    pub secret_version: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its owner or this system last changed it.
    pub updated_at: Timestamp,
    /// How it has been doing since its last success.
    pub failures: FailureRecord,
    /// The recovery that runs or is paused.
    pub recovery: Option<RecoveryId>,
}

/// Why this system disabled an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// The receiver answered 410.
    Gone,
    /// No success for days, and a delivery exhausted in that time.
    Failing,
}

impl Endpoint {
    /// Whether attempts of this kind are made at it: a disabled endpoint gets tests only.
    #[must_use]
    pub fn takes(&self, kind: Kind) -> bool {
        self.enabled || kind == Kind::Test
    }

    /// Whether this system is to disable it, because it has failed for `limit` ([`FailureRecord::is_hopeless`]).
    #[must_use]
    pub fn is_to_be_disabled(&self, limit: SignedDuration, now: Timestamp) -> bool {
        self.enabled && self.failures.is_hopeless(limit, now)
    }
}

/// The event types an endpoint receives: 1 to [`MAX_SUBSCRIPTIONS`] names of its workspace's catalogue, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subscriptions(Vec<String>);

/// What is wrong with a list of events. The caller is told in words of the API (`functions::request`).
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidSubscriptions {
    /// None, or more than [`MAX_SUBSCRIPTIONS`].
    Count,
    /// The same name twice.
    Duplicate(String),
    /// `*` together with others.
    EverythingAndMore,
    /// A pattern, such as `survey.*`.
    Pattern(String),
    /// Names that are not in the catalogue, all of them.
    Unknown(Vec<String>),
}

impl Subscriptions {
    /// All current and future events.
    #[must_use]
    pub fn everything() -> Self {
        Self(vec![EVERYTHING.to_owned()])
    }

    /// Reads the list that an endpoint of a workspace with this catalogue is to have.
    ///
    /// # Errors
    /// [`InvalidSubscriptions`] says what is wrong with it.
    pub fn parse(names: Vec<String>, catalogue: Catalogue) -> Result<Self, InvalidSubscriptions> {
        if names.is_empty() || names.len() > MAX_SUBSCRIPTIONS {
            return Err(InvalidSubscriptions::Count);
        }
        let mut unknown = Vec::new();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(InvalidSubscriptions::Duplicate(shortened(name)));
            }
            if name != EVERYTHING && name.contains('*') {
                return Err(InvalidSubscriptions::Pattern(shortened(name)));
            }
            if name != EVERYTHING && catalogue.find(name).is_none() {
                unknown.push(shortened(name));
            }
        }
        if !unknown.is_empty() {
            return Err(InvalidSubscriptions::Unknown(unknown));
        }
        if names.len() > 1 && names.iter().any(|name| name == EVERYTHING) {
            return Err(InvalidSubscriptions::EverythingAndMore);
        }
        Ok(Self(names))
    }

    /// The names as they were given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether events of this name are received.
    #[must_use]
    pub fn include(&self, event: &EventName) -> bool {
        self.0
            .iter()
            .any(|name| name == EVERYTHING || name == event.as_str())
    }
}

/// Enough of a caller's text to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::super::failure_record::Observation;
    use super::super::testing;
    use super::*;

    /// The operational events, unlike others, are the same in every build.
    fn subscriptions(names: &[&str]) -> Result<Subscriptions, InvalidSubscriptions> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Subscriptions::parse(names, Catalogue::Operator)
    }

    fn name(text: &str) -> EventName {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn an_endpoint_receives_what_it_subscribed_to() {
        let one = subscriptions(&["endpoint.created"]).unwrap();
        let everything = subscriptions(&["*"]).unwrap();

        assert!(one.include(&name("endpoint.created")));
        assert!(!one.include(&name("endpoint.deleted")));
        assert!(everything.include(&name("a.future.event")));
    }

    #[test]
    fn a_list_that_cannot_mean_what_it_says_is_invalid() {
        assert_eq!(subscriptions(&[]), Err(InvalidSubscriptions::Count));
        assert_eq!(
            subscriptions(&["endpoint.created"; 51]),
            Err(InvalidSubscriptions::Count)
        );
        assert!(matches!(
            subscriptions(&["endpoint.created", "endpoint.created"]),
            Err(InvalidSubscriptions::Duplicate(_))
        ));
        assert_eq!(
            subscriptions(&["*", "endpoint.created"]),
            Err(InvalidSubscriptions::EverythingAndMore)
        );
        assert!(matches!(
            subscriptions(&["endpoint.creatd"]),
            Err(InvalidSubscriptions::Unknown(_))
        ));
    }

    #[test]
    fn every_unknown_name_is_listed_and_a_pattern_is_told_apart() {
        let unknown = InvalidSubscriptions::Unknown(vec!["order.paid".to_owned(), "a.b".to_owned()]);

        assert_eq!(
            subscriptions(&["order.paid", "endpoint.created", "a.b"]),
            Err(unknown)
        );
        assert!(matches!(
            subscriptions(&["endpoint.*"]),
            Err(InvalidSubscriptions::Pattern(_))
        ));
    }

    #[test]
    fn a_customers_endpoint_can_not_subscribe_to_operational_events() {
        let names = || vec!["endpoint.created".to_owned()];

        assert!(Subscriptions::parse(names(), Catalogue::Operator).is_ok());
        assert_eq!(
            Subscriptions::parse(names(), Catalogue::Product),
            Err(InvalidSubscriptions::Unknown(names()))
        );
    }

    #[test]
    fn a_disabled_endpoint_takes_tests_only() {
        let (enabled, disabled) = (testing::endpoint(), testing::disabled_endpoint());

        for kind in [Kind::Automatic, Kind::Manual, Kind::Test] {
            assert!(enabled.takes(kind));
            assert_eq!(disabled.takes(kind), kind == Kind::Test, "{kind:?}");
        }
    }

    #[test]
    fn only_an_enabled_endpoint_is_to_be_disabled() {
        let hopeless = [Observation::Failure, Observation::Exhaustion]
            .into_iter()
            .fold(FailureRecord::default(), |record, observation| {
                record.after(observation, Timestamp::UNIX_EPOCH)
            });
        let with = |endpoint: Endpoint, failures: FailureRecord| Endpoint { failures, ..endpoint };
        let is_to_be_disabled = |endpoint: Endpoint| {
            endpoint.is_to_be_disabled(SignedDuration::from_secs(1), Timestamp::from_second(1).unwrap())
        };

        assert!(is_to_be_disabled(with(testing::endpoint(), hopeless)));
        assert!(!is_to_be_disabled(with(testing::disabled_endpoint(), hopeless)));
        assert!(!is_to_be_disabled(testing::endpoint()));
    }
}
