//! Which events an endpoint has missed, of those that are kept. That they have no delivery is looked up; everything else is
//! decided here.

use jiff::Timestamp;

use super::Recovery;
use crate::domain::endpoint::Endpoint;
use crate::domain::event_type::EventName;
use crate::domain::id::EventId;

/// An event as far as a recovery looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Its id.
    pub id: EventId,
    /// Its name.
    pub name: EventName,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it expires; DynamoDB deletes it some time after that.
    pub expires_at: Timestamp,
    /// Whether it is a test event, which is meant for one endpoint.
    pub test: bool,
}

impl Recovery {
    /// Whether an event is meant, if the endpoint has no delivery of it: accepted in the window and not before the endpoint
    /// was created, subscribed to now, and neither a test nor expired.
    #[must_use]
    pub fn misses(&self, event: &KeptEvent, endpoint: &Endpoint, now: Timestamp) -> bool {
        let (since, until) = (self.wanted.since, self.wanted.until);
        !event.test
            && event.expires_at > now
            && (since..=until).contains(&event.accepted_at)
            && event.accepted_at >= endpoint.created_at
            && endpoint.events.include(&event.name)
            && self.wanted.events.include(&event.name)
    }
}
