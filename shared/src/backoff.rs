//! Waiting between tries: one rule for every loop that tries again.

use std::time::Duration;

use crate::clock;

/// Tries of something that may have to be done again, and the waits between them, which double. Each wait is shortened
/// at random by up to a half, so that those who were throttled together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    tries: u32,
    first: Duration,
    longest: Duration,
    made: u32,
}

impl Backoff {
    /// So many tries in all; the first wait is at most `first`, and none is longer than `longest`.
    #[must_use]
    pub const fn new(tries: u32, first: Duration, longest: Duration) -> Self {
        Self {
            tries,
            first,
            longest,
            made: 0,
        }
    }

    /// Tries without an end, for what is cut off from outside.
    #[must_use]
    pub const fn endless(first: Duration, longest: Duration) -> Self {
        Self::new(u32::MAX, first, longest)
    }

    /// After a try that failed: waits, if another one is left, and says whether it is.
    pub async fn wait(&mut self) -> bool {
        self.made = self.made.saturating_add(1);
        if self.made >= self.tries {
            return false;
        }
        let [random] = clock::random();
        tokio::time::sleep(self.pause(random)).await;
        true
    }

    fn pause(&self, random: u8) -> Duration {
        let doublings = self.made.saturating_sub(1).min(16);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(1.0 - f64::from(random) / f64::from(u8::MAX) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn as_many_tries_are_made_as_were_given() {
        let mut backoff = Backoff::new(3, Duration::from_millis(10), Duration::from_secs(1));

        assert!(backoff.wait().await);
        assert!(backoff.wait().await);
        assert!(!backoff.wait().await);
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_shortened_by_up_to_a_half() {
        let after = |made, random| {
            let backoff = Backoff {
                made,
                ..Backoff::new(9, Duration::from_millis(100), Duration::from_millis(300))
            };
            backoff.pause(random).as_millis()
        };

        assert_eq!((after(1, 0), after(2, 0), after(3, 0)), (100, 200, 300));
        assert_eq!((after(1, u8::MAX), after(9, u8::MAX)), (50, 150));
    }
}
