//! What an owner notes with an endpoint: a description for people, and metadata for programs. This system shows both and
//! makes nothing of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most characters of a description.
pub const MAX_DESCRIPTION_CHARS: usize = 255;

/// Most entries of an endpoint's metadata.
pub const MAX_ENTRIES: usize = 20;

/// Most characters of a key of the metadata; the least is one.
pub const MAX_KEY_CHARS: usize = 40;

/// Most characters of a value of the metadata.
pub const MAX_VALUE_CHARS: usize = 200;

/// Most bytes of all keys and values together, in UTF-8: each batch of deliveries reads them with the endpoint.
pub const MAX_METADATA_BYTES: usize = 1024;

/// What an endpoint is called by its owner, if it is called anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(Option<String>);

/// A description has more than [`MAX_DESCRIPTION_CHARS`] characters.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

impl Description {
    /// Reads the description that an endpoint is to have; `None` is none.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn parse(text: Option<String>) -> Result<Self, TooLong> {
        if text
            .as_ref()
            .is_some_and(|text| has_more_than(MAX_DESCRIPTION_CHARS, text))
        {
            return Err(TooLong);
        }
        Ok(Self(text))
    }

    /// The text, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// Texts that an owner keeps with an endpoint, such as the number of its own customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

/// What is wrong with metadata. The caller is told in words of the API (`functions::request`).
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidMetadata {
    /// More than [`MAX_ENTRIES`].
    Count,
    /// More than [`MAX_METADATA_BYTES`].
    Size,
    /// The entry of this key has no key, or one of more than [`MAX_KEY_CHARS`] characters.
    Key(String),
    /// The entry of this key has a value of more than [`MAX_VALUE_CHARS`] characters.
    Value(String),
}

impl Metadata {
    /// Reads the metadata that an endpoint is to have.
    ///
    /// # Errors
    /// Everything that is wrong with it: what concerns all of it, then its entries by their keys.
    pub fn parse(entries: BTreeMap<String, String>) -> Result<Self, Vec<InvalidMetadata>> {
        let mut wrong = Vec::new();
        if entries.len() > MAX_ENTRIES {
            wrong.push(InvalidMetadata::Count);
        }
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > MAX_METADATA_BYTES {
            wrong.push(InvalidMetadata::Size);
        }
        for (key, value) in &entries {
            if key.is_empty() || has_more_than(MAX_KEY_CHARS, key) {
                wrong.push(InvalidMetadata::Key(key.clone()));
            }
            if has_more_than(MAX_VALUE_CHARS, value) {
                wrong.push(InvalidMetadata::Value(key.clone()));
            }
        }
        if wrong.is_empty() {
            Ok(Self(entries))
        } else {
            Err(wrong)
        }
    }

    /// The entries by their keys.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Characters are those of Unicode, as JSON Schema counts them.
fn has_more_than(most: usize, text: &str) -> bool {
    text.chars().nth(most).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(entries: &[(&str, &str)]) -> Result<Metadata, Vec<InvalidMetadata>> {
        let entries = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Metadata::parse(entries.collect())
    }

    #[test]
    fn a_description_has_at_most_255_characters_however_many_bytes_they_are() {
        let of = |chars: usize| Description::parse(Some("ž".repeat(chars)));

        assert_eq!(of(255).unwrap().text(), Some("ž".repeat(255).as_str()));
        assert_eq!(of(256), Err(TooLong));
        assert!(Description::parse(None).unwrap().is_none());
        assert_eq!(Description::parse(Some(String::new())).unwrap().text(), Some(""));
    }

    #[test]
    fn metadata_has_at_most_twenty_entries() {
        let of = |count: usize| Metadata::parse((0..count).map(|n| (n.to_string(), String::new())).collect());

        assert!(of(0).unwrap().is_empty());
        assert_eq!(of(20).unwrap().entries().len(), 20);
        assert_eq!(of(21), Err(vec![InvalidMetadata::Count]));
    }

    #[test]
    fn a_key_has_1_to_40_characters_and_a_value_at_most_200() {
        let (key, value) = ("ž".repeat(40), "ž".repeat(200));
        let (longer_key, longer_value) = ("k".repeat(41), "v".repeat(201));

        assert!(metadata(&[(&key, &value)]).is_ok());
        assert_eq!(
            metadata(&[("", "v"), (&longer_key, "v"), ("key", &longer_value)]),
            Err(vec![
                InvalidMetadata::Key(String::new()),
                InvalidMetadata::Value("key".to_owned()),
                InvalidMetadata::Key(longer_key.clone()),
            ])
        );
    }

    #[test]
    fn all_keys_and_values_together_are_at_most_1024_bytes_of_utf8() {
        let value = "ž".repeat(100);
        let most = [
            ("a", value.as_str()),
            ("b", &value),
            ("c", &value),
            ("d", &value),
            ("e", &value),
        ];

        assert!(metadata(&[most.as_slice(), &[("f", "123456789012345678")]].concat()).is_ok());
        assert_eq!(
            metadata(&[most.as_slice(), &[("f", "1234567890123456789")]].concat()),
            Err(vec![InvalidMetadata::Size])
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let entries = (0..21).map(|n| (format!("key{n:02}"), "v".repeat(if n < 2 { 201 } else { 100 })));

        assert_eq!(
            Metadata::parse(entries.collect()),
            Err(vec![
                InvalidMetadata::Count,
                InvalidMetadata::Size,
                InvalidMetadata::Value("key00".to_owned()),
                InvalidMetadata::Value("key01".to_owned()),
            ])
        );
    }
}
