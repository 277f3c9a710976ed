//! An event as its producer put it on the queue, and the samples that test events are made of.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event_type::{EventName, EventType, InvalidEventName};
use super::id::{DeliveryId, EndpointId, EventId, InvalidId, WorkspaceId};
use super::time;

/// Most bytes of an event.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// A well-formed event. The body is the producer's JSON, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The producer's id; the same id in the same workspace is the same event.
    pub id: EventId,
    /// What happened.
    pub name: EventName,
    /// When it happened, by its producer's clock.
    pub created_at: Timestamp,
    /// Whom it belongs to.
    pub workspace: WorkspaceId,
    /// The whole JSON object as it was received.
    pub body: String,
}

/// An event that was accepted, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedEvent {
    /// The event.
    pub event: Event,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it expires; DynamoDB deletes it some time after that.
    pub expires_at: Timestamp,
    /// Whether it is a test event, which is meant for one endpoint.
    pub test: bool,
}

impl AcceptedEvent {
    /// Whether it has not expired, and so is still shown.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }

    /// The id of its delivery to an endpoint, if it has one.
    #[must_use]
    pub fn delivery_at(&self, endpoint: &EndpointId) -> DeliveryId {
        DeliveryId::derive(self.accepted_at, &self.event.id, endpoint)
    }
}

/// Why a message is not a valid event; the text is for the producer.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// Over [`MAX_EVENT_BYTES`].
    #[error("the event is larger than {MAX_EVENT_BYTES} bytes")]
    TooLarge,
    /// Not JSON, not an object, or a field that is missing, repeated or of the wrong type.
    #[error("not an event: {0}")]
    Malformed(String),
    /// The id is not of the form `evt_…`.
    #[error("`id` {0}")]
    Id(InvalidId),
    /// The workspace is not of the form `ws_…`.
    #[error("`workspace_id` {0}")]
    Workspace(InvalidId),
    /// The name is not well-formed.
    #[error("`event` {0}")]
    Name(#[from] InvalidEventName),
    /// The time is not RFC 3339.
    #[error("`created_at` must be an RFC 3339 time")]
    CreatedAt,
    /// The data is not an object.
    #[error("`data` must be an object")]
    Data,
}

/// The envelope, checked without a copy of `data`, which may hold what no number type can (`1e400`).
#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    event: String,
    created_at: String,
    workspace_id: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Event {
    /// Reads the message of a producer.
    ///
    /// # Errors
    /// [`InvalidEvent`] says what is wrong with it.
    pub fn parse(body: String) -> Result<Self, InvalidEvent> {
        if body.len() > MAX_EVENT_BYTES {
            return Err(InvalidEvent::TooLarge);
        }
        // A derived reader would take a list for an object.
        if !body.trim_start().starts_with('{') {
            return Err(InvalidEvent::Malformed("expected a JSON object".to_owned()));
        }
        let envelope: Envelope =
            serde_json::from_str(&body).map_err(|error| InvalidEvent::Malformed(describe(&error)))?;
        let id = envelope.id.parse().map_err(InvalidEvent::Id)?;
        let name = EventName::try_from(envelope.event)?;
        let created_at = time::parse(&envelope.created_at).ok_or(InvalidEvent::CreatedAt)?;
        let workspace = envelope.workspace_id.parse().map_err(InvalidEvent::Workspace)?;
        if !envelope.data.get().starts_with('{') {
            return Err(InvalidEvent::Data);
        }
        Ok(Self {
            id,
            name,
            created_at,
            workspace,
            body,
        })
    }

    /// The sample of an event type as an event of its own, with `"test": true` at its top level.
    ///
    /// # Errors
    /// [`InvalidEvent`] if the catalogue's entry is malformed, which the build script rules out.
    pub fn sample(
        event_type: &EventType,
        workspace: &WorkspaceId,
        id: &EventId,
        now: Timestamp,
    ) -> Result<Self, InvalidEvent> {
        let body = sample_body(event_type, workspace.as_str(), id.as_str(), now)
            .map_err(|error| InvalidEvent::Malformed(error.to_string()))?;
        Self::parse(body)
    }
}

/// What is wrong and where, without the producer's data: serde quotes a value of the wrong type.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        return format!(
            "a field has the wrong type at line {} column {}",
            error.line(),
            error.column()
        );
    }
    text
}

/// The JSON of a sample, in the documented envelope.
///
/// # Errors
/// The catalogue's sample is not JSON, which the build script rules out.
pub fn sample_body(
    event_type: &EventType,
    workspace: &str,
    id: &str,
    now: Timestamp,
) -> Result<String, serde_json::Error> {
    #[derive(serde::Serialize)]
    struct Sample<'a> {
        id: &'a str,
        event: &'a str,
        created_at: String,
        workspace_id: &'a str,
        test: bool,
        data: serde_json::Value,
    }
    serde_json::to_string(&Sample {
        id,
        event: event_type.name,
        created_at: time::format(now),
        workspace_id: workspace,
        test: true,
        data: serde_json::from_str(event_type.sample_data)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::event_type::Catalogue;
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str =
        r#"{"id":"evt_1","event":"a.b","created_at":"2026-06-07T10:30:00Z","workspace_id":"ws_1","data":{}}"#;

    #[test]
    fn the_body_is_kept_byte_for_byte() {
        let body = "\n{ \"data\" : {\"z\":1e400, \"a\":\"\\u00e9é\"},\t\"workspace_id\":\"ws_1\",\"event\":\"a.b\",\"extra\":1,\"created_at\":\"2026-06-07T10:30:00+02:00\",\"id\":\"evt_1\" } ";

        let event = Event::parse(body.to_owned()).unwrap();

        assert_eq!(event.body, body);
        assert_eq!(event.id.as_str(), "evt_1");
        assert_eq!(time::format(event.created_at), "2026-06-07T08:30:00Z");
    }

    #[test]
    fn an_event_is_kept_until_it_expires_and_its_deliveries_have_the_ids_that_the_fan_out_gives_them() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let accepted = AcceptedEvent {
            event: Event::parse(GOOD.to_owned()).unwrap(),
            accepted_at: at(1),
            expires_at: at(3),
            test: false,
        };
        let endpoint = "whe_1".parse().unwrap();

        assert!(accepted.is_kept(at(2)));
        assert!(!accepted.is_kept(at(3)));
        assert_eq!(
            accepted.delivery_at(&endpoint),
            DeliveryId::derive(at(1), &"evt_1".parse().unwrap(), &endpoint)
        );
    }

    #[test]
    fn a_malformed_event_is_rejected_with_the_reason() {
        for (bad, reason) in [
            ("", "expected a JSON object"),
            ("[]", "expected a JSON object"),
            (
                r#"["evt_1","a.b","2026-06-07T10:30:00Z","ws_1",{}]"#,
                "expected a JSON object",
            ),
            ("{}", "missing field `id`"),
            (&GOOD.replace("evt_1", "1"), "`id` must be"),
            (&GOOD.replace("evt_1", "evt_a.b"), "`id` must be"),
            (&GOOD.replace("\"evt_1\"", "7"), "the wrong type"),
            (&GOOD.replace("a.b", "Nonsense!"), "`event` must be"),
            (&GOOD.replace("ws_1", "acme"), "`workspace_id` must be"),
            (
                &GOOD.replace("2026-06-07T10:30:00Z", "today"),
                "`created_at` must be",
            ),
            (&GOOD.replace("{}", "null"), "`data` must be"),
            (&GOOD.replace("{}", "[]"), "`data` must be"),
            (&GOOD.replace("\"data\"", "\"id\""), "duplicate field"),
            (&format!("{GOOD} x"), "trailing"),
            (
                &GOOD.replace("{}", &format!("{{\"a\":\"{}\"}}", "a".repeat(MAX_EVENT_BYTES))),
                "larger than",
            ),
        ] {
            let error = Event::parse(bad.to_owned()).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad:.80}: {error}");
        }
    }

    #[test]
    fn a_sample_is_an_event_with_test_at_its_top_level() {
        for event_type in Catalogue::Operator.event_types() {
            let event = Event::sample(
                event_type,
                &"ws_1".parse().unwrap(),
                &"evt_1".parse().unwrap(),
                Timestamp::UNIX_EPOCH,
            )
            .unwrap();
            let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();

            assert_eq!(body["test"], true);
            assert_eq!(body["event"], event_type.name);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = Event::parse(text);
        }
    }
}
