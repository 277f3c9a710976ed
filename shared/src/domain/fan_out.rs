//! Who answers for the fan-out of an event, and who receives it.

use jiff::{SignedDuration, Timestamp};

use super::endpoint::Endpoint;
use super::event_type::EventName;

/// For how long the message that brought an event first is on its queue for certain, if its fan-out has not been
/// completed: its first hundred receives take longer, because each waits up to three minutes for the next.
const FIRST_MESSAGE_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// Bytes of events that all messages which follow from one batch may carry together: so much fits into the memory of
/// `fan-out`, which holds each a few times while it is sent.
const MAX_CARRIED_BYTES: usize = 40 * 1024 * 1024;

/// What the messages that carry an event have to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FanOut {
    /// The event is new: queue its deliveries.
    First,
    /// It may have been fanned out in part, or not at all: queue its deliveries once more.
    Again,
    /// Another message sees to it.
    Elsewhere,
}

/// An event that was stored before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBefore<'a> {
    /// The message that brought it first.
    pub message_id: &'a str,
    /// When that was.
    pub accepted_at: Timestamp,
}

/// Whether each of an event's messages may carry its bytes. Every event of a batch has an equal share of the memory.
#[must_use]
pub const fn fits_into_memory(body_bytes: usize, endpoints: usize, events: usize) -> bool {
    body_bytes * endpoints * events <= MAX_CARRIED_BYTES
}

impl FanOut {
    /// Decides for messages that carry an event which was stored before.
    ///
    /// The message that brought an event first answers for its fan-out, however often it comes back. Any other does
    /// nothing, unless so much time has passed that the first may have been parked and redriven, which gives it
    /// another id.
    pub fn of_known<'a>(
        stored: StoredBefore<'_>,
        mut message_ids: impl Iterator<Item = &'a str> + Clone,
        now: Timestamp,
    ) -> Self {
        let is_late = now.duration_since(stored.accepted_at) > FIRST_MESSAGE_LIVES;
        let any = message_ids.clone().next().is_some();
        if message_ids.any(|id| id == stored.message_id) || (is_late && any) {
            Self::Again
        } else {
            Self::Elsewhere
        }
    }

    /// Whether an endpoint receives an event that was accepted then. An endpoint that was created
    /// since does not receive what is fanned out again.
    #[must_use]
    pub fn includes(self, endpoint: &Endpoint, event: &EventName, accepted_at: Timestamp) -> bool {
        let existed = match self {
            Self::First => true,
            Self::Again => endpoint.created_at <= accepted_at,
            Self::Elsewhere => false,
        };
        existed && endpoint.enabled && endpoint.events.include(event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn of_known(message_ids: &[&str], now: &str) -> FanOut {
        let stored = StoredBefore {
            message_id: "first",
            accepted_at: at("2026-11-01T12:00:00Z"),
        };
        FanOut::of_known(stored, message_ids.iter().copied(), at(now))
    }

    #[test]
    fn the_message_that_came_first_answers_for_the_fan_out() {
        assert_eq!(
            of_known(&["other", "first"], "2026-11-01T12:00:01Z"),
            FanOut::Again
        );
    }

    #[test]
    fn any_other_message_does_nothing() {
        assert_eq!(of_known(&["other"], "2026-11-01T13:00:00Z"), FanOut::Elsewhere);
    }

    #[test]
    fn after_an_hour_any_message_answers_because_the_first_may_have_another_id() {
        assert_eq!(of_known(&["other"], "2026-11-01T13:00:01Z"), FanOut::Again);
    }

    #[test]
    fn messages_that_were_all_rejected_answer_for_nothing() {
        assert_eq!(of_known(&[], "2026-11-01T14:00:00Z"), FanOut::Elsewhere);
    }

    #[test]
    fn the_messages_of_a_batch_carry_no_more_than_fits_into_memory_however_many_events_it_has() {
        let largest = super::super::task::MAX_INLINE_BODY_BYTES;

        assert!(fits_into_memory(largest, 170, 10) && !fits_into_memory(largest, 171, 10));
        assert!(fits_into_memory(largest, 17, 100) && !fits_into_memory(largest, 18, 100));
        assert!(fits_into_memory(512, 800, 100));
    }

    #[test]
    fn an_event_that_is_fanned_out_again_is_nothing_for_an_endpoint_created_since() {
        let mut endpoint = testing::endpoint();
        endpoint.created_at = at("2026-11-01T12:00:01Z");
        let event = testing::event_name();
        let accepted_at = at("2026-11-01T12:00:00Z");

        assert!(FanOut::First.includes(&endpoint, &event, accepted_at));
        assert!(!FanOut::Again.includes(&endpoint, &event, accepted_at));
        assert!(FanOut::Again.includes(&endpoint, &event, endpoint.created_at));
        assert!(!FanOut::Elsewhere.includes(&endpoint, &event, endpoint.created_at));
    }

    #[test]
    fn a_disabled_endpoint_and_one_with_other_subscriptions_receive_nothing() {
        let event = testing::event_name();
        let disabled = testing::disabled_endpoint();
        let mut other = testing::endpoint();
        other.events = testing::subscriptions(&["poster.scanned"]);

        assert!(!FanOut::First.includes(&disabled, &event, Timestamp::UNIX_EPOCH));
        assert!(!FanOut::First.includes(&other, &event, Timestamp::UNIX_EPOCH));
    }
}
