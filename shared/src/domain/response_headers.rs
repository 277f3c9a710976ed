//! The headers of a response that explain why an attempt failed. What a receiver sends is not to be trusted: of each only
//! visible characters are kept, and of all together a bounded number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which headers are kept. If there is no room for all of them, those that come first are.
pub const NAMES: [&str; 5] = [
    "retry-after",
    "content-type",
    "x-request-id",
    "server",
    "location",
];

/// Most bytes of all names and values together.
pub const MAX_BYTES: usize = 512;

/// The headers of a response by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseHeaders(BTreeMap<String, String>);

impl ResponseHeaders {
    /// The headers that are kept of a response, whose values `value` gives. A value that does not fit is cut.
    #[must_use]
    pub fn of<'a>(value: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let mut room = MAX_BYTES;
        let mut kept = BTreeMap::new();
        for name in NAMES {
            let Some(value) = value(name) else {
                continue;
            };
            let value = visible(value, room.saturating_sub(name.len()));
            if !value.is_empty() {
                room -= name.len() + value.len();
                kept.insert(name.to_owned(), value);
            }
        }
        Self(kept)
    }

    /// The headers by their names.
    #[must_use]
    pub fn by_name(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The beginning of a value, of at most so many bytes. Everything but visible ASCII and spaces is replaced: what looks like
/// something else in a browser or a terminal explains nothing.
fn visible(value: &[u8], max_bytes: usize) -> String {
    let text = String::from_utf8_lossy(value);
    let visible = |one: char| {
        if one == ' ' || one.is_ascii_graphic() {
            one
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let mut text: String = text.trim().chars().map(visible).collect();
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(sent: &[(&str, &[u8])]) -> BTreeMap<String, String> {
        let sent: BTreeMap<_, _> = sent.iter().copied().collect();
        ResponseHeaders::of(|name| sent.get(name).copied()).0
    }

    fn texts(headers: &[(&str, &str)]) -> BTreeMap<String, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        headers.collect()
    }

    #[test]
    fn the_five_headers_that_explain_are_kept_and_no_others() {
        let sent: [(&str, &[u8]); 6] = [
            ("content-type", b"text/html"),
            ("location", b"/login"),
            ("retry-after", b"120"),
            ("server", b"nginx"),
            ("set-cookie", b"session=1"),
            ("x-request-id", b"r-1"),
        ];

        let kept = headers(&sent);

        let expected = [
            ("content-type", "text/html"),
            ("location", "/login"),
            ("retry-after", "120"),
            ("server", "nginx"),
            ("x-request-id", "r-1"),
        ];
        assert_eq!(kept, texts(&expected));
        assert!(ResponseHeaders::of(|_| None).is_empty());
    }

    #[test]
    fn what_is_not_visible_is_replaced() {
        let value = |value: &[u8]| headers(&[("server", value)]).remove("server");

        assert_eq!(value(b" nginx 1.2 ").as_deref(), Some("nginx 1.2"));
        assert_eq!(
            value("caf\u{e9}\t\u{202e}x".as_bytes()).as_deref(),
            Some("caf\u{fffd}\u{fffd}\u{fffd}x")
        );
        assert_eq!(value(b"caf\xe9 x").as_deref(), Some("caf\u{fffd} x"));
        assert_eq!(value(b"  "), None);
    }

    #[test]
    fn what_does_not_fit_is_cut_or_left_out_from_the_last_on() {
        let long = [b'x'; 2_000];
        let all = NAMES.map(|name| (name, long.as_slice()));
        let location: [(&str, &[u8]); 2] = [("retry-after", b"120"), ("location", &long)];

        assert_eq!(headers(&all), texts(&[("retry-after", &"x".repeat(512 - 11))]));
        assert_eq!(
            headers(&location),
            texts(&[("retry-after", "120"), ("location", &"x".repeat(512 - 14 - 8))])
        );
    }

    proptest! {
        #[test]
        fn whatever_a_receiver_sends_is_kept_within_the_bound(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), NAMES.len())
        ) {
            let sent: BTreeMap<_, _> = NAMES.into_iter().zip(&values).collect();
            let kept = ResponseHeaders::of(|name| sent.get(name).map(|value| value.as_slice()));

            let bytes: usize = kept.by_name().iter().map(|(name, value)| name.len() + value.len()).sum();
            prop_assert!(bytes <= MAX_BYTES);
            for value in kept.by_name().values() {
                let is_safe = |one: char| one == char::REPLACEMENT_CHARACTER || one == ' ' || one.is_ascii_graphic();
                prop_assert!(value.chars().all(is_safe));
            }
        }
    }
}
