//! What a well-formed event name is. The build script reads this file too, so it needs nothing but the standard library.

/// Most characters of an event name.
pub(super) const MAX_NAME_CHARS: usize = 128;

/// Whether a text is words of lower-case letters, digits and `_`, joined by full stops.
pub(super) fn is_event_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    text.len() <= MAX_NAME_CHARS && text.contains('.') && text.split('.').all(word)
}
