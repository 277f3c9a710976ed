//! An endpoint: where events go, which ones, and how it has been doing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_type::{self, EventName};
use super::id::{EndpointId, WorkspaceId};

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
    /// Whether it receives anything.
    pub enabled: bool,
    /// Why this system disabled it; `None` if its owner did, or if it is enabled.
    pub disabled_reason: Option<DisabledReason>,
    /// The version of its secret that signs; every other version is dead.
    pub secret_version: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its owner or this system last changed it.
    pub updated_at: Timestamp,
    /// When the first attempt failed since the last success; `None` while all goes well.
    pub failing_since: Option<Timestamp>,
    /// When a delivery last ran out of attempts since the last success.
    pub exhausted_at: Option<Timestamp>,
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
    /// Whether it has failed for so long that it is to be disabled: no success for `limit`,
    /// and at least one exhausted delivery in that time.
    #[must_use]
    pub fn has_failed_for(&self, limit: SignedDuration, now: Timestamp) -> bool {
        let long_enough = |since: Timestamp| now.duration_since(since) >= limit;
        self.exhausted_at.is_some() && self.failing_since.is_some_and(long_enough)
    }
}

/// The event types an endpoint receives: 1 to [`MAX_SUBSCRIPTIONS`] names of the catalogue, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subscriptions(Vec<String>);

/// Why a list of events is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubscriptions {
    /// Too few or too many.
    #[error("must contain 1 to {MAX_SUBSCRIPTIONS} event types")]
    Count,
    /// The same name twice.
    #[error("must not contain `{0}` twice")]
    Duplicate(String),
    /// `*` beside others.
    #[error("must contain `*` alone or not at all")]
    EverythingAndMore,
    /// No name of the catalogue.
    #[error("contains `{0}`, which is no event type")]
    Unknown(String),
}

impl TryFrom<Vec<String>> for Subscriptions {
    type Error = InvalidSubscriptions;

    fn try_from(names: Vec<String>) -> Result<Self, InvalidSubscriptions> {
        if names.is_empty() || names.len() > MAX_SUBSCRIPTIONS {
            return Err(InvalidSubscriptions::Count);
        }
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(InvalidSubscriptions::Duplicate(shortened(name)));
            }
            if name != EVERYTHING && event_type::find(name).is_none() {
                return Err(InvalidSubscriptions::Unknown(shortened(name)));
            }
        }
        if names.len() > 1 && names.iter().any(|name| name == EVERYTHING) {
            return Err(InvalidSubscriptions::EverythingAndMore);
        }
        Ok(Self(names))
    }
}

impl Subscriptions {
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
    use super::*;

    fn subscriptions(names: &[&str]) -> Result<Subscriptions, InvalidSubscriptions> {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
            .try_into()
    }

    fn name(text: &str) -> EventName {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn an_endpoint_receives_what_it_subscribed_to() {
        let one = subscriptions(&["poster.scanned"]).unwrap();
        let everything = subscriptions(&["*"]).unwrap();

        assert!(one.include(&name("poster.scanned")));
        assert!(!one.include(&name("survey.response.created")));
        assert!(everything.include(&name("a.future.event")));
    }

    #[test]
    fn a_list_that_cannot_mean_what_it_says_is_refused() {
        assert_eq!(subscriptions(&[]), Err(InvalidSubscriptions::Count));
        assert_eq!(
            subscriptions(&["poster.scanned"; 51]),
            Err(InvalidSubscriptions::Count)
        );
        assert!(matches!(
            subscriptions(&["poster.scanned", "poster.scanned"]),
            Err(InvalidSubscriptions::Duplicate(_))
        ));
        assert_eq!(
            subscriptions(&["*", "poster.scanned"]),
            Err(InvalidSubscriptions::EverythingAndMore)
        );
        assert!(matches!(
            subscriptions(&["poster.scaned"]),
            Err(InvalidSubscriptions::Unknown(_))
        ));
    }

    #[test]
    fn an_endpoint_has_failed_only_after_the_limit_and_an_exhausted_delivery() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let limit = SignedDuration::from_hours(5 * 24);
        let mut endpoint = Endpoint {
            workspace: "ws_1".parse().unwrap(),
            id: "whe_1".parse().unwrap(),
            url: "https://example.com".to_owned(),
            events: subscriptions(&["*"]).unwrap(),
            enabled: true,
            disabled_reason: None,
            secret_version: "v".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            failing_since: Some(at("2026-11-01T00:00:00Z")),
            exhausted_at: None,
        };

        assert!(!endpoint.has_failed_for(limit, at("2026-11-06T00:00:00Z")));
        endpoint.exhausted_at = Some(at("2026-11-02T04:00:00Z"));
        assert!(!endpoint.has_failed_for(limit, at("2026-11-05T23:59:59Z")));
        assert!(endpoint.has_failed_for(limit, at("2026-11-06T00:00:00Z")));
        endpoint.failing_since = None;
        assert!(!endpoint.has_failed_for(limit, at("2026-11-06T00:00:00Z")));
    }
}
