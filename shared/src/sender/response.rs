//! Reading a response: no more than the cap, counted after decompression, and of that only the beginning is kept.

use reqwest::Response;

/// Most bytes of a response's body that are read.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// Most bytes of a response's body that are kept.
pub const MAX_EXCERPT_BYTES: usize = 1024;

/// Reads a body up to the cap and returns its beginning. A body under the cap is read to its end, which leaves the
/// connection ready for the next request.
pub(super) async fn read(response: &mut Response) -> Result<String, reqwest::Error> {
    let mut excerpt = Vec::with_capacity(MAX_EXCERPT_BYTES);
    let mut read_bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_EXCERPT_BYTES - excerpt.len();
        excerpt.extend_from_slice(&chunk[..chunk.len().min(room)]);
        read_bytes += chunk.len();
        if read_bytes >= MAX_RESPONSE_BYTES {
            break;
        }
    }
    Ok(text(&excerpt))
}

/// Valid UTF-8 of at most [`MAX_EXCERPT_BYTES`]: replacement characters take more room than what they replace.
fn text(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(MAX_EXCERPT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_keeps_what_is_text(bytes in proptest::collection::vec(any::<u8>(), 0..=MAX_EXCERPT_BYTES), word in "[a-zä]{0,100}") {
            prop_assert!(text(&bytes).len() <= MAX_EXCERPT_BYTES);
            prop_assert_eq!(text(word.as_bytes()), word);
        }
    }
}
