//! What lets in whoever shows it: a prefix that says what it is, and a random text. Only the hash is kept, and `Debug` shows
//! nothing of it.

use std::fmt;
use std::marker::PhantomData;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::token::TokenHash;

/// Random bytes in a credential.
const RANDOM_BYTES: usize = 32;

/// Most characters after the prefix of what is taken for a credential.
const MAX_RANDOM_CHARS: usize = 128;

/// What a credential is for.
pub trait Purpose {
    /// What is shown instead of it.
    const NAME: &'static str;
    /// What each of them begins with, and no other credential, so that none can be shown in place of another.
    const PREFIX: &'static str;
}

/// A credential in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential<P>(String, PhantomData<P>);

impl<P: Purpose> Credential<P> {
    /// What each of them begins with.
    pub const PREFIX: &'static str = P::PREFIX;

    /// A credential of these random bytes.
    #[must_use]
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        let text = format!("{}{}", P::PREFIX, BASE64_URL_SAFE_NO_PAD.encode(random));
        Self(text, PhantomData)
    }

    /// Reads a credential; `None` if the text can't be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(P::PREFIX)?;
        (rest.len() <= MAX_RANDOM_CHARS && !rest.is_empty()).then(|| Self(text.to_owned(), PhantomData))
    }

    /// The credential in the clear: only for the answer or the address that gives it away.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it, and its id for an operator. It can't be worked out from that, because it is random.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl<P: Purpose> fmt::Debug for Credential<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(hidden)", P::NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::link::Link;
    use crate::domain::token::Token;

    fn is_hidden_and_read_again<P: Purpose>() {
        let credential = Credential::<P>::new([1; RANDOM_BYTES]);
        let read = Credential::<P>::parse(credential.reveal()).unwrap();

        assert_eq!(format!("{credential:?}"), format!("{}(hidden)", P::NAME));
        assert_eq!(read.hash(), credential.hash());
        assert_eq!(
            TokenHash::parse(credential.hash().as_str()),
            Some(credential.hash())
        );
    }

    fn is_read_with_its_prefix_and_up_to_its_length<P: Purpose>() {
        let longest = format!("{}{}", P::PREFIX, "a".repeat(MAX_RANDOM_CHARS));

        assert!(Credential::<P>::parse(&longest).is_some());
        for bad in ["", "sk_123", P::PREFIX, &format!("{longest}a")] {
            assert!(Credential::<P>::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_credential_is_never_printed_and_its_hash_is_its_key() {
        is_hidden_and_read_again::<crate::domain::token::OfToken>();
        is_hidden_and_read_again::<crate::domain::link::OfLink>();
    }

    #[test]
    fn what_can_not_be_a_credential_is_not_read() {
        is_read_with_its_prefix_and_up_to_its_length::<crate::domain::token::OfToken>();
        is_read_with_its_prefix_and_up_to_its_length::<crate::domain::link::OfLink>();
    }

    #[test]
    fn a_link_is_no_token_and_a_token_is_no_link() {
        let (link, token) = (Link::new([1; RANDOM_BYTES]), Token::new([1; RANDOM_BYTES]));

        assert!(Token::parse(link.reveal()).is_none());
        assert!(Link::parse(token.reveal()).is_none());
    }
}
