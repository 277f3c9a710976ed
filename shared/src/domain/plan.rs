//! What is to be done with a task, given what the tables say now. The message only names the attempt;
//! the record decides, so that a message that comes twice, late, early or after a crash does no harm.

use jiff::{SignedDuration, Timestamp};

use super::delivery::{Attempt, Delivery, Failure, Status};
use super::endpoint::Endpoint;
use super::failure_record::{FailedAttempt, Observation};
use super::schedule::Schedule;
use super::task::Task;
use super::wait;

/// How long after an attempt only the message that the next one was planned for sends it. By then that message may have
/// been parked and redriven, which gives it a new id: 100 receives take longer
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>).
const PLANNER_ANSWERS_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What `deliver` does with a task.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing: the endpoint is gone, or what follows from the attempt is decided already.
    Skip,
    /// The attempt failed and is recorded, and nothing is planned: hand it over to `retry` (again).
    HandOver,
    /// It is not due: let it wait for the rest.
    NotDue {
        /// When it is.
        due: Timestamp,
    },
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
pub fn step<'a>(
    task: &Task,
    endpoint: Option<&'a Endpoint>,
    record: Option<&Delivery>,
    now: Timestamp,
) -> Step<'a> {
    let Some(endpoint) = endpoint else {
        return Step::Skip;
    };
    let record = match record {
        Some(record) if record.status != Status::Pending => return Step::Skip,
        // While a manual retry is under way, no other message has a say, and the other way round.
        Some(record) if record.manual_retry != task.manual_retry => return Step::Skip,
        Some(record) if record.attempt_count > task.attempt => return Step::Skip,
        Some(record) if record.attempt_count == task.attempt => {
            // Once the next attempt is planned, the message that it was planned for answers for it.
            return match record.next_attempt_at {
                None => Step::HandOver,
                Some(_) => Step::Skip,
            };
        }
        Some(record) => record.clone(),
        None if task.attempt > 1 => return Step::Skip,
        None => Delivery::pending(task),
    };
    match record.next_attempt_at {
        Some(due) if wait::is_early(due, now) => Step::NotDue { due },
        _ if endpoint.takes(task.kind) => Step::Attempt { endpoint, record },
        _ => Step::EndDisabled { endpoint, record },
    }
}

/// What `retry` does with a task that came to it.
#[derive(Debug, PartialEq, Eq)]
pub enum FollowUp<'a> {
    /// Nothing: the endpoint is gone, or the delivery has ended or gone on without this message.
    Nothing,
    /// The attempt was not made, because it is not due: let it wait for the rest.
    NotDue {
        /// When it is.
        due: Timestamp,
    },
    /// The next attempt was planned for this very message, which came back because it was not certain to be on its way:
    /// send it (again).
    SendNext {
        /// When it is due.
        due: Timestamp,
    },
    /// The attempt failed: record what follows.
    Failed(Failed<'a>),
}

/// What follows a failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed<'a> {
    /// The endpoint that failed.
    pub endpoint: &'a Endpoint,
    /// The record to write. Its `next_attempt_at` says whether another attempt follows, and when it is due.
    pub record: Delivery,
    /// Whether all scheduled attempts failed, which counts against the endpoint.
    pub is_exhausted: bool,
}

impl Failed<'_> {
    /// Whether the endpoint is not known to be failing, although the attempt was cut off: every other failure was observed
    /// by whoever recorded it.
    #[must_use]
    pub fn is_first_interruption(&self) -> bool {
        self.record.last_error == Some(Failure::Interrupted)
            && self.endpoint.failures.is_changed_by(Observation::Failure)
    }

    /// Whether it is to be noted that the endpoint, as it is now, is failing.
    #[must_use]
    pub fn shows_a_failing_endpoint(&self, endpoint: &Endpoint, now: Timestamp) -> bool {
        let attempt = FailedAttempt {
            number: self.record.attempt_count,
            is_last: self.record.next_attempt_at.is_none(),
        };
        endpoint.enabled && endpoint.failures.is_to_be_noted(attempt, now)
    }
}

/// Decides what `retry` does with a task, which came by this message. An attempt whose message was received five times
/// without a recorded outcome was cut off, which is a failure too.
#[must_use]
pub fn follow_up<'a>(
    task: &Task,
    message_id: &str,
    endpoint: Option<&'a Endpoint>,
    record: Option<&Delivery>,
    schedule: &Schedule,
    now: Timestamp,
) -> FollowUp<'a> {
    let Some(endpoint) = endpoint else {
        return FollowUp::Nothing;
    };
    let record = match record {
        Some(record) if record.status != Status::Pending => return FollowUp::Nothing,
        Some(record) if record.manual_retry != task.manual_retry => return FollowUp::Nothing,
        Some(record) if record.attempt_count > task.attempt => return FollowUp::Nothing,
        Some(record) if record.attempt_count == task.attempt => match record.next_attempt_at {
            Some(due) if answers_for_plan(record, message_id, now) => return FollowUp::SendNext { due },
            Some(_) => return FollowUp::Nothing,
            None => record.clone(),
        },
        Some(record) => match record.next_attempt_at {
            Some(due) if wait::is_early(due, now) => return FollowUp::NotDue { due },
            _ => record.clone().after(Attempt::interrupted(now), task.kind),
        },
        None if task.attempt > 1 => return FollowUp::Nothing,
        None => Delivery::pending(task).after(Attempt::interrupted(now), task.kind),
    };
    FollowUp::Failed(failed(endpoint, record, message_id, schedule, now))
}

/// Whether a message is to send the next attempt, which is planned already. An attempt may be handed over twice, and only
/// one of both messages may be followed by the next attempt, or each would be followed by one ever after.
fn answers_for_plan(record: &Delivery, message_id: &str, now: Timestamp) -> bool {
    let ended_at = record.attempts.last().map_or(now, Attempt::ended_at);
    record.planned_for.as_deref() == Some(message_id) || now.duration_since(ended_at) > PLANNER_ANSWERS_FOR
}

fn failed<'a>(
    endpoint: &'a Endpoint,
    record: Delivery,
    message_id: &str,
    schedule: &Schedule,
    now: Timestamp,
) -> Failed<'a> {
    if record.status == Status::Failed {
        return Failed {
            endpoint,
            record,
            is_exhausted: false,
        };
    }
    let (ended_at, retry_after_seconds) = record.attempts.last().map_or((now, None), |attempt| {
        (attempt.ended_at(), attempt.retry_after_seconds)
    });
    let due = schedule.next_attempt_at(&record.id, record.attempt_count, ended_at, retry_after_seconds);
    Failed {
        endpoint,
        record: match due {
            Some(due) => record.waiting_until(due, message_id),
            None => record.exhausted(),
        },
        is_exhausted: due.is_none(),
    }
}

#[cfg(test)]
mod whole_schedule;

#[cfg(test)]
mod tests {
    use super::super::failure_record::FailureRecord;
    use super::super::task::Kind;
    use super::super::testing::{attempt, disabled_endpoint, endpoint, record, task};
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// What `deliver` does now.
    fn step<'a>(task: &Task, endpoint: Option<&'a Endpoint>, record: Option<&Delivery>) -> Step<'a> {
        super::step(task, endpoint, record, NOW)
    }

    /// What `retry` decides now, with two retries to come a second after each failure.
    fn follow_up<'a>(task: &Task, endpoint: &'a Endpoint, record: Option<&Delivery>) -> FollowUp<'a> {
        super::follow_up(task, "m", Some(endpoint), record, &schedule("1,1"), NOW)
    }

    fn failed<'a>(task: &Task, endpoint: &'a Endpoint, record: Option<&Delivery>) -> Failed<'a> {
        match follow_up(task, endpoint, record) {
            FollowUp::Failed(failed) => failed,
            other => panic!("{other:?}"),
        }
    }

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
        assert_eq!(follow_up(&task, &endpoint(), None), FollowUp::Nothing);
    }

    #[test]
    fn a_deleted_endpoint_gets_nothing() {
        let task = task(1, Kind::Automatic);

        assert_eq!(step(&task, None, None), Step::Skip);
        assert_eq!(
            super::follow_up(&task, "m", None, None, &schedule("5"), NOW),
            FollowUp::Nothing
        );
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
    fn a_message_that_comes_back_after_the_next_attempt_was_planned_is_dropped() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());
        let planned_for = |message| record(&task, &[500]).waiting_until(seconds(60), message);

        assert_eq!(
            step(&task, Some(&endpoint), Some(&planned_for("other"))),
            Step::Skip
        );
        assert_eq!(
            follow_up(&task, &endpoint, Some(&planned_for("other"))),
            FollowUp::Nothing
        );
        assert_eq!(
            follow_up(&task, &endpoint, Some(&planned_for("m"))),
            FollowUp::SendNext { due: seconds(60) }
        );
    }

    #[test]
    fn after_an_hour_any_message_sends_what_was_planned_for_one_that_may_have_been_redriven() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());
        let planned = record(&task, &[500]).waiting_until(seconds(60), "other");
        let after = |seconds_later| {
            let now = seconds(seconds_later);
            super::follow_up(&task, "m", Some(&endpoint), Some(&planned), &schedule("60"), now)
        };

        assert_eq!(after(3600), FollowUp::Nothing);
        assert_eq!(after(3601), FollowUp::SendNext { due: seconds(60) });
    }

    #[test]
    fn the_plan_names_the_message_that_it_was_made_for() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());

        let planned = failed(&task, &endpoint, Some(&record(&task, &[500]))).record;

        assert_eq!(planned.planned_for.as_deref(), Some("m"));
        assert_eq!(planned.after(attempt(500), Kind::Automatic).planned_for, None);
    }

    #[test]
    fn a_task_that_comes_before_its_time_goes_back_and_counts_for_nothing() {
        let (first, endpoint) = (task(1, Kind::Automatic), endpoint());
        let task = first.clone().next();
        let waiting = |seconds_left| Some(record(&first, &[500]).waiting_until(seconds(seconds_left), "m"));

        let due = seconds(2);
        assert_eq!(
            step(&task, Some(&endpoint), waiting(2).as_ref()),
            Step::NotDue { due }
        );
        assert_eq!(
            follow_up(&task, &endpoint, waiting(2).as_ref()),
            FollowUp::NotDue { due }
        );
        assert!(matches!(
            step(&task, Some(&endpoint), waiting(1).as_ref()),
            Step::Attempt { .. }
        ));
        let interrupted = failed(&task, &endpoint, waiting(1).as_ref()).record;
        assert_eq!(interrupted.attempt_count, 2);
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
        assert_eq!(follow_up(&task, &endpoint, Some(&record)), FollowUp::Nothing);
    }

    #[test]
    fn an_attempt_without_a_recorded_outcome_was_interrupted_and_is_followed_by_the_next() {
        let (task, endpoint) = (task(1, Kind::Automatic), endpoint());

        let failed = failed(&task, &endpoint, None);

        let due = failed.record.next_attempt_at.unwrap();
        assert_eq!(failed.record.attempt_count, 1);
        assert_eq!(failed.record.last_error, Some(Failure::Interrupted));
        assert_eq!(failed.endpoint, &endpoint);
        assert!((1000..=1100).contains(&due.as_millisecond()));
    }

    #[test]
    fn an_interrupted_second_attempt_is_added_to_the_record_of_the_first() {
        let (task, endpoint) = (task(2, Kind::Automatic), endpoint());
        let first = record(&task, &[500]);

        let record = failed(&task, &endpoint, Some(&first)).record;

        assert_eq!(record.attempt_count, 2);
        assert_eq!(record.last_error, Some(Failure::Interrupted));
    }

    #[test]
    fn a_delivery_fails_after_exactly_the_scheduled_attempts() {
        let endpoint = endpoint();
        let up = |number: u32, statuses: &[u16]| {
            let task = task(number, Kind::Automatic);
            let record = record(&task, statuses);
            match follow_up(&task, &endpoint, Some(&record)) {
                FollowUp::Failed(failed) => Some((failed.record.status, failed.is_exhausted)),
                _ => None,
            }
        };

        assert_eq!(up(1, &[500]), Some((Status::Pending, false)));
        assert_eq!(up(2, &[500, 500]), Some((Status::Pending, false)));
        assert_eq!(up(3, &[500, 500, 500]), Some((Status::Failed, true)));
        assert_eq!(up(1, &[200]), None);
        assert_eq!(up(1, &[500, 500]), None);
        assert_eq!(up(1, &[410]), None);
    }

    #[test]
    fn the_fourth_failure_and_the_last_show_that_an_enabled_endpoint_is_failing() {
        let failing = |endpoint: Endpoint| Endpoint {
            failures: FailureRecord::default().after(Observation::Failure, NOW),
            ..endpoint
        };
        let (enabled, disabled) = (failing(endpoint()), failing(disabled_endpoint()));
        let shows = |statuses: &[u16], schedule_text: &str, endpoint: &Endpoint| {
            let task = task(u32::try_from(statuses.len()).unwrap(), Kind::Automatic);
            let record = record(&task, statuses);
            let now = seconds(1800);
            match super::follow_up(
                &task,
                "m",
                Some(&enabled),
                Some(&record),
                &schedule(schedule_text),
                now,
            ) {
                FollowUp::Failed(failed) => failed.shows_a_failing_endpoint(endpoint, now),
                other => panic!("{other:?}"),
            }
        };

        assert!(!shows(&[500; 3], "1,1,1,1,1", &enabled));
        assert!(shows(&[500; 4], "1,1,1,1,1", &enabled));
        assert!(shows(&[500; 2], "1", &enabled));
        assert!(!shows(&[500; 4], "1,1,1,1,1", &disabled));
    }

    #[test]
    fn the_first_failure_that_nobody_else_observed_is_an_interruption_of_a_healthy_endpoint() {
        let well = endpoint();
        let failing = Endpoint {
            failures: FailureRecord::default().after(Observation::Failure, NOW),
            ..endpoint()
        };
        let task = task(1, Kind::Automatic);
        let answered = record(&task, &[500]);

        assert!(failed(&task, &well, None).is_first_interruption());
        assert!(!failed(&task, &failing, None).is_first_interruption());
        assert!(!failed(&task, &well, Some(&answered)).is_first_interruption());
    }

    #[test]
    fn an_interrupted_test_event_ends_without_another_attempt() {
        let (task, endpoint) = (task(1, Kind::Test), endpoint());

        let failed = failed(&task, &endpoint, None);

        assert_eq!(failed.record.status, Status::Failed);
        assert_eq!(failed.record.next_attempt_at, None);
        assert!(!failed.is_exhausted);
    }
}
