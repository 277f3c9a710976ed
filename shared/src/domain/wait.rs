//! How a task waits until it is due: by the delay of its queue, or by a schedule.

use jiff::{SignedDuration, Timestamp};

/// The longest delay that SQS offers, in seconds
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html>).
pub const MAX_DELAY_SECONDS: u16 = 900;

/// A task may come so much before its time: the queue's delays and the schedules have whole seconds.
const EARLY: SignedDuration = SignedDuration::from_secs(1);

/// By what a task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// By the delay of its queue, in seconds.
    Delay(u16),
    /// By a schedule.
    Schedule,
}

impl Wait {
    /// By what a task waits that is due at a time; what takes longer than `threshold` is scheduled.
    #[must_use]
    pub fn until(due: Timestamp, now: Timestamp, threshold: SignedDuration) -> Self {
        if due.duration_since(now) > threshold {
            return Self::Schedule;
        }
        Self::Delay(delay_seconds(due, now))
    }
}

/// The delay of a task that is due at a time: the rest of its wait, rounded up, or the longest delay. In the latter case
/// the task comes before its time, and [`is_early`] sends it back for the rest.
#[must_use]
pub fn delay_seconds(due: Timestamp, now: Timestamp) -> u16 {
    let wait = due.duration_since(now).max(SignedDuration::ZERO);
    let seconds = u16::try_from((wait.as_millis() + 999) / 1000);
    seconds.map_or(MAX_DELAY_SECONDS, |seconds| seconds.min(MAX_DELAY_SECONDS))
}

/// Whether a task has come before its time.
#[must_use]
pub fn is_early(due: Timestamp, now: Timestamp) -> bool {
    due.duration_since(now) > EARLY
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THRESHOLD: SignedDuration = SignedDuration::from_secs(900);

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn what_the_queue_offers_is_a_delay_and_what_takes_longer_is_scheduled() {
        let until = |milliseconds| Wait::until(at(milliseconds), at(0), THRESHOLD);

        assert_eq!(until(-5), Wait::Delay(0));
        assert_eq!(until(1), Wait::Delay(1));
        assert_eq!(until(900_000), Wait::Delay(900));
        assert_eq!(until(900_001), Wait::Schedule);
    }

    #[test]
    fn a_task_is_early_by_more_than_a_second() {
        assert!(!is_early(at(1000), at(0)));
        assert!(is_early(at(1001), at(0)));
    }

    proptest! {
        /// As if every schedule were refused: the task goes back as often as it is early, with any delay of the queue.
        #[test]
        fn a_task_that_only_waits_on_its_queue_comes_when_it_is_due(
            wait in 0_i64..200_000_000,
            late in proptest::collection::vec(0_i64..3000, 1..50),
        ) {
            let due = at(wait);
            let (mut now, mut hops) = (at(0), 0);

            loop {
                prop_assert!(delay_seconds(due, now) <= MAX_DELAY_SECONDS);
                let delay = i64::from(delay_seconds(due, now)) * 1000;
                now = at(now.as_millisecond() + delay + late[hops % late.len()]);
                hops += 1;
                if !is_early(due, now) {
                    break;
                }
            }

            prop_assert!(now.as_millisecond() >= wait - 1000, "never early");
            prop_assert!(now.as_millisecond() < wait + 1000 + 3000, "late by the queue and a second at most");
            prop_assert!(hops <= usize::try_from(wait / 900_000).unwrap() + 1, "{hops} hops");
        }
    }
}
