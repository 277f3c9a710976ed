//! API tokens: what a caller shows, and what is kept of it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::credential::{Credential, Purpose};
use super::id::WorkspaceId;

/// An API token in the clear.
pub type Token = Credential<OfToken>;

/// The purpose of a token.
#[derive(Clone, PartialEq, Eq)]
pub enum OfToken {}

impl Purpose for OfToken {
    const NAME: &'static str = "Token";
    const PREFIX: &'static str = "efa_sk_";
}

/// The SHA-256 of a token in hexadecimal: the key under which its grant is kept, and its id for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(String);

impl TokenHash {
    /// The hash of a random text.
    pub(super) fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let (high, low) = digest.split_at(16);
        let number = |half: &[u8]| {
            half.iter()
                .fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
        };
        Self(format!("{:032x}{:032x}", number(high), number(low)))
    }

    /// Reads a token's id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal =
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hexadecimal.then(|| Self(text.to_owned()))
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Look at endpoints and deliveries.
    #[serde(rename = "webhooks:read")]
    Read,
    /// Change them; what [`Scope::Retry`] allows as well.
    #[serde(rename = "webhooks:write")]
    Write,
    /// Send again, and send test events, without changing an endpoint.
    #[serde(rename = "webhooks:retry")]
    Retry,
}

impl Scope {
    /// The scope's name in a token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "webhooks:read",
            Self::Write => "webhooks:write",
            Self::Retry => "webhooks:retry",
        }
    }

    /// Whether a token with this scope may do what needs `needed`. No other scope includes reading.
    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        self == needed || (self == Self::Write && needed == Self::Retry)
    }
}

/// What is stored about a token: whose it is, what it allows, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it stops; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// Whether the token is good at this moment.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Whether the token may do this.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|held| held.includes(scope))
    }
}

/// A token or a link, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Its id, and when it was issued.
    pub place: TokenPlace,
    /// The names of its scopes.
    pub scopes: Vec<String>,
    /// When the token stops, or the one that comes of the link; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// What is special about a link; `None` for a token.
    pub link: Option<LinkState>,
}

/// What is special about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkState {
    /// Until when it can be exchanged for a token.
    pub expires_at: Timestamp,
    /// When it was.
    pub used_at: Option<Timestamp>,
}

/// Where a token is in the list of its workspace, which begins with the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlace {
    /// When it was issued.
    pub created_at: Timestamp,
    /// Its id.
    pub id: TokenHash,
}

impl TokenPlace {
    /// Reads a place as `Display` writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (created_at, id) = text.split_once('-')?;
        Some(Self {
            created_at: Timestamp::from_millisecond(created_at.parse().ok()?).ok()?,
            id: TokenHash::parse(id)?,
        })
    }
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.created_at.as_millisecond(), self.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_is_written() {
        let place = TokenPlace {
            created_at: Timestamp::from_millisecond(1_780_828_200_001).unwrap(),
            id: TokenHash::parse(&"0f".repeat(32)).unwrap(),
        };

        assert_eq!(TokenPlace::parse(&place.to_string()), Some(place));
        for bad in ["", "1780828200001", "-0f", "soon-0f", "1780828200001-0f"] {
            assert_eq!(TokenPlace::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_grant_ends_when_it_expires_or_is_revoked() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let grant = |expires_at, revoked_at| Grant {
            workspace: "ws_1".parse().unwrap(),
            scopes: vec![Scope::Read],
            expires_at,
            revoked_at,
        };

        assert!(grant(None, None).is_valid(at(10)));
        assert!(grant(Some(at(11)), None).is_valid(at(10)));
        assert!(!grant(Some(at(10)), None).is_valid(at(10)));
        assert!(!grant(None, Some(at(5))).is_valid(at(10)));
        assert!(grant(None, None).allows(Scope::Read));
        assert!(!grant(None, None).allows(Scope::Write));
    }

    #[test]
    fn a_scope_includes_itself_and_write_includes_retry() {
        use Scope::{Read, Retry, Write};
        for (held, included) in [
            (Read, vec![Read]),
            (Write, vec![Write, Retry]),
            (Retry, vec![Retry]),
        ] {
            for needed in [Read, Write, Retry] {
                assert_eq!(
                    held.includes(needed),
                    included.contains(&needed),
                    "{held:?} {needed:?}"
                );
            }
        }
    }
}
