//! How an endpoint has been doing since its last success: when its failure record begins, what it counts and when it
//! ends. That an attempt failed and that one is slow to be answered are two things: only the first can lead to the
//! endpoint being disabled, both send its first attempts to the lane of the retries (`lane`).

use jiff::{SignedDuration, Timestamp};

/// For how long nothing has succeeded at an endpoint that is noted as failing.
pub const NOTED_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// From which failed attempt of a delivery on it shows that its endpoint is failing; the last one of a shorter schedule
/// shows it too.
pub const NOTED_FROM_ATTEMPT: u32 = 4;

/// What happened to an endpoint since its last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FailureRecord {
    /// When an attempt first failed.
    pub failing_since: Option<Timestamp>,
    /// When an attempt first took long enough for the endpoint to count as slow.
    pub slow_since: Option<Timestamp>,
    /// When a delivery last ran out of attempts.
    pub exhausted_at: Option<Timestamp>,
    /// When it was noted that the endpoint is failing, which is noted once in a record.
    pub noted_at: Option<Timestamp>,
    /// When attempts last stopped failing, or the endpoint was created; `None` since one failed, and where it is not known.
    pub healthy_since: Option<Timestamp>,
}

/// What is observed of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// An attempt succeeded: the record ends.
    Success,
    /// An attempt failed.
    Failure,
    /// An attempt has gone unanswered for a while; it may still succeed.
    Slowness,
    /// A delivery ran out of attempts. That the last one failed is an observation of its own: something else may have
    /// succeeded meanwhile.
    Exhaustion,
    /// The owner enabled it: the record ends.
    Enabling,
}

/// What a failed attempt is in its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Its number, from 1.
    pub number: u32,
    /// Whether no other follows.
    pub is_last: bool,
}

impl FailureRecord {
    /// The record of an endpoint that is created.
    #[must_use]
    pub fn beginning(now: Timestamp) -> Self {
        Self {
            healthy_since: Some(now),
            ..Self::default()
        }
    }

    /// The record after an observation. What the store writes comes to the same, whatever others wrote meanwhile.
    #[must_use]
    pub fn after(self, observation: Observation, now: Timestamp) -> Self {
        match observation {
            Observation::Success | Observation::Enabling => Self {
                healthy_since: self.healthy_since.or(Some(now)),
                ..Self::default()
            },
            Observation::Failure => Self {
                failing_since: self.failing_since.or(Some(now)),
                healthy_since: None,
                ..self
            },
            Observation::Slowness => Self {
                slow_since: self.slow_since.or(Some(now)),
                ..self
            },
            Observation::Exhaustion => Self {
                exhausted_at: Some(now),
                ..self
            },
        }
    }

    /// What two readings of one endpoint know together.
    #[must_use]
    pub fn merged_with(self, other: Self) -> Self {
        Self {
            failing_since: self.failing_since.or(other.failing_since),
            slow_since: self.slow_since.or(other.slow_since),
            exhausted_at: self.exhausted_at.or(other.exhausted_at),
            noted_at: self.noted_at.or(other.noted_at),
            healthy_since: self.healthy_since.or(other.healthy_since),
        }
    }

    /// What is to be written after a batch of attempts, of which at least one was made: nothing on the happy path, and
    /// nothing for another failure of an endpoint that is failing already. One success outweighs all failures of its batch.
    #[must_use]
    pub fn observed_in(self, any_succeeded: bool) -> Option<Observation> {
        let observation = if any_succeeded {
            Observation::Success
        } else {
            Observation::Failure
        };
        self.is_changed_by(observation).then_some(observation)
    }

    /// Whether an observation is worth a write.
    #[must_use]
    pub fn is_changed_by(self, observation: Observation) -> bool {
        match observation {
            Observation::Success => !self.is_empty(),
            Observation::Failure => self.failing_since.is_none(),
            Observation::Slowness => self.slow_since.is_none(),
            Observation::Exhaustion | Observation::Enabling => true,
        }
    }

    /// Whether nothing has happened since the last success.
    fn is_empty(self) -> bool {
        let Self { healthy_since, .. } = self;
        self == Self {
            healthy_since,
            ..Self::default()
        }
    }

    /// Whether the endpoint's attempts may take long, or be in vain.
    #[must_use]
    pub fn is_in_trouble(self) -> bool {
        self.failing_since.is_some() || self.slow_since.is_some()
    }

    /// Whether it is to be noted that the endpoint is failing, after an attempt that failed: once in a record, so that a
    /// thousand failures are one note.
    #[must_use]
    pub fn is_to_be_noted(self, attempt: FailedAttempt, now: Timestamp) -> bool {
        let is_enough = attempt.is_last || attempt.number >= NOTED_FROM_ATTEMPT;
        let for_long = |since: Timestamp| now.duration_since(since) >= NOTED_AFTER;
        is_enough && self.noted_at.is_none() && self.failing_since.is_some_and(for_long)
    }

    /// Whether the endpoint is to be disabled: no success for `limit`, and a delivery exhausted in that time.
    #[must_use]
    pub fn is_hopeless(self, limit: SignedDuration, now: Timestamp) -> bool {
        let for_long = |since: Timestamp| now.duration_since(since) >= limit;
        self.failing_since
            .is_some_and(|since| for_long(since) && self.exhausted_at >= Some(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn noon() -> Timestamp {
        at("2026-11-01T12:00:00Z")
    }

    fn later() -> Timestamp {
        at("2026-11-01T13:00:00Z")
    }

    #[test]
    fn a_record_begins_with_the_first_failure_and_remembers_it() {
        let record = FailureRecord::default().after(Observation::Failure, noon());

        assert_eq!(record.failing_since, Some(noon()));
        assert_eq!(
            record.after(Observation::Failure, later()).failing_since,
            Some(noon())
        );
    }

    #[test]
    fn slowness_is_not_a_failure() {
        let slow = FailureRecord::default().after(Observation::Slowness, noon());

        assert_eq!(slow.slow_since, Some(noon()));
        assert_eq!(slow.failing_since, None);
        assert_eq!(
            slow.after(Observation::Slowness, later()).slow_since,
            Some(noon())
        );
        assert_eq!(
            slow.after(Observation::Failure, later()).failing_since,
            Some(later())
        );
    }

    #[test]
    fn an_exhausted_delivery_counts_and_begins_no_record() {
        let record = FailureRecord::beginning(noon()).after(Observation::Exhaustion, noon());
        let again = record.after(Observation::Exhaustion, later());

        assert_eq!(record.exhausted_at, Some(noon()));
        assert_eq!(again.exhausted_at, Some(later()));
        assert_eq!(
            (again.failing_since, again.healthy_since),
            (None, Some(noon())),
            "something succeeded after its last attempt"
        );
    }

    #[test]
    fn a_success_ends_the_record_and_so_does_enabling() {
        let record = FailureRecord {
            failing_since: Some(noon()),
            slow_since: Some(noon()),
            exhausted_at: Some(noon()),
            noted_at: Some(noon()),
            healthy_since: None,
        };
        let well = FailureRecord::beginning(later());

        assert_eq!(record.after(Observation::Success, later()), well);
        assert_eq!(record.after(Observation::Enabling, later()), well);
    }

    #[test]
    fn a_record_remembers_when_attempts_stopped_failing_until_one_fails() {
        let well = FailureRecord::beginning(noon());
        let after = |observation| well.after(observation, later()).healthy_since;

        for observation in [
            Observation::Success,
            Observation::Enabling,
            Observation::Slowness,
            Observation::Exhaustion,
        ] {
            assert_eq!(after(observation), Some(noon()), "{observation:?}");
        }
        assert_eq!(after(Observation::Failure), None);
    }

    #[test]
    fn the_happy_path_writes_nothing_and_neither_does_the_second_failure() {
        let well = FailureRecord::beginning(noon());
        let failing = well.after(Observation::Failure, noon());
        let slow = well.after(Observation::Slowness, noon());

        assert_eq!(FailureRecord::default().observed_in(true), None);
        assert_eq!(well.observed_in(true), None);
        assert_eq!(well.observed_in(false), Some(Observation::Failure));
        assert_eq!(failing.observed_in(false), None);
        assert_eq!(failing.observed_in(true), Some(Observation::Success));
        assert_eq!(slow.observed_in(true), Some(Observation::Success));
        assert_eq!(slow.observed_in(false), Some(Observation::Failure));
        assert!(!slow.is_changed_by(Observation::Slowness));
        assert!(failing.is_changed_by(Observation::Slowness));
        assert!(failing.is_changed_by(Observation::Exhaustion));
    }

    #[test]
    fn what_either_reading_knows_counts() {
        let well = FailureRecord::default();
        let slow = well.after(Observation::Slowness, noon());

        assert_eq!(well.merged_with(slow), slow);
        assert_eq!(slow.merged_with(well), slow);
        assert_eq!(
            well.merged_with(slow).observed_in(true),
            Some(Observation::Success)
        );
    }

    #[test]
    fn an_endpoint_that_fails_or_is_slow_is_in_trouble() {
        let well = FailureRecord::default();

        assert!(!well.is_in_trouble());
        assert!(well.after(Observation::Failure, noon()).is_in_trouble());
        assert!(well.after(Observation::Slowness, noon()).is_in_trouble());
    }

    #[test]
    fn the_fourth_or_the_last_attempt_shows_that_an_endpoint_is_failing_after_half_an_hour() {
        let failing = FailureRecord::default().after(Observation::Failure, noon());
        let (early, late) = (at("2026-11-01T12:29:59Z"), at("2026-11-01T12:30:00Z"));
        let noted = |record: FailureRecord, number, is_last, now| {
            record.is_to_be_noted(FailedAttempt { number, is_last }, now)
        };

        assert!(noted(failing, 4, false, late));
        assert!(noted(failing, 5, false, late));
        assert!(noted(failing, 1, true, late));
        assert!(!noted(failing, 3, false, late), "another attempt may succeed");
        assert!(
            !noted(failing, 4, false, early),
            "something succeeded within half an hour"
        );
        assert!(
            !noted(FailureRecord::default(), 4, true, late),
            "something has succeeded since"
        );
    }

    #[test]
    fn a_thousand_failures_are_one_note_until_a_success_or_the_owner_ends_the_record() {
        let attempt = FailedAttempt {
            number: 4,
            is_last: false,
        };
        let mut record = FailureRecord::default().after(Observation::Failure, noon());
        let mut notes = 0;
        for _ in 0..1_000 {
            record = record.after(Observation::Failure, later());
            if record.is_to_be_noted(attempt, later()) {
                notes += 1;
                record.noted_at = Some(later());
            }
        }
        let again = |end: Observation| {
            let next = record.after(end, later()).after(Observation::Failure, later());
            next.is_to_be_noted(attempt, at("2026-11-01T13:30:00Z"))
        };

        assert_eq!(notes, 1);
        assert!(again(Observation::Success));
        assert!(again(Observation::Enabling));
    }

    #[test]
    fn an_endpoint_is_hopeless_only_after_the_limit_and_an_exhausted_delivery() {
        let limit = SignedDuration::from_hours(5 * 24);
        let failing = FailureRecord::default().after(Observation::Failure, at("2026-11-01T00:00:00Z"));
        let exhausted = failing.after(Observation::Exhaustion, at("2026-11-02T04:00:00Z"));
        let slow = FailureRecord {
            failing_since: None,
            slow_since: failing.failing_since,
            ..exhausted
        };

        assert!(!failing.is_hopeless(limit, at("2026-11-06T00:00:00Z")));
        assert!(!exhausted.is_hopeless(limit, at("2026-11-05T23:59:59Z")));
        assert!(exhausted.is_hopeless(limit, at("2026-11-06T00:00:00Z")));
        assert!(
            !slow.is_hopeless(limit, at("2026-11-06T00:00:00Z")),
            "slow for long is not failing"
        );
        let before = FailureRecord::default()
            .after(Observation::Exhaustion, at("2026-10-31T23:59:59Z"))
            .after(Observation::Failure, at("2026-11-01T00:00:00Z"));
        assert!(
            !before.is_hopeless(limit, at("2026-11-06T00:00:00Z")),
            "the delivery was exhausted before the failures began"
        );
    }
}
