//! The two lanes of attempts. The first is for what is expected to be quick; whatever may be slow, or may fail, waits
//! with the retries, where it holds up no healthy endpoint.

use std::time::Duration;

use super::endpoint::Endpoint;
use super::task::{Kind, Task};

/// After this long without an answer an endpoint counts as slow, and its other deliveries wait with the retries, so that
/// they don't fill the first lane.
pub const SLOW_AFTER: Duration = Duration::from_secs(1);

/// A queue of attempts, with a concurrency of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// First attempts, and attempts that somebody asked for and waits for.
    First,
    /// Further attempts, and first ones at endpoints in trouble.
    Retries,
}

impl Lane {
    /// The lane of an attempt at an endpoint, as far as is known of it now.
    #[must_use]
    pub fn of(task: &Task, endpoint: &Endpoint) -> Self {
        let may_take_long = task.attempt > 1 || endpoint.failures.is_in_trouble();
        if task.kind == Kind::Automatic && may_take_long {
            Self::Retries
        } else {
            Self::First
        }
    }

    /// Whether an attempt that came by this lane is to go by the other one. Nothing moves back: what came with the
    /// retries is made there, even if its endpoint is well again.
    #[must_use]
    pub fn is_left_by(self, task: &Task, endpoint: &Endpoint) -> bool {
        self == Self::First && Self::of(task, endpoint) == Self::Retries
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure_record::Observation;
    use super::super::testing;
    use super::*;
    use jiff::Timestamp;

    fn after(observation: Option<Observation>) -> Endpoint {
        let mut endpoint = testing::endpoint();
        if let Some(observation) = observation {
            endpoint.failures = endpoint.failures.after(observation, Timestamp::UNIX_EPOCH);
        }
        endpoint
    }

    #[test]
    fn a_first_attempt_at_a_healthy_endpoint_goes_by_the_first_lane() {
        assert_eq!(
            Lane::of(&testing::task(1, Kind::Automatic), &after(None)),
            Lane::First
        );
    }

    #[test]
    fn a_further_attempt_goes_by_the_lane_of_retries() {
        assert_eq!(
            Lane::of(&testing::task(2, Kind::Automatic), &after(None)),
            Lane::Retries
        );
    }

    #[test]
    fn a_first_attempt_at_an_endpoint_that_fails_or_is_slow_waits_with_the_retries() {
        for trouble in [Observation::Failure, Observation::Slowness] {
            let lane = Lane::of(&testing::task(1, Kind::Automatic), &after(Some(trouble)));
            assert_eq!(lane, Lane::Retries, "{trouble:?}");
        }
    }

    #[test]
    fn what_somebody_asked_for_goes_by_the_first_lane_in_any_case() {
        for kind in [Kind::Manual, Kind::Test] {
            let lane = Lane::of(&testing::task(9, kind), &after(Some(Observation::Failure)));
            assert_eq!(lane, Lane::First, "{kind:?}");
        }
    }

    #[test]
    fn only_the_first_lane_is_left() {
        let (task, failing) = (
            testing::task(1, Kind::Automatic),
            after(Some(Observation::Failure)),
        );

        assert!(Lane::First.is_left_by(&task, &failing));
        assert!(!Lane::First.is_left_by(&task, &after(None)));
        assert!(!Lane::Retries.is_left_by(&task, &failing));
        assert!(!Lane::Retries.is_left_by(&task, &after(None)));
    }
}
