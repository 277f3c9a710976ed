//! A long history of an endpoint, as copies of one record: what differs between them.

use jiff::{SignedDuration, Timestamp};
use shared::domain::id::{DeliveryId, EndpointId, EventId};

/// The time over which a long history is spread: the 30 days that records are kept, but for the hour in which they expire.
pub(crate) const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24 - 2);
/// How long records are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// One record of this many has failed.
const ONE_FAILED_OF: usize = 100;

/// What is different in a copy.
#[derive(Debug)]
pub(crate) struct Copied {
    /// Its delivery.
    pub(crate) delivery: DeliveryId,
    /// Its event.
    pub(crate) event: EventId,
    /// Whether it has failed.
    pub(crate) has_failed: bool,
    /// When it expires, in seconds since 1970.
    pub(crate) expires_at: i64,
}

/// So many copies, each older than the one before, spread over the time before the newest.
pub(crate) fn copies(
    endpoint: &str,
    count: usize,
    newest: Timestamp,
    spread: SignedDuration,
) -> impl Iterator<Item = Copied> {
    let apart = spread.as_secs_f64() / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX));
    let endpoint: Option<EndpointId> = endpoint.parse().ok();
    (0..count).filter_map(move |number| {
        let age = apart * f64::from(u32::try_from(number + 1).ok()?);
        let accepted_at = newest - SignedDuration::try_from_secs_f64(age).ok()?;
        let event: EventId = format!("evt_{number}").parse().ok()?;
        Some(Copied {
            delivery: DeliveryId::derive(accepted_at, &event, endpoint.as_ref()?),
            event,
            has_failed: number.is_multiple_of(ONE_FAILED_OF),
            expires_at: (accepted_at + RETENTION).as_second(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_spread_over_what_is_kept() {
        let newest = Timestamp::from_second(1_780_000_000).unwrap();

        let copies: Vec<_> = copies("whe_1", 1_000, newest, MONTH).collect();

        assert_eq!(copies.len(), 1_000);
        assert!(copies.is_sorted_by(|one, other| one.delivery > other.delivery));
        assert!(copies.iter().all(|copy| copy.expires_at > newest.as_second()));
        assert_eq!(copies.iter().filter(|copy| copy.has_failed).count(), 10);
    }
}
