//! When nothing of a workspace is left, and nothing that is under way can bring anything back.
//!
//! An erasure looks for tokens and links, endpoints and events, and removes what it finds. A look that finds nothing proves
//! little: a request may be under way with a token that is gone, an event may be on its way, and an index may lag. So the
//! last look is one that finds nothing again, and begins when all of that has ended.

use std::time::Duration;

use jiff::Timestamp;

/// How far an erasure is. It is stored before anything is removed, because what is gone tells nobody that something of it
/// may still be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// When something was found last.
    pub found_at: Timestamp,
    /// From when on nothing is under way of what was found; `None` while something is found.
    pub settled_at: Option<Timestamp>,
}

/// What follows from a look that found nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To remember that all that was under way ends by then, and to look again.
    Settle(Timestamp),
    /// To look again later.
    Wait,
    /// Nothing is left, and nothing comes back.
    Finish,
}

/// What follows from a look that began at `looked_at` and found nothing, when an erasure was as far as this, or `None` had
/// begun. What was under way when it began ends within `settled_after`; `deletions` of endpoints are not over.
#[must_use]
pub fn after_finding_nothing(
    erasure: Option<Erasure>,
    looked_at: Timestamp,
    deletions: usize,
    settled_after: Duration,
) -> Next {
    let settled_at = match erasure {
        Some(Erasure { settled_at: None, .. }) => {
            return Next::Settle(later(looked_at, settled_after));
        }
        Some(Erasure { settled_at, .. }) => settled_at,
        None => None,
    };
    let is_settled = settled_at.is_none_or(|settled_at| looked_at >= settled_at);
    if is_settled && deletions == 0 {
        return Next::Finish;
    }
    Next::Wait
}

/// The deletion of an endpoint, remembered until nothing of the endpoint is left. Without it, nobody would know which
/// history and secret to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// By this time, every attempt is recorded that was under way when the endpoint was deleted.
    pub settled_at: Timestamp,
}

impl Deletion {
    /// A deletion after which nothing more is recorded once this long has passed.
    #[must_use]
    pub fn settled_after(now: Timestamp, settled_after: Duration) -> Self {
        Self {
            settled_at: later(now, settled_after),
        }
    }

    /// Whether it can be forgotten after a look that began at this time and found neither history nor secret.
    #[must_use]
    pub fn is_over(self, looked_at: Timestamp) -> bool {
        looked_at >= self.settled_at
    }

    /// How long to wait for the look after which it can be forgotten, in whole seconds; at least one.
    #[must_use]
    pub fn seconds_left(self, now: Timestamp) -> u64 {
        let left = self.settled_at.duration_since(now).as_millis();
        u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1)
    }
}

fn later(time: Timestamp, wait: Duration) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLED_AFTER: Duration = Duration::from_secs(45);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn erasure(settled_at: Option<i64>) -> Erasure {
        Erasure {
            found_at: at(90),
            settled_at: settled_at.map(at),
        }
    }

    fn after(erasure: Option<Erasure>, looked_at: i64, deletions: usize) -> Next {
        after_finding_nothing(erasure, at(looked_at), deletions, SETTLED_AFTER)
    }

    #[test]
    fn what_is_under_way_is_waited_for_from_the_look_that_finds_nothing() {
        assert_eq!(after(Some(erasure(None)), 100, 0), Next::Settle(at(145)));
        assert_eq!(after(Some(erasure(None)), 1_000, 3), Next::Settle(at(1_045)));
    }

    #[test]
    fn the_last_look_begins_when_everything_has_ended_and_no_deletion_is_open() {
        assert_eq!(after(Some(erasure(Some(145))), 144, 0), Next::Wait);
        assert_eq!(after(Some(erasure(Some(145))), 145, 1), Next::Wait);
        assert_eq!(after(Some(erasure(Some(145))), 145, 0), Next::Finish);
    }

    #[test]
    fn a_workspace_that_has_nothing_is_not_waited_for() {
        assert_eq!(after(None, 100, 0), Next::Finish);
        assert_eq!(after(None, 100, 1), Next::Wait);
    }

    #[test]
    fn a_deletion_is_over_with_a_look_that_begins_when_all_attempts_are_recorded() {
        let deletion = Deletion::settled_after(at(100), SETTLED_AFTER);

        assert!(!deletion.is_over(at(144)));
        assert!(deletion.is_over(at(145)));
        assert_eq!(deletion.seconds_left(at(100)), 45);
        assert_eq!(
            deletion.seconds_left(Timestamp::from_millisecond(144_001).unwrap()),
            1
        );
        assert_eq!(deletion.seconds_left(at(150)), 1);
    }
}
