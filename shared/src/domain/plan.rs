//! What is to be done with a task, given what the tables say now. The message only names the attempt;
//! the record decides, so that a message that comes twice, late or after a crash does no harm.

use jiff::Timestamp;

use super::delivery::{Attempt, Delivery, Status};
use super::endpoint::Endpoint;
use super::schedule::Schedule;
use super::task::{Kind, Task};

/// What `deliver` does with a task.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing: the endpoint is gone, or the attempt has been made and nothing follows from it here.
    Skip,
    /// The attempt failed and is recorded: hand the message over to `retry` (again).
    HandOver,
    /// End the delivery, because its endpoint is disabled.
    EndDisabled {
        /// Which is disabled.
        endpoint: &'a Endpoint,
        /// The record that ends.
        record: Delivery,
    },
    /// Make the attempt.
    Attempt {
        /// Where.
        endpoint: &'a Endpoint,
        /// The record that the attempt is added to.
        record: Delivery,
    },
}

/// Decides what `deliver` does with a task.
#[must_use]
pub fn step<'a>(task: &Task, endpoint: Option<&'a Endpoint>, record: Option<&Delivery>) -> Step<'a> {
    let Some(endpoint) = endpoint else {
        return Step::Skip;
    };
    let record = match record {
        Some(record) if record.status != Status::Pending => return Step::Skip,
        // While a manual retry is under way, no other message has a say, and the other way round.
        Some(record) if record.manual_retry != task.manual_retry => return Step::Skip,
        Some(record) if record.attempt_count == task.attempt && task.kind == Kind::Automatic => {
            return Step::HandOver;
        }
        Some(record) if record.attempt_count >= task.attempt => return Step::Skip,
        Some(record) => record.clone(),
        None if task.attempt > 1 => return Step::Skip,
        None => Delivery::pending(task),
    };
    if endpoint.takes(task.kind) {
        Step::Attempt { endpoint, record }
    } else {
        Step::EndDisabled { endpoint, record }
    }
}

/// What `retry` does after a failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct FollowUp<'a> {
    /// The endpoint that failed.
    pub endpoint: &'a Endpoint,
    /// The record to write. Its `next_attempt_at` says whether another attempt follows, and when it is due.
    pub record: Delivery,
    /// Whether all scheduled attempts failed, which counts against the endpoint.
    pub is_exhausted: bool,
}

/// Decides what follows a failed attempt. An attempt without a recorded outcome was cut off, which is a failure too.
/// `None` if nothing follows: the endpoint is gone, or the delivery has ended or gone on without this message.
#[must_use]
pub fn follow_up<'a>(
    task: &Task,
    endpoint: Option<&'a Endpoint>,
    record: Option<&Delivery>,
    schedule: &Schedule,
    now: Timestamp,
) -> Option<FollowUp<'a>> {
    let endpoint = endpoint?;
    let record = match record {
        Some(record) if record.status != Status::Pending || record.attempt_count > task.attempt => {
            return None;
        }
        Some(record) if record.manual_retry != task.manual_retry => return None,
        Some(record) if record.attempt_count == task.attempt => record.clone(),
        Some(record) => record.clone().after(Attempt::interrupted(now), task.kind),
        None if task.attempt > 1 => return None,
        None => Delivery::pending(task).after(Attempt::interrupted(now), task.kind),
    };
    if record.status == Status::Failed {
        return Some(FollowUp {
            endpoint,
            record,
            is_exhausted: false,
        });
    }
    let (ended_at, retry_after_seconds) = record.attempts.last().map_or((now, None), |attempt| {
        (attempt.ended_at(), attempt.retry_after_seconds)
    });
    let due = schedule.next_attempt_at(&record.id, record.attempt_count, ended_at, retry_after_seconds);
    Some(FollowUp {
        endpoint,
        record: match due {
            Some(due) => record.waiting_until(due),
            None => record.exhausted(),
        },
        is_exhausted: due.is_none(),
    })
}

#[cfg(test)]
mod whole_schedule;

#[cfg(test)]
mod tests {
    use super::super::delivery::Failure;
    use super::super::testing::{attempt, disabled_endpoint, endpoint, record, task};
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_first_attempt_needs_no_record() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());

        let expected = Step::Attempt {
            endpoint: &endpoint,
            record: Delivery::pending(&task),
        };

        assert_eq!(step(&task, Some(&endpoint), None), expected);
    }

    #[test]
    fn a_further_attempt_without_a_record_belongs_to_a_history_that_is_gone() {
        let task = task(2, Kind::Automatic);

        assert_eq!(step(&task, Some(&endpoint()), None), Step::Skip);
        assert_eq!(
            follow_up(&task, Some(&endpoint()), None, &schedule("1,1"), NOW),
            None
        );
    }

    #[test]
    fn a_deleted_endpoint_gets_nothing() {
        let task = task(1, Kind::Automatic);

        assert_eq!(step(&task, None, None), Step::Skip);
        assert_eq!(follow_up(&task, None, None, &schedule("5"), NOW), None);
    }

    #[test]
    fn a_disabled_endpoint_gets_only_test_events() {
        let (automatic, test) = (task(1, Kind::Automatic), task(1, Kind::Test));
        let disabled = disabled_endpoint();

        assert!(matches!(
            step(&automatic, Some(&disabled), None),
            Step::EndDisabled { .. }
        ));
        assert!(matches!(step(&test, Some(&disabled), None), Step::Attempt { .. }));
    }

    #[test]
    fn an_attempt_that_is_recorded_is_not_made_again() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());
        let step = |statuses: &[u16]| step(&task, Some(&endpoint), Some(&record(&task, statuses)));

        assert_eq!(step(&[200]), Step::Skip);
        assert_eq!(step(&[500]), Step::HandOver);
        assert_eq!(step(&[500, 500]), Step::Skip);
    }

    #[test]
    fn a_manual_retry_is_made_once_and_only_if_it_is_the_one_under_way() {
        let (automatic, endpoint) = (task(8, Kind::Automatic), endpoint());
        let mut record = record(&automatic, &[500; 8]).exhausted();
        let mut manual = task(9, Kind::Manual);
        manual.manual_retry = Some("nonce".to_owned());

        assert_eq!(step(&manual, Some(&endpoint), Some(&record)), Step::Skip);
        record.status = Status::Pending;
        record.manual_retry = Some("other".to_owned());
        assert_eq!(step(&manual, Some(&endpoint), Some(&record)), Step::Skip);
        record.manual_retry = Some("nonce".to_owned());
        assert!(matches!(
            step(&manual, Some(&endpoint), Some(&record)),
            Step::Attempt { .. }
        ));
        let record = record.after(attempt(500), Kind::Manual);
        assert_eq!(record.status, Status::Failed);
        assert_eq!(step(&manual, Some(&endpoint), Some(&record)), Step::Skip);
    }

    #[test]
    fn a_late_message_of_the_schedule_does_not_end_a_manual_retry() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());
        let mut record = record(&task, &[500]).exhausted();
        record.status = Status::Pending;
        record.manual_retry = Some("nonce".to_owned());

        assert_eq!(step(&task, Some(&endpoint), Some(&record)), Step::Skip);
        assert_eq!(
            follow_up(&task, Some(&endpoint), Some(&record), &schedule("1"), NOW),
            None
        );
    }

    #[test]
    fn an_attempt_without_a_recorded_outcome_was_interrupted_and_is_followed_by_the_next() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());

        let follow_up = follow_up(&task, Some(&endpoint), None, &schedule("60"), NOW).unwrap();

        let due = follow_up.record.next_attempt_at.unwrap();
        assert_eq!(follow_up.record.attempt_count, 1);
        assert_eq!(follow_up.record.last_error, Some(Failure::Interrupted));
        assert_eq!(follow_up.endpoint, &endpoint);
        assert!((60..=66).contains(&due.as_second()));
    }

    #[test]
    fn an_interrupted_second_attempt_is_added_to_the_record_of_the_first() {
        let (task, endpoint) = (task(2, Kind::Automatic), endpoint());
        let first = record(&task, &[500]);

        let follow_up = follow_up(&task, Some(&endpoint), Some(&first), &schedule("1,1"), NOW).unwrap();

        assert_eq!(follow_up.record.attempt_count, 2);
        assert_eq!(follow_up.record.last_error, Some(Failure::Interrupted));
    }

    #[test]
    fn a_delivery_fails_after_exactly_the_scheduled_attempts() {
        let endpoint = endpoint();
        let up = |number: u32, statuses: &[u16]| {
            let task = task(number, Kind::Automatic);
            let record = record(&task, statuses);
            follow_up(&task, Some(&endpoint), Some(&record), &schedule("1,1"), NOW)
                .map(|follow_up| (follow_up.record.status, follow_up.is_exhausted))
        };

        assert_eq!(up(1, &[500]), Some((Status::Pending, false)));
        assert_eq!(up(2, &[500, 500]), Some((Status::Pending, false)));
        assert_eq!(up(3, &[500, 500, 500]), Some((Status::Failed, true)));
        assert_eq!(up(1, &[200]), None);
        assert_eq!(up(1, &[500, 500]), None);
        assert_eq!(up(1, &[410]), None);
    }

    #[test]
    fn an_interrupted_test_event_ends_without_another_attempt() {
        let (task, endpoint) = (task(1, Kind::Test), endpoint());

        let follow_up = follow_up(&task, Some(&endpoint), None, &schedule("1"), NOW).unwrap();

        assert_eq!(follow_up.record.status, Status::Failed);
        assert_eq!(follow_up.record.next_attempt_at, None);
        assert!(!follow_up.is_exhausted);
    }
}
