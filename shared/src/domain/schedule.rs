//! The retry schedule: how long to wait after each failed attempt.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::id::DeliveryId;

/// Jitter adds up to this part of a wait, and never shortens it.
const JITTER: f64 = 0.1;

/// The schedule that Standard Webhooks suggests and the template's default: waits in seconds, eight attempts in all
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
pub const DEFAULT: &str = "5,300,1800,7200,18000,36000,36000";

/// The waits between the attempts of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    waits_seconds: Vec<u32>,
}

/// A text that is not a schedule.
#[derive(Debug, thiserror::Error)]
#[error("a retry schedule is a list of seconds, such as 5,300,1800")]
pub struct InvalidSchedule;

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let waits: Result<Vec<u32>, _> = text.split(',').map(|wait| wait.trim().parse()).collect();
        Ok(Self {
            waits_seconds: waits.map_err(|_| InvalidSchedule)?,
        })
    }
}

impl Schedule {
    /// When the attempt after attempt number `failed_attempt` (from 1) is due, or `None` when that was the last.
    ///
    /// The receiver's hint only lengthens the wait. The jitter is a function of the delivery and the attempt,
    /// so that asking again gives the same time.
    #[must_use]
    pub fn next_attempt_at(
        &self,
        delivery: &DeliveryId,
        failed_attempt: u32,
        failed_at: Timestamp,
        retry_after_seconds: Option<u32>,
    ) -> Option<Timestamp> {
        let index = usize::try_from(failed_attempt).ok()?.checked_sub(1)?;
        let scheduled = f64::from(*self.waits_seconds.get(index)?);
        let jittered = scheduled * (1.0 + JITTER * fraction(delivery, failed_attempt));
        let wait = jittered.max(f64::from(retry_after_seconds.unwrap_or(0)));
        #[expect(clippy::cast_possible_truncation, reason = "a wait is a few days at most")]
        let wait = SignedDuration::from_millis((wait * 1000.0) as i64);
        failed_at.saturating_add(wait).ok()
    }
}

/// Between 0 and 1, evenly spread over deliveries and attempts.
fn fraction(delivery: &DeliveryId, attempt: u32) -> f64 {
    let digest = Sha256::new()
        .chain_update(delivery.as_str())
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let sample = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(sample) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::retry_after;
    use proptest::prelude::*;

    fn delivery() -> DeliveryId {
        "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()
    }

    fn failed_at() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    /// The wait after an attempt in seconds.
    fn wait(attempt: u32, hint: Option<u32>) -> Option<f64> {
        let schedule: Schedule = DEFAULT.parse().unwrap();
        let next = schedule.next_attempt_at(&delivery(), attempt, failed_at(), hint)?;
        Some(next.duration_since(failed_at()).as_secs_f64())
    }

    #[test]
    fn the_default_schedule_is_the_one_of_standard_webhooks() {
        let waits = [5, 300, 1800, 7200, 18000, 36000, 36000];

        for (attempt, scheduled) in (1..).zip(waits) {
            let waited = wait(attempt, None).unwrap();
            let scheduled = f64::from(scheduled);
            assert!(
                (scheduled..=scheduled * 1.1).contains(&waited),
                "attempt {attempt}: {waited}"
            );
        }
        assert_eq!(wait(8, None), None);
    }

    #[test]
    fn a_hint_lengthens_the_wait_and_never_shortens_it() {
        let now = failed_at();
        let hint = |value: &str| retry_after::seconds(value, now);

        assert_eq!(wait(1, hint("120")), Some(120.0));
        assert_eq!(wait(1, hint("Mon, 23 Nov 2026 12:02:00 GMT")), Some(120.0));
        assert_eq!(wait(2, hint("10")), wait(2, None));
        assert_eq!(wait(2, hint("soon")), wait(2, None));
        assert_eq!(wait(1, hint("9999999")), Some(86_400.0));
    }

    #[test]
    fn a_text_that_is_not_a_schedule_is_an_error() {
        for bad in ["", "5,", "a", "5;6", "-1", "99999999999"] {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn jitter_only_adds_up_to_a_tenth_and_is_the_same_when_asked_again(id in "[0-9A-Z]{26}", attempt in 1_u32..8) {
            let schedule: Schedule = DEFAULT.parse().unwrap();
            let delivery: DeliveryId = format!("del_{id}").parse().unwrap();
            let next = schedule.next_attempt_at(&delivery, attempt, failed_at(), None).unwrap();
            let base = f64::from(schedule.waits_seconds[attempt as usize - 1]);
            let waited = next.duration_since(failed_at()).as_secs_f64();

            prop_assert!((base..=base * (1.0 + JITTER)).contains(&waited));
            prop_assert_eq!(schedule.next_attempt_at(&delivery, attempt, failed_at(), None).unwrap(), next);
        }
    }
}
