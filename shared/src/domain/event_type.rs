//! The catalogue of event types, and what a well-formed event name is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most characters of an event name.
const MAX_NAME_CHARS: usize = 128;

/// An event type that endpoints can subscribe to by name.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// Such as `survey.response.created`.
    pub name: &'static str,
    /// One sentence for the customer's developer.
    pub description: &'static str,
    /// The `data` of a sample event, a JSON object.
    pub sample_data: &'static str,
}

macro_rules! event_type {
    ($name:literal, $description:literal) => {
        EventType {
            name: $name,
            description: $description,
            sample_data: include_str!(concat!("samples/", $name, ".json")),
        }
    };
}

/// All event types of today.
pub const CATALOGUE: &[EventType] = &[
    event_type!("survey.response.created", "A survey was completed."),
    event_type!(
        "survey.response.updated",
        "An answer of a completed survey was changed."
    ),
    event_type!("hygiene.submission.created", "A hygiene checklist was submitted."),
    event_type!("feedback.ticket.created", "A feedback ticket was opened."),
    event_type!(
        "feedback.ticket.status_changed",
        "A feedback ticket moved to another status."
    ),
    event_type!("cleaning.log.created", "A cleaning round was logged."),
    event_type!("poster.scanned", "The code on a poster was scanned."),
];

/// The catalogue's entry of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static EventType> {
    CATALOGUE.iter().find(|event_type| event_type.name == name)
}

/// A well-formed event name: words of lower-case letters, digits and `_`, joined by full stops.
/// It need not be in the catalogue: a future event is delivered to those who subscribed to everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName(String);

/// A text that is not an event name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be words of lower-case letters, digits and `_`, joined by full stops, at most {MAX_NAME_CHARS} characters"
)]
pub struct InvalidEventName;

impl EventName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EventName {
    type Error = InvalidEventName;

    fn try_from(text: String) -> Result<Self, InvalidEventName> {
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        let well_formed = text.len() <= MAX_NAME_CHARS && text.contains('.') && text.split('.').all(word);
        if well_formed {
            Ok(Self(text))
        } else {
            Err(InvalidEventName)
        }
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_has_a_well_formed_name_and_a_sample_object() {
        for event_type in CATALOGUE {
            assert!(EventName::try_from(event_type.name.to_owned()).is_ok());
            assert!(
                serde_json::from_str::<serde_json::Map<_, _>>(event_type.sample_data).is_ok(),
                "{}",
                event_type.name
            );
        }
    }

    #[test]
    fn a_name_that_could_not_be_an_event_is_an_error() {
        for bad in [
            "",
            "survey",
            "survey.",
            ".x",
            "a..b",
            "A.b",
            "a b.c",
            "*",
            "a.b\n",
            &format!("a.{}", "b".repeat(128)),
        ] {
            assert!(EventName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
