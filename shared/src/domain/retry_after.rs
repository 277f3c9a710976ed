//! The `Retry-After` header of a receiver that asks for time (RFC 9110, section 10.2.3).

use jiff::Timestamp;

/// The longest wait that a receiver can ask for: a day, in seconds.
pub const MAX_RETRY_AFTER_SECONDS: u32 = 86_400;

/// How long the receiver asks to wait, in whole seconds from `now`, rounded up and capped at
/// [`MAX_RETRY_AFTER_SECONDS`]; `None` if the value is malformed.
#[must_use]
pub fn seconds(value: &str, now: Timestamp) -> Option<u32> {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit()) {
        return delay(value);
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    // The date has whole seconds, so the wait is cut to them as well.
    let wait = date.as_second().saturating_sub(now.as_second());
    Some(
        u32::try_from(wait.max(0))
            .unwrap_or(u32::MAX)
            .min(MAX_RETRY_AFTER_SECONDS),
    )
}

/// Some receivers send fractions, although the RFC has whole seconds only.
fn delay(value: &str) -> Option<u32> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = value.parse().ok().filter(|_| plain)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the cap"
    )]
    Some(seconds.ceil().min(f64::from(MAX_RETRY_AFTER_SECONDS)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        value: String,
        seconds: serde_json::Value,
    }

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn every_form_of_the_vectors_means_what_is_listed() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../tests/vectors/retry-after.json")).unwrap();

        for vector in vectors {
            let value = match vector.value.as_str() {
                "a date 90 s ahead, IMF-fixdate" => "Mon, 23 Nov 2026 12:01:30 GMT",
                value => value,
            };
            let expected = match &vector.seconds {
                serde_json::Value::String(cap) if cap.starts_with("the cap") => Some(MAX_RETRY_AFTER_SECONDS),
                number => number.as_u64().map(|seconds| u32::try_from(seconds).unwrap()),
            };
            assert_eq!(seconds(value, now()), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics_or_exceeds_the_cap(value: String) {
            prop_assert!(seconds(&value, now()).unwrap_or(0) <= MAX_RETRY_AFTER_SECONDS);
        }
    }
}
