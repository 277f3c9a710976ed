//! One test for each line of the decisions.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::delivery::Failure;
use crate::domain::endpoint::Endpoint;
use crate::domain::event_type::EventName;
use crate::domain::plan;
use crate::domain::task::{Kind, Task};
use crate::domain::testing;

const ACCEPTED: &str = "2026-06-07T10:30:00Z";

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = ACCEPTED.parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

fn recovery(include: Include) -> Recovery {
    let wanted = Wanted {
        include,
        since: at(-60),
        until: at(60),
        events: testing::subscriptions(&["*"]),
        per_second: 20,
    };
    let (endpoint, id) = (testing::endpoint().id, "rec_1".parse().unwrap());
    Recovery::started(endpoint, id, wanted, at(100), SignedDuration::ZERO)
}

fn taken(index: usize) -> Taken {
    let event = format!("evt_{index}").parse().unwrap();
    Taken {
        delivery: DeliveryId::derive(at(0), &event, &testing::endpoint().id),
        missing: None,
    }
}

fn page(deliveries: usize) -> Vec<Taken> {
    (0..deliveries).map(taken).collect()
}

fn on_its_way(deliveries: usize) -> Recovery {
    let counted = recovery(Include::Failed).counted(1_000, None);
    counted.taken(page(deliveries), Some("del_1".to_owned()), at(100))
}

fn waiting(deliveries: usize) -> Recovery {
    on_its_way(deliveries).sent(page(deliveries), at(100))
}

fn paused(deliveries: usize) -> Recovery {
    waiting(deliveries).looked(&vec![failed(101); deliveries], true, at(110))
}

fn probing(deliveries: usize) -> Recovery {
    let paused = paused(deliveries).rested(true, at(120));
    let probe = paused.attempted().to_vec();
    paused.sent(probe, at(120))
}

fn delivered(seconds: i64) -> Outcome {
    Outcome::Delivered { at: at(seconds) }
}

fn failed(seconds: i64) -> Outcome {
    Outcome::Failed { at: at(seconds) }
}

fn admit(recovery: &Recovery, message_id: &str, turn: u64, seconds: i64) -> Admission {
    recovery.admit(message_id, turn, at(seconds))
}

#[test]
fn the_message_of_the_turn_that_is_due_makes_it() {
    let recovery = on_its_way(1).written_by("m");
    let now = Admission::In(Duration::ZERO);

    assert_eq!(admit(&recovery, "n", 1, 100), now);
    assert_eq!(admit(&recovery, "n", 0, 100), Admission::Stale);
    assert_eq!(admit(&recovery, "n", 2, 100), Admission::Stale);
}

#[test]
fn the_message_that_made_the_last_turn_goes_on_if_it_comes_back() {
    let recovery = on_its_way(1).written_by("m").written_by("m");

    assert_eq!(admit(&recovery, "m", 0, 100), Admission::In(Duration::ZERO));
}

#[test]
fn an_hour_after_a_turn_is_due_any_message_makes_it() {
    let recovery = on_its_way(1).written_by("m");

    assert_eq!(admit(&recovery, "n", 7, 100 + 3600), Admission::Stale);
    assert_eq!(
        admit(&recovery, "n", 7, 100 + 3601),
        Admission::In(Duration::ZERO)
    );
}

#[test]
fn a_turn_that_is_not_due_waits_on_its_queue_and_for_the_rest_in_the_function() {
    let mut recovery = on_its_way(1).written_by("m");
    recovery.progress.due = at(105) + SignedDuration::from_millis(400);

    assert_eq!(admit(&recovery, "m", 1, 100), Admission::Early);
    assert_eq!(recovery.delay_seconds(at(100)), 5);
    assert_eq!(
        admit(&recovery, "m", 1, 105),
        Admission::In(Duration::from_millis(400))
    );
    assert_eq!(recovery.delay_seconds(at(106)), 0);
}

#[test]
fn a_recovery_that_has_ended_makes_no_turn_but_sends_the_page_that_was_on_its_way() {
    let finished = waiting(1)
        .looked(&[delivered(101)], false, at(105))
        .taken(vec![], None, at(105));

    assert_eq!(admit(&finished, "m", 0, 200), Admission::Stale);
    assert_eq!(
        admit(&waiting(1).cancelled(at(105)), "m", 0, 200),
        Admission::Stale
    );
    let cancelled = on_its_way(1).cancelled(at(105));
    assert_eq!(admit(&cancelled, "m", 0, 200), Admission::In(Duration::ZERO));
    assert_eq!(admit(&cancelled, "n", 7, 200), Admission::Stale);
    let mut not_due = cancelled.clone();
    not_due.progress.due = at(230);
    assert_eq!(admit(&not_due, "m", 0, 200), Admission::In(Duration::ZERO));
    let sent = cancelled.sent(page(1), at(200));
    assert_eq!((sent.status, sent.counts.retried), (Status::Cancelled, 1));
    assert_eq!(admit(&sent, "m", 0, 200), Admission::Stale);
}

/// The endpoint while the recovery is under way.
fn recovering() -> Endpoint {
    Endpoint {
        recovery: Some("rec_1".parse().unwrap()),
        ..testing::endpoint()
    }
}

#[test]
fn a_recovery_that_its_endpoint_does_not_name_is_cancelled() {
    let another = Endpoint {
        recovery: Some("rec_2".parse().unwrap()),
        ..testing::endpoint()
    };

    assert_eq!(waiting(1).step(&testing::endpoint()), Step::Cancel);
    assert_eq!(waiting(1).step(&another), Step::Cancel);
}

#[test]
fn a_disabled_endpoint_cancels_a_recovery_that_has_not_ended() {
    let disabled = Endpoint {
        enabled: false,
        ..recovering()
    };
    let running = waiting(1);

    assert_eq!(running.step(&disabled), Step::Cancel);
    assert_eq!(paused(1).step(&disabled), Step::Cancel);
    assert_eq!(on_its_way(1).cancelled(at(1)).step(&disabled), Step::Send);
}

#[test]
fn an_endpoint_that_was_disabled_meanwhile_cancels_a_recovery_although_it_is_enabled_again() {
    let enabled_at = |seconds| Endpoint {
        switched_at: Some(at(seconds)),
        ..recovering()
    };

    assert_eq!(waiting(1).step(&enabled_at(99)), Step::Look);
    assert_eq!(waiting(1).step(&enabled_at(101)), Step::Look);
    assert_eq!(waiting(1).step(&enabled_at(102)), Step::Cancel);
    assert_eq!(paused(1).step(&enabled_at(102)), Step::Cancel);
}

#[test]
fn each_stage_has_its_step() {
    let endpoint = recovering();
    let step = |recovery: Recovery| recovery.step(&endpoint);

    assert_eq!(step(recovery(Include::Failed)), Step::Count);
    assert_eq!(step(recovery(Include::Failed).counted(0, None)), Step::Take);
    assert_eq!(step(on_its_way(1)), Step::Send);
    assert_eq!(step(waiting(1)), Step::Look);
    assert_eq!(step(paused(1)), Step::Probe);
    assert_eq!(step(paused(1).rested(true, at(120))), Step::Send);
}

#[test]
fn the_total_is_known_when_everything_is_counted() {
    let half = recovery(Include::Failed).counted(500, Some("del_1".to_owned()));

    assert_eq!((half.counts.total, half.progress.stage), (None, Stage::Counting));
    let all = half.counted(20, None);
    assert_eq!((all.counts.total, all.progress.stage), (Some(520), Stage::Taking));
    assert_eq!(all.progress.cursor, None);
}

#[test]
fn a_part_in_which_nothing_is_meant_is_passed_over() {
    let counted = recovery(Include::Failed).counted(1, None);

    let next = counted.taken(vec![], Some("del_5".to_owned()), at(105));

    assert_eq!(
        (next.status, next.progress.stage),
        (Status::Running, Stage::Taking)
    );
    assert_eq!(next.progress.cursor.as_deref(), Some("del_5"));
}

#[test]
fn a_recovery_is_finished_when_nothing_is_left_to_take() {
    let finished = recovery(Include::Failed)
        .counted(0, None)
        .taken(vec![], None, at(105));

    assert_eq!(
        (finished.status, finished.finished_at),
        (Status::Finished, Some(at(105)))
    );
}

#[test]
fn each_page_is_reopened_under_a_name_of_its_own() {
    let first = on_its_way(2);
    let second = first
        .clone()
        .sent(page(2), at(100))
        .looked(&[delivered(101); 2], false, at(105))
        .taken(page(1), Some("del_2".to_owned()), at(105));

    assert_eq!(
        (first.name(), second.name()),
        ("rec_1.1".to_owned(), "rec_1.2".to_owned())
    );
}

#[test]
fn a_page_takes_the_time_that_the_pace_asks_for() {
    let mut fast = on_its_way(100);
    fast.wanted.per_second = 200;

    assert_eq!(waiting(100).progress.due, at(105));
    assert_eq!(waiting(1).progress.due, at(100) + SignedDuration::from_millis(50));
    let fast = fast.sent(page(100), at(100));
    assert_eq!(fast.progress.due, at(100) + SignedDuration::from_millis(500));
}

#[test]
fn the_tasks_of_a_page_are_spread_over_its_time() {
    assert_eq!((spread_seconds(0, 20), spread_seconds(19, 20)), (0, 0));
    assert_eq!((spread_seconds(20, 20), spread_seconds(99, 20)), (1, 4));
    assert_eq!(spread_seconds(99, 1), 99);
    assert_eq!(spread_seconds(99, 200), 0);
}

#[test]
fn what_is_not_kept_of_a_page_is_not_counted_and_not_looked_at() {
    let sent = on_its_way(3).sent(page(2), at(100));

    assert_eq!((sent.counts.retried, sent.attempted().len()), (2, 2));
    let nothing = on_its_way(3).sent(vec![], at(100));
    assert_eq!(
        (nothing.counts.retried, nothing.progress.stage),
        (0, Stage::Taking)
    );
}

#[test]
fn more_may_be_retried_than_were_counted() {
    let mut counted = on_its_way(3);
    counted.counts.total = Some(2);

    assert_eq!(counted.sent(page(3), at(100)).counts.total, Some(3));
}

#[test]
fn a_page_under_way_is_looked_at_again_after_waits_that_double_up_to_half_a_minute() {
    let mut looked = waiting(2);
    let mut waits = Vec::new();

    for _ in 0..9 {
        looked = looked.looked(&[delivered(101), Outcome::Pending], false, at(200));
        waits.push(looked.progress.due.duration_since(at(200)).as_millis());
    }

    assert_eq!(looked.progress.stage, Stage::Waiting);
    assert_eq!(
        waits,
        [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    );
}

#[test]
fn what_is_pending_for_a_quarter_of_an_hour_is_sent_again_under_the_same_name_and_counted_once() {
    let mut looked = waiting(2);
    let (name, mut now) = (looked.name(), at(200));

    while looked.progress.stage == Stage::Waiting {
        looked = looked.looked(&[Outcome::Pending], false, now);
        now = looked.progress.due;
    }

    let minutes = now.duration_since(at(200)).as_mins();
    assert!((14..=16).contains(&minutes), "{minutes}");
    assert_eq!((looked.progress.stage, looked.name()), (Stage::Sending, name));
    let sent = looked.sent(page(1), now);
    assert_eq!((sent.counts.retried, sent.attempted().len()), (2, 2));
    assert_eq!((sent.progress.stage, sent.progress.looks), (Stage::Waiting, 0));
}

#[test]
fn a_page_that_has_ended_is_counted_and_the_next_is_taken_at_once() {
    let turned = waiting(3).looked(&[delivered(101), failed(102), delivered(103)], false, at(105));

    assert_eq!(turned.progress.stage, Stage::Taking);
    assert_eq!((turned.counts.delivered, turned.counts.failed), (2, 1));
    assert!(turned.progress.page.is_empty());
    assert_eq!(turned.progress.due, at(105));
}

#[test]
fn what_fails_while_others_succeed_has_failed_for_good() {
    let turned = waiting(2).looked(&[failed(101), delivered(102)], true, at(105));

    assert_eq!((turned.counts.delivered, turned.counts.failed), (1, 1));
    assert_eq!(
        (turned.status, turned.progress.unsure.len()),
        (Status::Running, 0)
    );
}

#[test]
fn what_fails_after_the_last_success_is_unsure_until_the_next_page_succeeds() {
    let turned = waiting(2).looked(&[delivered(101), failed(102)], true, at(105));

    assert_eq!(
        (turned.counts.failed, &turned.progress.unsure),
        (0, &vec![taken(1)])
    );
    assert_eq!(turned.room(), MAX_PAGE - 1);
    let next = turned
        .taken(vec![taken(7)], Some("del_2".to_owned()), at(105))
        .sent(vec![taken(7)], at(105))
        .looked(&[delivered(106)], false, at(110));
    assert_eq!((next.counts.delivered, next.counts.failed), (2, 1));
    assert!(next.progress.unsure.is_empty());
}

#[test]
fn what_fails_after_the_last_success_has_failed_if_another_delivery_succeeded_since() {
    let turned = waiting(2).looked(&[delivered(101), failed(102)], false, at(105));

    assert_eq!((turned.counts.failed, turned.progress.unsure.len()), (1, 0));
}

#[test]
fn what_is_unsure_joins_the_next_page_if_that_is_paused() {
    let turned = waiting(2).looked(&[delivered(101), failed(102)], true, at(105));
    let paused = turned
        .taken(vec![taken(7)], Some("del_2".to_owned()), at(105))
        .sent(vec![taken(7)], at(105))
        .looked(&[failed(106)], true, at(110));

    assert_eq!((paused.status, paused.counts.failed), (Status::Paused, 0));
    assert_eq!(paused.progress.page, [taken(7), taken(1)]);
}

#[test]
fn what_is_unsure_at_the_end_has_failed() {
    let turned = waiting(2).looked(&[delivered(101), failed(102)], true, at(105));

    let finished = turned.taken(vec![], None, at(105));

    assert_eq!((finished.status, finished.counts.failed), (Status::Finished, 1));
}

#[test]
fn a_page_without_a_success_pauses_while_the_endpoint_fails() {
    let paused = paused(3);

    assert_eq!(
        (paused.status, paused.progress.stage),
        (Status::Paused, Stage::Resting)
    );
    assert_eq!(paused.progress.due, at(120));
    assert_eq!((paused.counts.failed, paused.progress.page.len()), (0, 3));
}

#[test]
fn a_page_without_a_success_has_failed_if_something_else_succeeds() {
    let outcomes = [failed(101), failed(102)];
    let soon = waiting(2).looked(&outcomes, false, at(103));
    let later = waiting(2).looked(&outcomes, false, at(105));

    // Its failures may not be noted at the endpoint yet.
    assert_eq!(
        (soon.progress.stage, soon.progress.due),
        (Stage::Waiting, at(105))
    );
    assert_eq!((later.progress.stage, later.counts.failed), (Stage::Taking, 2));
}

#[test]
fn a_pause_sends_one_delivery_at_a_time_as_a_probe_and_another_each_time() {
    let mut paused = paused(2);
    let mut probes = Vec::new();

    for _ in 0..3 {
        let sending = paused.rested(true, at(200));
        probes.push(sending.attempted().to_vec());
        let sent = sending.clone().sent(sending.attempted().to_vec(), at(200));
        assert_eq!((sent.counts.retried, sent.progress.page.len()), (2, 2));
        paused = sent.looked(&[failed(201)], true, at(202));
    }

    assert_eq!(probes, [vec![taken(0)], vec![taken(1)], vec![taken(0)]]);
}

#[test]
fn the_waits_before_probes_double_up_to_a_quarter_of_an_hour() {
    let mut paused = paused(1);
    let mut waits = vec![paused.progress.due.duration_since(at(110)).as_secs()];

    for _ in 0..8 {
        let sending = paused.rested(true, at(200));
        let probe = sending.attempted().to_vec();
        paused = sending.sent(probe, at(200)).looked(&[failed(201)], true, at(202));
        waits.push(paused.progress.due.duration_since(at(202)).as_secs());
    }

    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
}

#[test]
fn a_probe_under_way_is_waited_for() {
    let looked = probing(3).looked(&[Outcome::Pending], true, at(121));

    assert_eq!(
        (looked.status, looked.progress.stage),
        (Status::Paused, Stage::Waiting)
    );
}

#[test]
fn a_probe_that_succeeds_ends_the_pause_and_the_rest_of_the_page_gets_its_attempt_again() {
    let probing = probing(3);
    let name = probing.name();

    let resumed = probing.looked(&[delivered(121)], true, at(122));

    assert_eq!(
        (resumed.status, resumed.progress.stage),
        (Status::Running, Stage::Sending)
    );
    assert_eq!(resumed.attempted(), [taken(1), taken(2)]);
    assert_eq!(resumed.counts.delivered, 1);
    assert_ne!(resumed.name(), name);
    let sent = resumed.sent(page(3)[1..].to_vec(), at(122));
    assert_eq!(sent.counts.retried, 3);
    let turned = sent.looked(&[delivered(123), failed(122)], false, at(125));
    assert_eq!((turned.counts.delivered, turned.counts.failed), (2, 1));
}

#[test]
fn a_probe_that_succeeds_ends_the_pause_of_a_page_of_one() {
    let resumed = probing(1).looked(&[delivered(121)], false, at(122));

    assert_eq!(
        (resumed.status, resumed.progress.stage),
        (Status::Running, Stage::Taking)
    );
    assert_eq!(resumed.counts.delivered, 1);
}

#[test]
fn a_success_of_another_delivery_ends_the_pause_and_the_whole_page_gets_its_attempt_again() {
    let resumed = paused(3).rested(false, at(120));

    assert_eq!(
        (resumed.status, resumed.progress.stage),
        (Status::Running, Stage::Sending)
    );
    assert_eq!(resumed.attempted(), page(3));
}

#[test]
fn a_page_that_fails_again_pauses_again_from_the_shortest_wait() {
    let resumed = paused(2).rested(false, at(120)).sent(page(2), at(120));

    let again = resumed.looked(&[failed(121); 2], true, at(130));

    assert_eq!((again.status, again.progress.due), (Status::Paused, at(140)));
    assert_eq!(again.counts.retried, 2);
}

/// A failed delivery of the endpoint, with so many attempts.
fn record(attempts: usize) -> Delivery {
    let task = testing::task(1, Kind::Automatic);
    testing::record(&task, &vec![500; attempts]).exhausted()
}

fn opening(recovery: &Recovery, record: Option<&Delivery>) -> Opening {
    recovery.opening(&taken(0), record, &testing::endpoint().workspace)
}

fn named(record: Delivery, name: &str) -> Delivery {
    Delivery {
        manual_retry: Some(name.to_owned()),
        ..record
    }
}

#[test]
fn a_failed_delivery_is_reopened_under_the_name_of_the_round() {
    let Opening::Reopen(reopened) = opening(&on_its_way(1), Some(&record(8))) else {
        panic!("it is reopened");
    };

    assert_eq!(reopened.status, delivery::Status::Pending);
    assert_eq!(reopened.manual_retry.as_deref(), Some("rec_1.1"));
    let task = Task::after(&reopened, Kind::Manual, &testing::endpoint().workspace);
    assert_eq!((task.kind, task.attempt), (Kind::Manual, 9));
    assert_eq!((task.manual_retry.as_deref(), task.body), (Some("rec_1.1"), None));
}

#[test]
fn what_is_pending_under_the_name_is_sent_again_and_what_has_ended_under_it_is_done() {
    let recovery = on_its_way(1);
    let pending = record(8).reopened("rec_1.1").unwrap();
    let ended = |status: u16| pending.clone().after(testing::attempt(status), Kind::Manual);

    assert_eq!(opening(&recovery, Some(&pending)), Opening::Send(pending.clone()));
    assert_eq!(opening(&recovery, Some(&ended(200))), Opening::Done);
    assert_eq!(opening(&recovery, Some(&ended(500))), Opening::Done);
}

#[test]
fn what_failed_in_an_earlier_round_is_reopened_after_the_pause() {
    let failed_before = named(record(9), "rec_1.1");
    let resumed = paused(1).rested(false, at(120));

    let opening = opening(&resumed, Some(&failed_before));

    assert!(matches!(opening, Opening::Reopen(record) if record.manual_retry.as_deref() == Some("rec_1.2")));
}

#[test]
fn what_was_delivered_or_is_retried_by_somebody_else_meanwhile_is_left_alone() {
    let recovery = on_its_way(1);
    let by_hand = record(8).reopened("by-hand").unwrap();
    let delivered = by_hand.clone().after(testing::attempt(200), Kind::Manual);

    assert_eq!(opening(&recovery, Some(&by_hand)), Opening::Leave);
    assert_eq!(opening(&recovery, Some(&delivered)), Opening::Leave);
    assert_eq!(opening(&recovery, None), Opening::Leave);
}

#[test]
fn what_somebody_else_retried_in_vain_meanwhile_is_reopened() {
    let in_vain = named(record(9), "by-hand");

    assert!(matches!(
        opening(&on_its_way(1), Some(&in_vain)),
        Opening::Reopen(_)
    ));
}

#[test]
fn tests_and_other_event_types_are_not_meant() {
    let mut recovery = on_its_way(1);
    let test = Delivery {
        test: true,
        ..record(1)
    };

    assert_eq!(opening(&recovery, Some(&test)), Opening::Leave);
    assert!(recovery.wants(&record(1)));
    recovery.wanted.events = testing::subscriptions(&["poster.scanned"]);
    assert!(!recovery.wants(&record(1)));
    assert_eq!(opening(&recovery, Some(&record(1))), Opening::Leave);
}

fn missing() -> (Recovery, Taken) {
    let taken = Taken {
        missing: Some(("evt_1".parse().unwrap(), testing::event_name())),
        ..taken(0)
    };
    let counted = recovery(Include::Missing).counted(1, None);
    let recovery = counted.taken(vec![taken.clone()], Some("evt_1".to_owned()), at(100));
    (recovery, taken)
}

#[test]
fn a_missing_delivery_is_inserted_as_pending_under_the_name_of_the_round() {
    let (recovery, taken) = missing();
    let workspace = testing::endpoint().workspace;

    let Opening::Insert(inserted) = recovery.opening(&taken, None, &workspace) else {
        panic!("it is inserted");
    };

    assert_eq!(inserted.status, delivery::Status::Pending);
    assert_eq!((inserted.attempt_count, inserted.test), (0, false));
    assert_eq!(inserted.manual_retry.as_deref(), Some("rec_1.1"));
    assert_eq!(Task::after(&inserted, Kind::Manual, &workspace).attempt, 1);
    let pending = Some(&inserted);
    assert!(matches!(
        recovery.opening(&taken, pending, &workspace),
        Opening::Send(_)
    ));
}

#[test]
fn a_missing_delivery_that_its_first_attempt_has_made_meanwhile_is_left_alone() {
    let (recovery, taken) = missing();
    let workspace = testing::endpoint().workspace;
    let first = testing::record(&testing::task(1, Kind::Automatic), &[500]);

    assert_eq!(recovery.opening(&taken, Some(&first), &workspace), Opening::Leave);
}

#[test]
fn an_older_task_of_a_missing_delivery_does_nothing() {
    let (recovery, taken) = missing();
    let endpoint = testing::endpoint();
    let Opening::Insert(inserted) = recovery.opening(&taken, None, &endpoint.workspace) else {
        panic!("it is inserted");
    };
    let older = Task {
        delivery: inserted.id.clone(),
        ..testing::task(1, Kind::Automatic)
    };
    let ours = Task::after(&inserted, Kind::Manual, &endpoint.workspace);
    let schedule = "5".parse().unwrap();

    let step = |task| plan::step(task, Some(&endpoint), Some(&inserted), at(100));

    assert_eq!(step(&older), plan::Step::Skip);
    assert!(matches!(step(&ours), plan::Step::Attempt { .. }));
    assert_eq!(
        plan::follow_up(&older, "m", Some(&endpoint), Some(&inserted), &schedule, at(100)),
        plan::FollowUp::Nothing
    );
}

#[test]
fn nothing_is_reopened_or_inserted_once_the_recovery_has_ended() {
    let (missing, taken) = missing();
    let cancelled = on_its_way(1).cancelled(at(105));
    let pending = record(8).reopened("rec_1.1").unwrap();

    assert_eq!(opening(&cancelled, Some(&record(8))), Opening::Leave);
    assert_eq!(
        opening(&cancelled, Some(&pending)),
        Opening::Send(pending.clone())
    );
    let missing = missing.cancelled(at(105));
    let workspace = testing::endpoint().workspace;
    assert_eq!(missing.opening(&taken, None, &workspace), Opening::Leave);
}

#[test]
fn an_outcome_is_what_the_record_says_whoever_wrote_it() {
    let recovery = waiting(1);
    let pending = record(8).reopened("rec_1.1").unwrap();
    let by_hand = record(9).reopened("by-hand").unwrap();
    let delivered = by_hand.clone().after(testing::attempt(200), Kind::Manual);

    assert_eq!(recovery.outcome(Some(&pending)), Outcome::Pending);
    assert!(matches!(
        recovery.outcome(Some(&record(9))),
        Outcome::Failed { .. }
    ));
    assert!(matches!(recovery.outcome(Some(&by_hand)), Outcome::Failed { .. }));
    assert!(matches!(
        recovery.outcome(Some(&delivered)),
        Outcome::Delivered { .. }
    ));
    assert_eq!(recovery.outcome(None), Outcome::Lost);
    let expired = pending.failed(Failure::EventExpired);
    assert_eq!(recovery.outcome(Some(&expired)), Outcome::Lost);
}

#[test]
fn what_has_expired_has_failed_and_says_nothing_about_the_endpoint() {
    let nothing = waiting(2).looked(&[Outcome::Lost; 2], true, at(110));
    assert_eq!((nothing.status, nothing.counts.failed), (Status::Running, 2));
    assert_eq!(nothing.progress.stage, Stage::Taking);

    let paused = waiting(2).looked(&[Outcome::Lost, failed(101)], true, at(110));
    assert_eq!((paused.status, paused.counts.failed), (Status::Paused, 1));
    assert_eq!(paused.progress.page, [taken(1)]);

    let unsure = waiting(2).looked(&[delivered(101), failed(102)], true, at(105));
    let still = unsure
        .taken(vec![taken(7)], Some("del_2".to_owned()), at(105))
        .sent(vec![taken(7)], at(105))
        .looked(&[Outcome::Lost], true, at(110));
    assert_eq!((still.counts.failed, still.progress.unsure.len()), (1, 1));
}

#[test]
fn a_probe_that_has_expired_is_followed_by_another_at_once() {
    let next = probing(2).looked(&[Outcome::Lost], true, at(121));

    assert_eq!(
        (next.status, next.progress.stage),
        (Status::Paused, Stage::Resting)
    );
    assert_eq!((next.progress.due, next.counts.failed), (at(121), 1));
    assert_eq!(next.progress.page, [taken(1)]);
    let last = probing(1).looked(&[Outcome::Lost], true, at(121));
    assert_eq!(
        (last.status, last.progress.stage),
        (Status::Running, Stage::Taking)
    );
}

fn kept(id: &str, accepted_at: Timestamp) -> KeptEvent {
    KeptEvent {
        id: id.parse().unwrap(),
        name: testing::event_name(),
        accepted_at,
        expires_at: at(1_000),
        test: false,
    }
}

#[test]
fn an_event_is_missed_if_it_was_accepted_in_the_window_since_the_endpoint_exists() {
    let recovery = recovery(Include::Missing);
    let misses =
        |endpoint: &Endpoint, seconds| recovery.misses(&kept("evt_1", at(seconds)), endpoint, at(100));
    let old = testing::endpoint();
    let young = Endpoint {
        created_at: at(10),
        ..testing::endpoint()
    };

    assert!(misses(&old, -60) && misses(&old, 60));
    assert!(!misses(&old, -61) && !misses(&old, 61));
    assert!(misses(&young, 10) && !misses(&young, 9));
}

#[test]
fn neither_tests_nor_expired_events_nor_other_event_types_are_missed() {
    let mut recovery = recovery(Include::Missing);
    let endpoint = testing::endpoint();
    let event = kept("evt_1", at(0));
    let test = KeptEvent {
        test: true,
        ..event.clone()
    };
    let other_type = Endpoint {
        events: testing::subscriptions(&["poster.scanned"]),
        ..endpoint.clone()
    };

    assert!(recovery.misses(&event, &endpoint, at(100)));
    assert!(!recovery.misses(&test, &endpoint, at(100)));
    assert!(!recovery.misses(&event, &endpoint, at(1_000)));
    assert!(!recovery.misses(&event, &other_type, at(100)));
    recovery.wanted.events = testing::subscriptions(&["poster.scanned"]);
    assert!(!recovery.misses(&event, &endpoint, at(100)));
    let scanned: EventName = "poster.scanned".to_owned().try_into().unwrap();
    let scanned = KeptEvent {
        name: scanned,
        ..event
    };
    assert!(recovery.misses(&scanned, &other_type, at(100)));
}

proptest! {
    /// Whatever the pages' outcomes are, every delivery is counted once in the end, and none while it is under way.
    #[test]
    fn every_delivery_is_counted_once(
        pages in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 1..8), 1..6),
        probes in proptest::collection::vec(any::<bool>(), 1..40),
        is_failing in proptest::collection::vec(any::<bool>(), 1..40),
        lost in proptest::collection::vec(proptest::bool::weighted(0.2), 1..40),
    ) {
        let mut recovery = recovery(Include::Failed).counted(0, None);
        let (mut seconds, mut look, mut number) = (100, 0, 0);
        let all: usize = pages.iter().map(Vec::len).sum();
        for outcomes in pages {
            let page: Vec<_> = outcomes.iter().map(|_| { number += 1; taken(number) }).collect();
            recovery = recovery.taken(page, Some("del_1".to_owned()), at(seconds));
            let mut rounds = 0;
            while recovery.progress.stage != Stage::Taking {
                seconds += 10;
                let failing = rounds < 20 && is_failing[look % is_failing.len()];
                look += 1;
                recovery = match recovery.progress.stage {
                    Stage::Sending => {
                        let sent = recovery.attempted().to_vec();
                        recovery.sent(sent, at(seconds))
                    }
                    Stage::Resting => recovery.rested(failing, at(seconds)),
                    _ => {
                        let succeed = |index: usize| if rounds > 20 { true } else if rounds == 0 {
                            outcomes[index % outcomes.len()]
                        } else {
                            probes[(look + index) % probes.len()]
                        };
                        let ended = (0..recovery.attempted().len()).map(|index| {
                            let end = seconds - 5 + i64::try_from(index % 5).unwrap();
                            let is_lost = lost[(look + index) % lost.len()];
                            if is_lost { Outcome::Lost } else if succeed(index) { delivered(end) } else { failed(end) }
                        });
                        let ended: Vec<_> = ended.collect();
                        recovery.looked(&ended, failing, at(seconds))
                    }
                };
                rounds += 1;
                prop_assert!(recovery.progress.page.len() <= MAX_PAGE);
            }
        }
        let finished = recovery.taken(vec![], None, at(seconds));

        let counts = finished.counts;
        prop_assert_eq!(finished.status, Status::Finished);
        prop_assert_eq!(counts.retried, u64::try_from(all).unwrap());
        prop_assert_eq!(counts.delivered + counts.failed, counts.retried);
    }
}
