//! What is to be done with a task, given what the tables say now. The message only names the attempt;
//! the record decides, so that a message that comes twice, late or after a crash does no harm.

use jiff::Timestamp;

use super::delivery::{Attempt, Delivery, Status};
use super::endpoint::Endpoint;
use super::schedule::Schedule;
use super::task::{Kind, Task};

/// What `deliver` does with a task.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: the endpoint is gone, or the attempt has been made and nothing follows from it here.
    Skip,
    /// The attempt failed and is recorded: hand the message over to `retry` (again).
    HandOver,
    /// End the delivery, because its endpoint is disabled.
    Refuse(Delivery),
    /// Make the attempt; the record is the one it is added to.
    Attempt(Delivery),
}

/// Decides what `deliver` does with a task.
#[must_use]
pub fn step(task: &Task, endpoint: Option<&Endpoint>, record: Option<&Delivery>) -> Step {
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
    if !endpoint.enabled && task.kind != Kind::Test {
        return Step::Refuse(record);
    }
    Step::Attempt(record)
}

/// What `retry` does with a task whose attempt failed.
#[derive(Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// Nothing: the delivery has ended, or has gone on without this message.
    Nothing,
    /// Record that no further attempt follows; `exhausted` tells whether the schedule ran out.
    End {
        /// The new record.
        record: Delivery,
        /// Whether all scheduled attempts failed, which counts against the endpoint.
        exhausted: bool,
    },
    /// Record when the next attempt is due, and put it on its way.
    Again {
        /// The new record.
        record: Delivery,
        /// When the next attempt is due.
        due: Timestamp,
    },
}

/// Decides what follows a failed attempt. An attempt without a recorded outcome was cut off, which is a failure too.
#[must_use]
pub fn follow_up(
    task: &Task,
    endpoint: Option<&Endpoint>,
    record: Option<&Delivery>,
    schedule: &Schedule,
    now: Timestamp,
) -> FollowUp {
    if endpoint.is_none() {
        return FollowUp::Nothing;
    }
    let record = match record {
        Some(record) if record.status != Status::Pending || record.attempt_count > task.attempt => {
            return FollowUp::Nothing;
        }
        Some(record) if record.manual_retry != task.manual_retry => return FollowUp::Nothing,
        Some(record) if record.attempt_count == task.attempt => record.clone(),
        Some(record) => record.clone().after(Attempt::interrupted(now), task.kind),
        None if task.attempt > 1 => return FollowUp::Nothing,
        None => Delivery::pending(task).after(Attempt::interrupted(now), task.kind),
    };
    if record.status == Status::Failed {
        return FollowUp::End {
            record,
            exhausted: false,
        };
    }
    let last = record.attempts.last().map_or((now, None), |attempt| {
        (attempt.ended_at(), attempt.retry_after_seconds)
    });
    match schedule.next_attempt_at(&record.id, record.attempt_count, last.0, last.1) {
        Some(due) => FollowUp::Again {
            record: record.waiting_until(due),
            due,
        },
        None => FollowUp::End {
            record: record.exhausted(),
            exhausted: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Failure;

    fn task(attempt: u32, kind: Kind) -> Task {
        Task {
            workspace: "ws_1".parse().unwrap(),
            endpoint: "whe_1".parse().unwrap(),
            delivery: "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            event_id: "evt_1".parse().unwrap(),
            event: "a.b".to_owned().try_into().unwrap(),
            attempt,
            kind,
            manual_retry: None,
            body: None,
        }
    }

    fn endpoint(enabled: bool) -> Endpoint {
        Endpoint {
            workspace: "ws_1".parse().unwrap(),
            id: "whe_1".parse().unwrap(),
            url: "https://example.com".to_owned(),
            events: vec!["*".to_owned()].try_into().unwrap(),
            enabled,
            disabled_reason: None,
            secret_version: "v".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            failing_since: None,
            exhausted_at: None,
        }
    }

    fn attempt(http_status: u16) -> Attempt {
        Attempt {
            at: Timestamp::UNIX_EPOCH,
            http_status: Some(http_status),
            duration_ms: 5,
            failure: (http_status >= 300).then_some(Failure::Status),
            response_body: None,
            retry_after_seconds: None,
        }
    }

    fn after(task: &Task, statuses: &[u16]) -> Delivery {
        statuses.iter().fold(Delivery::pending(task), |record, status| {
            record.after(attempt(*status), task.kind)
        })
    }

    #[test]
    fn a_first_attempt_needs_no_record() {
        let task = task(1, Kind::Automatic);

        assert_eq!(
            step(&task, Some(&endpoint(true)), None),
            Step::Attempt(Delivery::pending(&task))
        );
    }

    #[test]
    fn a_deleted_endpoint_gets_nothing() {
        let task = task(1, Kind::Automatic);

        assert_eq!(step(&task, None, None), Step::Skip);
        assert_eq!(
            follow_up(&task, None, None, &"5".parse().unwrap(), Timestamp::UNIX_EPOCH),
            FollowUp::Nothing
        );
    }

    #[test]
    fn a_disabled_endpoint_gets_only_test_events() {
        let automatic = task(1, Kind::Automatic);
        let test = task(1, Kind::Test);

        assert!(matches!(
            step(&automatic, Some(&endpoint(false)), None),
            Step::Refuse(_)
        ));
        assert!(matches!(
            step(&test, Some(&endpoint(false)), None),
            Step::Attempt(_)
        ));
    }

    #[test]
    fn an_attempt_that_is_recorded_is_not_made_again() {
        let task = task(1, Kind::Automatic);

        assert_eq!(
            step(&task, Some(&endpoint(true)), Some(&after(&task, &[200]))),
            Step::Skip
        );
        assert_eq!(
            step(&task, Some(&endpoint(true)), Some(&after(&task, &[500]))),
            Step::HandOver
        );
        assert_eq!(
            step(&task, Some(&endpoint(true)), Some(&after(&task, &[500, 500]))),
            Step::Skip
        );
    }

    #[test]
    fn a_manual_retry_is_made_once_and_only_if_it_is_the_one_under_way() {
        let automatic = task(8, Kind::Automatic);
        let mut record = after(&automatic, &[500; 8]).exhausted();
        let mut manual = task(9, Kind::Manual);
        manual.manual_retry = Some("nonce".to_owned());

        assert_eq!(step(&manual, Some(&endpoint(true)), Some(&record)), Step::Skip);
        record.status = Status::Pending;
        record.manual_retry = Some("other".to_owned());
        assert_eq!(step(&manual, Some(&endpoint(true)), Some(&record)), Step::Skip);
        record.manual_retry = Some("nonce".to_owned());
        assert!(matches!(
            step(&manual, Some(&endpoint(true)), Some(&record)),
            Step::Attempt(_)
        ));
        let record = record.after(attempt(500), Kind::Manual);
        assert_eq!(record.status, Status::Failed);
        assert_eq!(step(&manual, Some(&endpoint(true)), Some(&record)), Step::Skip);
    }

    #[test]
    fn a_late_message_of_the_schedule_does_not_end_a_manual_retry() {
        let task = task(1, Kind::Automatic);
        let mut record = after(&task, &[500]).exhausted();
        record.status = Status::Pending;
        record.manual_retry = Some("nonce".to_owned());
        let schedule: Schedule = "1".parse().unwrap();

        assert_eq!(step(&task, Some(&endpoint(true)), Some(&record)), Step::Skip);
        let follow_up = follow_up(
            &task,
            Some(&endpoint(true)),
            Some(&record),
            &schedule,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(follow_up, FollowUp::Nothing);
    }

    #[test]
    fn an_attempt_without_a_recorded_outcome_was_interrupted_and_is_followed_by_the_next() {
        let task = task(1, Kind::Automatic);

        let FollowUp::Again { record, due } = follow_up(
            &task,
            Some(&endpoint(true)),
            None,
            &"60".parse().unwrap(),
            Timestamp::UNIX_EPOCH,
        ) else {
            panic!("another attempt must follow");
        };

        assert_eq!(record.attempt_count, 1);
        assert_eq!(record.last_error, Some(Failure::Interrupted));
        assert_eq!(record.next_attempt_at, Some(due));
        assert!((60..=66).contains(&due.as_second()));
    }

    #[test]
    fn a_delivery_fails_after_exactly_the_scheduled_attempts() {
        let schedule: Schedule = "1,1".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let up = |number: u32, statuses: &[u16]| {
            let task = task(number, Kind::Automatic);
            follow_up(
                &task,
                Some(&endpoint(true)),
                Some(&after(&task, statuses)),
                &schedule,
                now,
            )
        };

        assert!(matches!(up(1, &[500]), FollowUp::Again { .. }));
        assert!(matches!(up(2, &[500, 500]), FollowUp::Again { .. }));
        assert!(matches!(
            up(3, &[500, 500, 500]),
            FollowUp::End { exhausted: true, .. }
        ));
        assert_eq!(up(1, &[200]), FollowUp::Nothing);
        assert_eq!(up(1, &[500, 500]), FollowUp::Nothing);
        assert_eq!(up(1, &[410]), FollowUp::Nothing);
    }

    #[test]
    fn an_interrupted_test_event_ends_without_another_attempt() {
        let task = task(1, Kind::Test);

        let follow_up = follow_up(
            &task,
            Some(&endpoint(true)),
            None,
            &"1".parse().unwrap(),
            Timestamp::UNIX_EPOCH,
        );

        assert!(matches!(follow_up, FollowUp::End { exhausted: false, .. }));
    }
}
