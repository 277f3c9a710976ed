//! The default schedule from the first attempt to the last, to the second, with a clock that is set by hand and
//! every kind of hint that a receiver can give.

use jiff::{SignedDuration, Timestamp};

use super::super::delivery::{Attempt, Delivery, Failure, Status};
use super::super::retry_after;
use super::super::schedule::{self, Schedule};
use super::super::task::Kind;
use super::super::testing;
use super::{FollowUp, follow_up};

/// The default schedule with this delivery's jitter, in whole seconds. A change here moves retries that are waiting.
const WAITS: [i64; 7] = [5, 307, 1815, 7822, 19_266, 39_392, 37_949];

/// How long each attempt takes.
const DURATION_MS: u64 = 1500;

/// What follows the failures of one delivery: the waits between the end of an attempt and the next, in seconds.
/// `hints` are the `Retry-After` headers of the answers.
fn waits(hints: &[&str]) -> Vec<i64> {
    let schedule: Schedule = schedule::DEFAULT.parse().unwrap();
    let endpoint = testing::endpoint();
    let mut task = testing::task(1, Kind::Automatic);
    let mut record = Delivery::pending(&task);
    let mut now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let mut waits = Vec::new();
    loop {
        let hint = hints.get(waits.len()).copied().unwrap_or_default();
        let failed = attempt(now, retry_after::seconds(hint, now));
        let ended_at = failed.ended_at();
        record = record.after(failed, Kind::Automatic);
        let FollowUp::Failed(next) =
            follow_up(&task, "m", Some(&endpoint), Some(&record), &schedule, ended_at)
        else {
            panic!("the attempt failed");
        };
        record = next.record;
        let Some(due) = record.next_attempt_at else {
            assert!(next.is_exhausted);
            assert_eq!((record.status, record.attempt_count), (Status::Failed, 8));
            return waits;
        };
        assert!(!next.is_exhausted);
        assert_eq!(record.status, Status::Pending);
        waits.push(due.duration_since(ended_at).as_secs());
        (now, task) = (due, task.next());
    }
}

#[test]
fn without_hints_eight_attempts_follow_the_schedule_to_the_second() {
    assert_eq!(waits(&[]), WAITS);
}

#[test]
fn a_larger_hint_replaces_a_wait_and_no_other() {
    let mut expected = WAITS;
    expected[0] = 120;
    expected[3] = 8000;

    assert_eq!(waits(&["120", "", "", "8000"]), expected);
}

#[test]
fn a_smaller_a_malformed_and_a_past_hint_change_nothing() {
    let past = "Mon, 23 Nov 2026 11:00:00 GMT";

    assert_eq!(waits(&["1", "10", "soon", "-5", past, "1e9", "0"]), WAITS);
}

#[test]
fn a_date_counts_from_the_attempt_and_a_hint_above_the_cap_is_cut_to_a_day() {
    let mut expected = WAITS;
    expected[0] = 600;
    expected[1] = 86_400;
    expected[2] = 86_400;

    let date = "Mon, 23 Nov 2026 12:10:00 GMT";
    let next_year = "Tue, 23 Nov 2027 12:00:00 GMT";
    assert_eq!(waits(&[date, "86401", next_year]), expected);
}

#[test]
fn the_whole_schedule_takes_between_27_and_31_hours() {
    let whole = SignedDuration::from_secs(waits(&[]).iter().sum());

    assert!((27..=31).contains(&whole.as_hours()), "{whole:?}");
}

fn attempt(at: Timestamp, retry_after_seconds: Option<u32>) -> Attempt {
    Attempt {
        http_status: Some(503),
        duration_ms: DURATION_MS,
        failure: Some(Failure::Status),
        retry_after_seconds,
        ..Attempt::interrupted(at)
    }
}
