//! Signing secrets, and the signature they make (Standard Webhooks, symmetric `v1`).

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::id::EventId;

/// Random bytes in a secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 24;

/// An endpoint's signing secret. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

/// A text that is not a signing secret.
#[derive(Debug, thiserror::Error)]
#[error("not a signing secret")]
pub struct InvalidSecret;

impl Secret {
    /// What a secret begins with; the base64 behind it is what Standard Webhooks libraries take.
    pub const PREFIX: &'static str = "whs_";

    /// A secret of these random bytes.
    #[must_use]
    pub fn new(random: [u8; SECRET_BYTES]) -> Self {
        Self(random)
    }

    /// Reads what [`Secret::reveal`] wrote.
    ///
    /// # Errors
    /// [`InvalidSecret`] unless it is the prefix and the base64 of 24 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(Self::PREFIX).ok_or(InvalidSecret)?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        Ok(Self(bytes.try_into().map_err(|_| InvalidSecret)?))
    }

    /// The secret in the clear: only for the two answers that show it and for Secrets Manager.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, BASE64_STANDARD.encode(self.0))
    }

    /// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    ///
    /// `timestamp` is in seconds since 1970. Source: the Standard Webhooks specification, "Signature scheme".
    #[must_use]
    pub fn sign(&self, id: &EventId, timestamp: i64, body: &[u8]) -> String {
        self.sign_text(id.as_str(), timestamp, body)
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    fn sign_text(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vectors {
        v1: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        secret: String,
        id: String,
        timestamp: i64,
        body: String,
        signature: String,
    }

    #[test]
    fn signatures_match_the_vectors_of_standard_webhooks() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../tests/vectors/standard-webhooks.json")).unwrap();

        assert!(!vectors.v1.is_empty());
        for vector in vectors.v1 {
            let secret = Secret::parse(&vector.secret.replace("whsec_", Secret::PREFIX)).unwrap();
            assert_eq!(
                secret.sign_text(&vector.id, vector.timestamp, vector.body.as_bytes()),
                vector.signature
            );
        }
    }

    #[test]
    fn a_secret_is_32_characters_after_its_prefix_and_never_printed() {
        let secret = Secret::new([7; SECRET_BYTES]);

        assert_eq!(secret.reveal().len(), 4 + 32);
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        assert_eq!(Secret::parse(&secret.reveal()).unwrap(), secret);
        assert!(Secret::parse("whs_AAAA").is_err());
    }

    proptest! {
        #[test]
        fn the_official_library_verifies_every_signature(random: [u8; SECRET_BYTES], body: String) {
            let secret = Secret::new(random);
            let now = crate::clock::Clock.now().as_second();
            let signature = secret.sign_text("evt_1", now, body.as_bytes());

            let verifier = standardwebhooks::Webhook::new(secret.reveal().trim_start_matches(Secret::PREFIX)).unwrap();
            prop_assert_eq!(verifier.sign("evt_1", now, body.as_bytes()).unwrap(), signature);
        }
    }
}
