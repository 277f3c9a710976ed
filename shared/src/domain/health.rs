//! How an endpoint is doing, in one word, and since when it has been so. Slow answers do not count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;

/// How an endpoint is doing, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// How it is doing.
    pub state: State,
    /// When that began; `None` where it is not known.
    pub since: Option<Timestamp>,
}

/// How an endpoint is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is enabled, and no attempt has failed since the last success.
    Healthy,
    /// It is enabled, and an attempt has failed since the last success.
    Failing,
    /// It is disabled, whatever became of its attempts.
    Disabled,
}

impl Health {
    /// The health of an endpoint.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        let failures = &endpoint.failures;
        let (state, since) = if !endpoint.enabled {
            (State::Disabled, endpoint.switched_at)
        } else if failures.failing_since.is_some() {
            (State::Failing, failures.failing_since)
        } else {
            // Its failures may have ended by a test event while it was disabled.
            let both = endpoint.switched_at.zip(failures.healthy_since);
            (State::Healthy, both.map(|(enabled, well)| enabled.max(well)))
        };
        Self { state, since }
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure_record::{FailureRecord, Observation};
    use super::super::testing;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// An endpoint that was created at the first second, and what was observed of it later.
    fn endpoint(observed: &[(Observation, i64)]) -> Endpoint {
        let created = FailureRecord::beginning(at(1));
        let observe = |record: FailureRecord, (observation, second): &(Observation, i64)| {
            record.after(*observation, at(*second))
        };
        Endpoint {
            switched_at: Some(at(1)),
            failures: observed.iter().fold(created, observe),
            ..testing::endpoint()
        }
    }

    fn health(endpoint: &Endpoint) -> (State, Option<Timestamp>) {
        let Health { state, since } = Health::of(endpoint);
        (state, since)
    }

    #[test]
    fn one_that_has_never_failed_is_healthy_since_it_was_created() {
        assert_eq!(health(&endpoint(&[])), (State::Healthy, Some(at(1))));
    }

    #[test]
    fn one_that_fails_is_failing_since_the_first_failure() {
        let failing = endpoint(&[(Observation::Failure, 2), (Observation::Exhaustion, 3)]);

        assert_eq!(health(&failing), (State::Failing, Some(at(2))));
    }

    #[test]
    fn one_that_succeeded_again_is_healthy_since_the_first_success() {
        let well = endpoint(&[
            (Observation::Failure, 2),
            (Observation::Success, 3),
            (Observation::Success, 4),
        ]);

        assert_eq!(health(&well), (State::Healthy, Some(at(3))));
    }

    #[test]
    fn one_that_is_slow_is_as_healthy_as_before() {
        let slow = endpoint(&[(Observation::Slowness, 2)]);
        let fast_again = endpoint(&[(Observation::Slowness, 2), (Observation::Success, 3)]);

        assert_eq!(health(&slow), (State::Healthy, Some(at(1))));
        assert_eq!(health(&fast_again), (State::Healthy, Some(at(1))));
    }

    #[test]
    fn one_that_is_disabled_is_that_since_it_was_disabled_however_it_fails() {
        let disabled = Endpoint {
            enabled: false,
            switched_at: Some(at(3)),
            ..endpoint(&[(Observation::Failure, 2)])
        };

        assert_eq!(health(&disabled), (State::Disabled, Some(at(3))));
    }

    #[test]
    fn one_that_was_enabled_is_healthy_since_then_whatever_test_events_did_before() {
        let enabled = Endpoint {
            switched_at: Some(at(5)),
            ..endpoint(&[
                (Observation::Failure, 2),
                (Observation::Success, 4),
                (Observation::Enabling, 5),
            ])
        };
        let enabled_while_it_failed = Endpoint {
            switched_at: Some(at(5)),
            ..endpoint(&[(Observation::Failure, 2), (Observation::Enabling, 5)])
        };

        assert_eq!(health(&enabled), (State::Healthy, Some(at(5))));
        assert_eq!(health(&enabled_while_it_failed), (State::Healthy, Some(at(5))));
    }

    #[test]
    fn one_that_an_older_release_wrote_does_not_know_since_when() {
        let older = testing::endpoint();
        let half = Endpoint {
            failures: FailureRecord::beginning(at(1)),
            ..testing::endpoint()
        };

        assert_eq!(health(&older), (State::Healthy, None));
        assert_eq!(health(&half), (State::Healthy, None));
        assert_eq!(health(&testing::disabled_endpoint()), (State::Disabled, None));
    }
}
