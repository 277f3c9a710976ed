//! How times are written: RFC 3339 in UTC with `Z` and whole seconds.

use jiff::{SignedDuration, Timestamp, Unit};

/// `2026-06-07T10:30:05Z`; fractions of a second are cut off.
#[must_use]
pub fn format(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads an RFC 3339 time with any offset; `None` for everything else.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    // jiff reads more of ISO 8601 than RFC 3339 allows: a space, missing seconds, a lower-case t.
    let bytes = text.as_bytes();
    let well_formed =
        bytes.len() >= 20 && bytes[10] == b'T' && bytes[13] == b':' && bytes[16] == b':' && bytes[4] == b'-';
    let zoned = text.ends_with('Z') || matches!(bytes.get(bytes.len().wrapping_sub(6)), Some(b'+' | b'-'));
    if well_formed && zoned {
        text.parse().ok()
    } else {
        None
    }
}

/// The first whole second at or after `instant`.
#[must_use]
pub fn ceil_second(instant: Timestamp) -> Timestamp {
    let floor = floor_second(instant);
    if floor == instant {
        floor
    } else {
        floor
            .saturating_add(SignedDuration::from_secs(1))
            .unwrap_or(floor)
    }
}

/// The last whole second at or before `instant`.
#[must_use]
pub fn floor_second(instant: Timestamp) -> Timestamp {
    let round = jiff::TimestampRound::new()
        .smallest(Unit::Second)
        .mode(jiff::RoundMode::Floor);
    instant.round(round).unwrap_or(instant)
}

/// The last millisecond of the second of `instant`: what is shown as that second is not later.
#[must_use]
pub fn end_of_second(instant: Timestamp) -> Timestamp {
    let second = floor_second(instant);
    second
        .saturating_add(SignedDuration::from_millis(999))
        .unwrap_or(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_whole_seconds() {
        let instant = parse("2026-06-07T12:30:05.999+02:00").unwrap();

        assert_eq!(format(instant), "2026-06-07T10:30:05Z");
    }

    #[test]
    fn only_rfc_3339_is_read() {
        for bad in [
            "",
            "2026-06-07",
            "2026-06-07 10:30:05Z",
            "2026-06-07T10:30Z",
            "2026-06-07T10:30:05",
            "yesterday",
            "20260607T103005Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_round_both_ways() {
        let instant = parse("2026-06-07T10:30:05.5Z").unwrap();

        assert_eq!(format(floor_second(instant)), "2026-06-07T10:30:05Z");
        assert_eq!(format(ceil_second(instant)), "2026-06-07T10:30:06Z");
        assert_eq!(ceil_second(floor_second(instant)), floor_second(instant));
    }
}
