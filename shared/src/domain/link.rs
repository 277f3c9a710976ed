//! Links: what an operator gives to a customer's developer, who exchanges it for a token, once. Only the hash of a link is
//! kept, as of a token; the link itself is nowhere but in the address that was given away.

use jiff::{SignedDuration, Timestamp};

use super::credential::{Credential, Purpose};
use super::id::WorkspaceId;
use super::token::{Grant, Scope};

/// How long a link can be exchanged. It passes through a chat or a browser's history, where a token would stay good for
/// hours.
const EXCHANGED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A link in the clear.
pub type Link = Credential<OfLink>;

/// The purpose of a link.
#[derive(Clone, PartialEq, Eq)]
pub enum OfLink {}

impl Purpose for OfLink {
    const NAME: &'static str = "Link";
    const PREFIX: &'static str = "efa_link_";
}

/// What is stored about a link: what its token may do, and whether it can still be exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGrant {
    /// The workspace of the token.
    pub workspace: WorkspaceId,
    /// What the token may do.
    pub scopes: Vec<Scope>,
    /// When the token stops.
    pub token_expires_at: Timestamp,
    /// When the link stops.
    pub expires_at: Timestamp,
    /// Where the customer came from.
    pub return_url: Option<String>,
    /// When it was exchanged.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl LinkGrant {
    /// A link that is made now. It stops after ten minutes, or with its token if that is sooner.
    #[must_use]
    pub fn new(
        workspace: WorkspaceId,
        scopes: Vec<Scope>,
        token_expires_at: Timestamp,
        return_url: Option<String>,
        now: Timestamp,
    ) -> Self {
        let latest = now.saturating_add(EXCHANGED_WITHIN).unwrap_or(Timestamp::MAX);
        Self {
            workspace,
            scopes,
            token_expires_at,
            expires_at: latest.min(token_expires_at),
            return_url,
            used_at: None,
            revoked_at: None,
        }
    }

    /// Whether the link can be exchanged at this moment.
    #[must_use]
    pub fn can_be_exchanged(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && self.revoked_at.is_none() && now < self.expires_at
    }

    /// What the token may do that comes of it.
    #[must_use]
    pub fn of_token(&self) -> Grant {
        Grant {
            workspace: self.workspace.clone(),
            scopes: self.scopes.clone(),
            expires_at: Some(self.token_expires_at),
            revoked_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lasting(token_seconds: i64) -> LinkGrant {
        LinkGrant::new(
            "ws_1".parse().unwrap(),
            vec![Scope::Read],
            at(token_seconds),
            None,
            at(0),
        )
    }

    #[test]
    fn a_link_can_be_exchanged_for_ten_minutes_and_not_longer_than_its_token_lasts() {
        let (short, long) = (lasting(60), lasting(604_800));

        assert!(long.can_be_exchanged(at(599)) && !long.can_be_exchanged(at(600)));
        assert!(short.can_be_exchanged(at(59)) && !short.can_be_exchanged(at(60)));
    }

    #[test]
    fn a_link_that_was_used_or_revoked_can_not_be_exchanged() {
        let used = LinkGrant {
            used_at: Some(at(1)),
            ..lasting(60)
        };
        let revoked = LinkGrant {
            revoked_at: Some(at(1)),
            ..lasting(60)
        };

        assert!(!used.can_be_exchanged(at(2)));
        assert!(!revoked.can_be_exchanged(at(2)));
    }

    #[test]
    fn the_token_may_do_what_the_link_says_until_the_links_grant_ends() {
        let grant = lasting(3_600).of_token();

        assert!(grant.allows(Scope::Read) && !grant.allows(Scope::Write));
        assert!(grant.is_valid(at(3_599)) && !grant.is_valid(at(3_600)));
    }
}
