//! How the time of an invocation is shared between attempts and the records of what came of them.

use std::time::Duration;

use shared::aws::CALL_TIMEOUT;

/// What remains after the last attempt may end: it waits for others to be recorded with, its record may take a whole call
/// that hangs, and there is time to answer.
const RESERVE: Duration = CALL_TIMEOUT.saturating_add(Duration::from_millis(1500));

/// How the time of an invocation is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// The deadline of each attempt.
    pub(super) attempt: Duration,
    reserve: Duration,
}

impl Time {
    /// Shares the time that an invocation has. If that is too little for an attempt of `post_deadline` and its record,
    /// attempts get less, and half of the time stays for the records.
    pub(super) fn share(whole: Duration, post_deadline: Duration) -> Self {
        let reserve = RESERVE.min(whole / 2);
        // A fifth of what is left is for reading, before the first attempt begins.
        let attempt = post_deadline.min(whole.saturating_sub(reserve) * 4 / 5);
        Self { attempt, reserve }
    }

    /// Whether an attempt that begins when so much is left can be recorded.
    pub(super) fn lasts(self, left: Duration) -> bool {
        left >= self.attempt + self.reserve
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::TO_ANSWER;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn with_the_default_time_out_two_rounds_have_the_whole_deadline() {
        let time = Time::share(seconds(40), seconds(15));

        assert_eq!(time.attempt, seconds(15));
        assert!(time.lasts(seconds(40 - 15 - 1)), "the second round");
        assert!(!time.lasts(seconds(22)));
    }

    #[test]
    fn what_begins_can_be_recorded_although_a_call_hangs() {
        let time = Time::share(seconds(40), seconds(15));

        let afterwards = super::super::RECORD_WITHIN + CALL_TIMEOUT + TO_ANSWER;

        assert!(!time.lasts(time.attempt + afterwards));
    }

    #[test]
    fn too_short_a_time_out_makes_attempts_shorter_and_not_impossible() {
        for whole in [seconds(3), seconds(7), seconds(14)] {
            let time = Time::share(whole, seconds(15));

            assert!(time.attempt < whole / 2 && time.attempt > whole / 3, "{time:?}");
            assert!(time.lasts(whole * 9 / 10), "reading takes a little");
        }
    }
}
