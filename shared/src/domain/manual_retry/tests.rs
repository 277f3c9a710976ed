//! Each line of the decision, what the other decisions make of it, and everything that may happen meanwhile.

use super::super::delivery::{Outcome, Overtaken};
use super::super::endpoint::Endpoint;
use super::super::lane::Lane;
use super::super::plan::{self, FollowUp, Step};
use super::super::schedule::Schedule;
use super::super::task::Task;
use super::super::testing::{attempt, endpoint, record, task};
use super::*;

mod whatever_happens;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A delivery whose first attempt has failed and whose second is due in so many seconds.
fn waiting(seconds_left: i64) -> Delivery {
    record(&task(1, Kind::Automatic), &[500]).waiting_until(seconds(seconds_left), "m")
}

fn retry(read: &Delivery) -> Result<ManualRetry, NotRetriable> {
    ManualRetry::of(read, "r", NOW)
}

/// The attempt that a retry makes.
fn task_of(retry: &ManualRetry) -> Task {
    Task::after(&retry.record, retry.kind, &endpoint().workspace)
}

/// What `deliver` does.
fn step<'a>(task: &Task, endpoint: &'a Endpoint, record: &Delivery) -> Step<'a> {
    plan::step(task, Some(endpoint), Some(record), NOW)
}

/// What `retry` does.
fn follow_up<'a>(task: &Task, message: &str, endpoint: &'a Endpoint, record: &Delivery) -> FollowUp<'a> {
    let schedule: Schedule = "60,60".parse().unwrap();
    plan::follow_up(task, message, Some(endpoint), Some(record), &schedule, NOW)
}

#[test]
fn a_failed_delivery_gets_one_attempt_outside_the_schedule() {
    let failed = record(&task(1, Kind::Automatic), &[500; 8]).exhausted();

    let retry = retry(&failed).unwrap();

    let task = task_of(&retry);
    assert_eq!((task.attempt, task.kind), (9, Kind::Manual));
    assert_eq!(task.manual_retry.as_deref(), Some("r"));
    assert_eq!(retry.record, failed.reopened("r").unwrap());
}

#[test]
fn of_a_delivery_that_waits_the_next_attempt_is_made_in_the_place_of_the_planned_one() {
    let waiting = waiting(60);

    let retry = retry(&waiting).unwrap();

    let task = task_of(&retry);
    assert_eq!((task.attempt, task.kind), (2, Kind::Automatic));
    assert_eq!(task.manual_retry.as_deref(), Some("r"));
    let expected = Delivery {
        next_attempt_at: None,
        planned_for: None,
        manual_retry: Some("r".to_owned()),
        ..waiting
    };
    assert_eq!(retry.record, expected);
}

#[test]
fn it_can_be_done_again_while_the_attempt_after_it_waits() {
    let again = Delivery {
        manual_retry: Some("earlier".to_owned()),
        ..waiting(60)
    };

    assert_eq!(retry(&again).unwrap().record.manual_retry.as_deref(), Some("r"));
}

#[test]
fn what_is_delivered_or_under_way_or_due_is_not_retried() {
    let task = task(1, Kind::Automatic);

    assert_eq!(retry(&record(&task, &[200])), Err(NotRetriable::Delivered));
    assert_eq!(retry(&record(&task, &[500])), Err(NotRetriable::UnderWay));
    assert_eq!(retry(&Delivery::pending(&task)), Err(NotRetriable::UnderWay));
    // Its message may come a second early.
    assert!(retry(&waiting(2)).is_ok());
    assert_eq!(retry(&waiting(1)), Err(NotRetriable::UnderWay));
    assert_eq!(retry(&waiting(0)), Err(NotRetriable::UnderWay));
}

#[test]
fn what_was_due_twenty_minutes_ago_need_not_be_waited_for() {
    let overdue = |seconds: i64| retry(&waiting(-seconds));

    assert_eq!(overdue(1200), Err(NotRetriable::UnderWay));
    assert_eq!(overdue(1201).unwrap().kind, Kind::Automatic);
}

#[test]
fn another_write_is_explained_by_what_it_left() {
    let after = |current: &Delivery| NotRetriable::after_another_write(current);
    let task = task(1, Kind::Automatic);

    assert_eq!(after(&record(&task, &[200])), NotRetriable::Delivered);
    assert_eq!(after(&record(&task, &[500])), NotRetriable::UnderWay);
    assert_eq!(after(&waiting(60)), NotRetriable::Changed);
    assert_eq!(after(&record(&task, &[410])), NotRetriable::Changed);
}

#[test]
fn the_attempt_goes_by_the_lane_of_retries_like_the_one_in_whose_place_it_is_made() {
    let waiting = task_of(&retry(&waiting(60)).unwrap());

    assert_eq!(Lane::of(&waiting, &endpoint()), Lane::Retries);
}

#[test]
fn the_planned_message_does_nothing_however_it_waited() {
    let endpoint = endpoint();
    let failed = task(1, Kind::Automatic);
    let planned = failed.clone().next();
    let retried = retry(&waiting(60)).unwrap().record;

    // It comes by the queue's delay or by its schedule, is cut off five times, or the plan is made once more.
    assert_eq!(step(&planned, &endpoint, &retried), Step::Skip);
    assert_eq!(follow_up(&planned, "m", &endpoint, &retried), FollowUp::Nothing);
    assert_eq!(step(&failed, &endpoint, &retried), Step::Skip);
    assert_eq!(follow_up(&failed, "m", &endpoint, &retried), FollowUp::Nothing);
}

#[test]
fn a_message_of_a_retry_that_was_not_begun_does_nothing() {
    let (endpoint, waiting) = (endpoint(), waiting(60));
    let task = task_of(&retry(&waiting).unwrap());

    assert_eq!(step(&task, &endpoint, &waiting), Step::Skip);
    assert_eq!(follow_up(&task, "other", &endpoint, &waiting), FollowUp::Nothing);
}

#[test]
fn the_schedule_goes_on_from_the_attempt() {
    let endpoint = endpoint();
    let retry = retry(&waiting(60)).unwrap();
    let task = task_of(&retry);
    assert!(matches!(
        step(&task, &endpoint, &retry.record),
        Step::Attempt { .. }
    ));

    let failed = retry.record.after(attempt(500), task.kind);

    // Both messages of the retry are handed over: one plans the next attempt.
    let FollowUp::Failed(next) = follow_up(&task, "first", &endpoint, &failed) else {
        panic!("it is followed by the next attempt");
    };
    let waiting = next.record;
    assert_eq!((waiting.attempt_count, waiting.status), (2, Status::Pending));
    assert!(waiting.next_attempt_at.is_some());
    assert_eq!(follow_up(&task, "second", &endpoint, &waiting), FollowUp::Nothing);
    let due = waiting.next_attempt_at.unwrap();
    let third = task.next();
    assert!(matches!(
        plan::step(&third, Some(&endpoint), Some(&waiting), due),
        Step::Attempt { .. }
    ));
    assert_eq!(
        third.manual_retry.as_deref(),
        Some("r"),
        "the name goes on with it"
    );
}

#[test]
fn of_a_planned_attempt_that_has_begun_already_only_a_success_is_recorded() {
    let planned = task(2, Kind::Automatic);
    let retried = retry(&waiting(60)).unwrap().record;
    let overtaken = |status| Overtaken::of(Some(&retried), &planned, &Outcome::Attempted(attempt(status)));

    assert_eq!(overtaken(500), Overtaken::Leave(Status::Pending));
    let Overtaken::Record(delivered) = overtaken(200) else {
        panic!("the receiver has the event");
    };
    assert_eq!(
        (delivered.attempt_count, delivered.status),
        (2, Status::Delivered)
    );
}
