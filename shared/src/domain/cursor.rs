//! Where the next page of a list begins, as a text that whoever asks hands back. It holds a position and a digest of the
//! list, so that it is refused for any other. It is neither secret nor signed: a position that somebody makes up leads to a
//! part of the same list.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::id::DeliveryId;

/// Bytes of the digest, which keep two lists apart.
const DIGEST_BYTES: usize = 16;

/// Writes a position in the list that is described by these texts: whose it is, and each filter.
#[must_use]
pub fn write(position: &DeliveryId, list: &[&str]) -> String {
    let mut bytes = digest(list).to_vec();
    bytes.extend(position.as_str().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position in this list; `None` if the text is none.
#[must_use]
pub fn read(text: &str, list: &[&str]) -> Option<DeliveryId> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let position = bytes.strip_prefix(&digest(list))?;
    let position: DeliveryId = std::str::from_utf8(position).ok()?.parse().ok()?;
    position.accepted_at().map(|_| position)
}

fn digest(list: &[&str]) -> [u8; DIGEST_BYTES] {
    let mut digest = Sha256::new();
    for text in list {
        digest.update(text);
        digest.update([0]);
    }
    let mut bytes = [0; DIGEST_BYTES];
    bytes.copy_from_slice(&digest.finalize()[..DIGEST_BYTES]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> DeliveryId {
        "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()
    }

    #[test]
    fn a_cursor_leads_to_its_position_in_its_list() {
        let cursor = write(&position(), &["ws_1", "failed"]);

        assert_eq!(read(&cursor, &["ws_1", "failed"]), Some(position()));
    }

    #[test]
    fn a_cursor_is_refused_for_any_other_list() {
        let cursor = write(&position(), &["ws_1", "failed"]);

        for other in [
            &["ws_2", "failed"][..],
            &["ws_1", ""],
            &["ws_1"],
            &["ws_1f", "ailed"],
        ] {
            assert_eq!(read(&cursor, other), None, "{other:?}");
        }
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        let cursor = write(&position(), &["ws_1"]);
        let shorter = &cursor[..cursor.len() - 4];
        let changed = cursor.replacen(&cursor[..1], if cursor.starts_with('A') { "B" } else { "A" }, 1);

        for text in ["", "x", "====", shorter, &changed, &format!("{cursor}=")] {
            assert_eq!(read(text, &["ws_1"]), None, "{text}");
        }
    }

    #[test]
    fn a_cursor_is_safe_in_a_url() {
        let cursor = write(&position(), &["ws_1", "failed"]);

        assert!(
            cursor
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        );
    }
}
