//! The catalogue of event types, and what a well-formed event name is.
//!
//! Event types are data: a file each in `event-types/`, compiled in by the build script.

#[cfg(test)]
mod files;
mod rule;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::rule::{MAX_NAME_CHARS, is_event_name};
use super::id::WorkspaceId;

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

/// What the build script made of `event-types/`.
mod compiled {
    use super::EventType;

    include!(concat!(env!("OUT_DIR"), "/event_types.rs"));
}

/// The event types that a workspace knows, by which its endpoints can subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Catalogue {
    /// Those of the product's own events: every customer's workspace.
    Product,
    /// Those, and what happens to the endpoints of all workspaces: the operator's workspace.
    Operator,
}

impl Catalogue {
    /// The catalogue of a workspace, where `operator` is the operator's, if there is one.
    #[must_use]
    pub fn of(workspace: &WorkspaceId, operator: Option<&WorkspaceId>) -> Self {
        if operator == Some(workspace) {
            Self::Operator
        } else {
            Self::Product
        }
    }

    /// All event types, the product's own first, each kind by name.
    pub fn event_types(self) -> impl Iterator<Item = &'static EventType> {
        let operational = match self {
            Self::Product => &[],
            Self::Operator => compiled::OPERATIONAL,
        };
        compiled::CATALOGUE.iter().chain(operational)
    }

    /// The event type of this name.
    #[must_use]
    pub fn find(self, name: &str) -> Option<&'static EventType> {
        self.event_types().find(|event_type| event_type.name == name)
    }
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
        if is_event_name(&text) {
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
        for event_type in Catalogue::Operator.event_types() {
            assert!(EventName::try_from(event_type.name.to_owned()).is_ok());
            assert!(
                serde_json::from_str::<serde_json::Map<_, _>>(event_type.sample_data).is_ok(),
                "{}",
                event_type.name
            );
        }
    }

    #[test]
    fn only_the_operators_workspace_knows_the_operational_events() {
        let (operator, other) = ("ws_operator".parse().unwrap(), "ws_1".parse().unwrap());

        assert_eq!(Catalogue::of(&operator, Some(&operator)), Catalogue::Operator);
        assert_eq!(Catalogue::of(&other, Some(&operator)), Catalogue::Product);
        assert_eq!(Catalogue::of(&other, None), Catalogue::Product);
        for event_type in compiled::OPERATIONAL {
            assert!(Catalogue::Operator.find(event_type.name).is_some());
            assert!(Catalogue::Product.find(event_type.name).is_none());
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
