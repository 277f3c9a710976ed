//! Every identifier of the system, each a type of its own, so that none can stand where another belongs.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// Most characters after the prefix of an id.
const MAX_ID_CHARS: usize = 64;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `{prefix}` followed by 1 to {MAX_ID_CHARS} letters, digits, `_` or `-`")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id as text, prefix included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_id(&text, $prefix) { Ok(Self(text)) } else { Err(InvalidId { prefix: $prefix }) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A customer's workspace; everything belongs to exactly one.
    WorkspaceId, "ws_"
);
id!(
    /// An endpoint: a url with its subscriptions.
    EndpointId, "whe_"
);
id!(
    /// An event, named by its producer. It is the `webhook-id` of every attempt; without a full stop,
    /// because Standard Webhooks joins id, timestamp and body with one.
    EventId, "evt_"
);
id!(
    /// One event on its way to one endpoint.
    DeliveryId, "del_"
);
id!(
    /// A recovery: an endpoint gets back what it missed.
    RecoveryId, "rec_"
);

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (1..=MAX_ID_CHARS).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    })
}

impl EndpointId {
    /// A new id; ids sort by `now`, and `random` keeps them apart.
    #[must_use]
    pub fn new(now: Timestamp, random: u128) -> Self {
        Self(sortable(Self::PREFIX, now, random))
    }
}

impl EventId {
    /// A new id, for events that start here (test events).
    #[must_use]
    pub fn new(now: Timestamp, random: u128) -> Self {
        Self(sortable(Self::PREFIX, now, random))
    }
}

impl RecoveryId {
    /// A new id; ids sort by `now`, and `random` keeps them apart.
    #[must_use]
    pub fn new(now: Timestamp, random: u128) -> Self {
        Self(sortable(Self::PREFIX, now, random))
    }

    /// When it was asked for, which is the id's time part; `None` if the id is not one of ours.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        time_of(&self.0[Self::PREFIX.len()..])
    }
}

impl EventId {
    /// The id of an event that follows from a record of a table's stream: always the same for the same three values.
    #[must_use]
    pub fn derive(at: Timestamp, record_id: &str, name: &str) -> Self {
        Self(sortable(Self::PREFIX, at, hash_of(record_id, name)))
    }
}

impl DeliveryId {
    /// The id of an event's delivery to an endpoint: always the same for the same three values,
    /// so that queueing a delivery twice makes nothing new.
    #[must_use]
    pub fn derive(accepted_at: Timestamp, event: &EventId, endpoint: &EndpointId) -> Self {
        let hash = hash_of(event.as_str(), endpoint.as_str());
        Self(sortable(Self::PREFIX, accepted_at, hash))
    }

    /// The least id that a delivery accepted at `instant` can have.
    #[must_use]
    pub fn first_at(instant: Timestamp) -> Self {
        Self(sortable(Self::PREFIX, instant, 0))
    }

    /// The greatest id that a delivery accepted at `instant` can have.
    #[must_use]
    pub fn last_at(instant: Timestamp) -> Self {
        Self(sortable(Self::PREFIX, instant, u128::MAX))
    }

    /// The greatest id below this one; `None` if there is none, or the id is not one of ours.
    #[must_use]
    pub fn previous(&self) -> Option<Self> {
        let ulid = Ulid::from_string(&self.0[Self::PREFIX.len()..]).ok()?;
        let below = Ulid(ulid.0.checked_sub(1)?);
        Some(Self(format!("{}{below}", Self::PREFIX)))
    }

    /// When the event was accepted, which is the id's time part; `None` if the id is not one of ours.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Timestamp> {
        time_of(&self.0[Self::PREFIX.len()..])
    }
}

/// The time part of what comes after an id's prefix.
fn time_of(sortable: &str) -> Option<Timestamp> {
    let ulid = Ulid::from_string(sortable).ok()?;
    Timestamp::from_millisecond(i64::try_from(ulid.timestamp_ms()).ok()?).ok()
}

/// As many bits as keep two pairs of texts apart.
fn hash_of(one: &str, other: &str) -> u128 {
    let digest = Sha256::new()
        .chain_update(one)
        .chain_update([0])
        .chain_update(other);
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest.finalize()[..16]);
    u128::from_be_bytes(bits)
}

fn sortable(prefix: &str, instant: Timestamp, random: u128) -> String {
    let millis = u64::try_from(instant.as_millisecond()).unwrap_or(0);
    format!("{prefix}{}", Ulid::from_parts(millis, random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_needs_its_prefix_and_only_safe_characters() {
        assert!("evt_01HXYZ".parse::<EventId>().is_ok());
        for bad in [
            "",
            "evt_",
            "whe_1",
            "evt_a.b",
            "evt_a b",
            "evt_ä",
            &format!("evt_{}", "a".repeat(65)),
        ] {
            assert!(bad.parse::<EventId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn between_an_id_and_the_one_before_it_there_is_no_other() {
        let id = |text: &str| text.parse::<DeliveryId>().unwrap();

        let first = id("del_01ARZ3NDEKTSV4RRFFQ69G5FA0");
        assert_eq!(first.previous(), Some(id("del_01ARZ3NDEKTSV4RRFFQ69G5F9Z")));
        assert_eq!(id("del_00000000000000000000000000").previous(), None);
        assert_eq!(id("del_1").previous(), None);
    }

    proptest! {
        #[test]
        fn delivery_ids_sort_by_the_time_of_acceptance(a in 0_i64..4_000_000_000_000, b in 0_i64..4_000_000_000_000) {
            let (event, endpoint) = ("evt_1".parse().unwrap(), "whe_1".parse().unwrap());
            let id = |ms| DeliveryId::derive(Timestamp::from_millisecond(ms).unwrap(), &event, &endpoint);

            prop_assert_eq!(a.cmp(&b), id(a).cmp(&id(b)));
            prop_assert_eq!(id(a).accepted_at().unwrap().as_millisecond(), a);
            prop_assert!(DeliveryId::first_at(id(a).accepted_at().unwrap()) <= id(a));
            prop_assert!(DeliveryId::last_at(id(a).accepted_at().unwrap()) >= id(a));
        }

        #[test]
        fn delivery_ids_of_different_endpoints_differ(a in "[a-z]{1,20}", b in "[a-z]{1,20}") {
            prop_assume!(a != b);
            let event = "evt_1".parse().unwrap();
            let id = |name: &str| DeliveryId::derive(Timestamp::UNIX_EPOCH, &event, &format!("whe_{name}").parse().unwrap());

            prop_assert_ne!(id(&a), id(&b));
        }
    }
}
