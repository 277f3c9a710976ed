use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::beside::{again_at, lasts};
use super::super::late;
use super::*;

/// Keys of a call in these tests, but for one: few, so that a short history takes many calls.
const CALL: usize = 3;

fn id(number: u16) -> DeliveryId {
    DeliveryId::first_at(Timestamp::from_second(number.into()).unwrap())
}

/// The tables, as far as a walk asks them; every answer is of one moment.
#[derive(Debug)]
struct Tables {
    call: usize,
    records: BTreeSet<DeliveryId>,
    markers: BTreeSet<DeliveryId>,
    kept: BTreeMap<DeliveryId, KeptCount>,
    /// When those are made again that are, in seconds since 1970.
    again_at: BTreeMap<DeliveryId, i64>,
    /// How often a count was kept.
    keeps: usize,
    /// How often something was asked for.
    queries: usize,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            call: CALL,
            records: BTreeSet::new(),
            markers: BTreeSet::new(),
            kept: BTreeMap::new(),
            again_at: BTreeMap::new(),
            keeps: 0,
            queries: 0,
        }
    }
}

impl Tables {
    fn with(records: impl IntoIterator<Item = u16>) -> Self {
        Self {
            records: records.into_iter().map(id).collect(),
            ..Self::default()
        }
    }

    fn keys(&self, after: Option<&DeliveryId>, down_to: &DeliveryId, only_counted: bool) -> Keys {
        let below = |id: &&DeliveryId| after.is_none_or(|after| *id < after) && *id >= down_to;
        let mut all = self.records.iter().rev().filter(below);
        let ids: Vec<_> = all.by_ref().take(self.call).cloned().collect();
        Keys {
            count: ids.len(),
            // Like DynamoDB, which says that it stopped even if nothing is left.
            stopped_at: (ids.len() == self.call).then(|| ids.last().cloned()).flatten(),
            ids: if only_counted { Vec::new() } else { ids },
        }
    }

    /// Answers what a walk asks next; false at its end.
    fn step(&mut self, walk: &mut Walk) -> bool {
        self.step_at(walk, Timestamp::UNIX_EPOCH)
    }

    /// The same, for a list that began then.
    fn step_at(&mut self, walk: &mut Walk, now: Timestamp) -> bool {
        self.queries += 1;
        match walk.next() {
            None => return false,
            Some(Ask::Keys {
                after,
                down_to,
                only_counted,
            }) => walk.take_keys(&self.keys(after.as_ref(), &down_to, only_counted)),
            Some(Ask::KeptCounts { first, last }) => {
                let between = self.kept.range(first..=last);
                let used = between.filter(|(before, _)| lasts(self.again_at[*before], now.as_second()));
                walk.take_counts(used.map(|(_, part)| part.clone()).collect());
            }
            Some(Ask::Markers { first, last }) => {
                walk.take_markers(self.markers.range(first..=last).cloned().collect());
            }
            Some(Ask::Oldest { first, last }) => {
                walk.take_oldest(self.records.range(first..=last).next().cloned());
            }
            Some(Ask::Keep(Counted { part, oldest, .. })) => {
                assert!(self.records.contains(&oldest), "it says when the part expires");
                self.keeps += 1;
                self.again_at
                    .insert(part.before.clone(), again_at(&part.before, now));
                self.kept.insert(part.before.clone(), part);
                walk.go_on(true);
            }
        }
        true
    }

    fn list(&mut self, skip: usize, take: usize) -> Found {
        let mut walk = walk(skip, take);
        while self.step(&mut walk) {}
        walk.found
    }

    fn page(&self, skip: usize, take: usize) -> Vec<DeliveryId> {
        self.records.iter().rev().skip(skip).take(take).cloned().collect()
    }
}

/// Everything that is not among the newest has settled.
const SETTLED_BEFORE: u16 = 1_000;

fn walk(skip: usize, take: usize) -> Walk {
    walk_at(SETTLED_BEFORE, skip, take)
}

fn walk_at(settled_before: u16, skip: usize, take: usize) -> Walk {
    let keepable = Keepable {
        after: "del_-".parse().unwrap(),
        last: id(settled_before),
    };
    Walk::new(id(0), keepable, Found::nothing_yet(skip, take))
}

#[test]
fn a_short_history_is_one_call_and_nothing_is_kept() {
    let mut tables = Tables::with([1, 2]);

    let found = tables.list(0, 10);

    assert_eq!((found.total, found.page), (2, tables.page(0, 10)));
    assert!(tables.kept.is_empty());
}

#[test]
fn what_was_counted_is_not_walked_again() {
    let mut tables = Tables::with(0..100);
    tables.list(0, 2);
    // Walking again would show this.
    tables.records.remove(&id(50));

    assert_eq!(tables.list(0, 2).total, 100);
}

#[test]
fn a_page_is_found_wherever_it_is() {
    let mut tables = Tables::with((0..100).chain(1_500..1_510));
    for _ in 0..2 {
        for skip in [0, 7, 20, 55, 99, 105, 200] {
            assert_eq!(tables.list(skip, 10).page, tables.page(skip, 10), "{skip}");
        }
    }
}

#[test]
fn a_page_inside_a_kept_part_does_not_keep_it_again() {
    let mut tables = Tables::with(0..100);
    tables.list(0, 2);
    let keeps = tables.keeps;

    tables.list(50, 10);

    assert_eq!(tables.keeps, keeps);
}

#[test]
fn once_a_count_can_not_be_kept_no_other_is_tried() {
    let mut tables = Tables::with(0..100);
    let (mut walk, mut tried) = (walk(0, 2), 0);
    while let Some(ask) = walk.next() {
        if matches!(ask, Ask::Keep(_)) {
            tried += 1;
            walk.go_on(false);
        } else {
            tables.step(&mut walk);
        }
    }

    assert_eq!((tried, walk.found.total), (1, 100));
}

#[test]
fn what_has_not_settled_is_not_kept() {
    let mut tables = Tables::with(SETTLED_BEFORE + 1..SETTLED_BEFORE + 50);

    tables.list(0, 2);

    assert!(tables.kept.is_empty());
}

#[test]
fn a_late_record_voids_the_count_of_its_part_only() {
    let mut tables = Tables::with((0..100).map(|number| 2 * number));
    tables.list(0, 2);
    let kept = tables.kept.clone();
    tables.markers.insert(id(101));
    tables.records.insert(id(101));

    assert_eq!(tables.list(0, 2).total, 101);
    let changed = kept
        .iter()
        .filter(|(before, part)| tables.kept.get(before) != Some(part));
    assert!(changed.count() <= 1);
}

#[test]
fn nothing_is_kept_of_a_part_with_a_marker_whose_record_is_still_to_come() {
    let mut tables = Tables::with((0..100).map(|number| 2 * number));
    tables.markers.insert(id(101));

    assert_eq!(tables.list(0, 2).total, 100);
    tables.records.insert(id(101));
    assert_eq!(tables.list(0, 2).total, 101);
}

#[test]
fn a_record_that_joins_between_a_walk_and_its_keeping_is_not_missed() {
    let mut tables = Tables::with((0..100).map(|number| 2 * number));
    let mut walk = walk(0, 2);
    while !matches!(walk.stage, Stage::Counted { .. }) {
        assert!(tables.step(&mut walk));
    }
    let late = id(2 * u16::try_from(98 - CALL).unwrap() - 1);
    tables.markers.insert(late.clone());
    tables.records.insert(late);
    while tables.step(&mut walk) {}

    assert_eq!(tables.list(0, 2).total, 101);
}

#[test]
fn what_has_settled_is_kept_from_the_middle_of_a_call_on() {
    // The newest call ends with 1005, the next begins with 1002 and ends with 996.
    let mut tables = Tables::with((0..=1_011).rev().step_by(3).take(40));
    tables.list(0, 2);

    let newest = tables.kept.keys().next_back();
    assert_eq!(newest, Some(&id(SETTLED_BEFORE)));
    assert_eq!(tables.kept[&id(SETTLED_BEFORE)].count, 2);
    assert_eq!(tables.list(0, 2).total, 40);
}

#[test]
fn the_end_of_a_long_history_is_kept_too() {
    let long = u16::try_from(MANY).unwrap();
    let mut tables = Tables::with(0..=2 * long);
    tables.call = MANY + 1;
    let mut list = || {
        let mut walk = walk_at(u16::MAX, 0, 2);
        tables.queries = 0;
        while tables.step(&mut walk) {}
        assert_eq!(walk.found.total, 2 * MANY + 1);
        tables.queries
    };
    let first = list();

    assert!(list() < first);
    assert!(tables.kept.values().any(|part| part.last == id(0)));
}

#[test]
fn what_a_list_with_a_lower_bound_counts_last_is_not_kept() {
    let mut tables = Tables::with(0..500);
    tables.call = 100;
    let keepable = walk_at(u16::MAX, 0, 2).keepable;
    let mut walk = Walk::new(id(20), keepable, Found::nothing_yet(0, 2));
    while tables.step(&mut walk) {}

    assert_eq!(walk.found.total, 480);
    assert!(tables.kept.values().all(|part| part.last > id(20)));
}

/// What the scheduler of the property test does next.
#[derive(Debug, Clone)]
enum Turn {
    /// Seconds pass.
    Pass(i64),
    /// One of the walks goes some steps further.
    Walk(usize, usize),
    /// A process decides whether a delivery is late that it is about to record, and marks it then.
    Begin(usize),
    /// It records it.
    Finish(usize),
    /// It dies; another one comes back to the delivery, and begins.
    Die(usize),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        2 => (1..60_i64).prop_map(Turn::Pass),
        1 => (60..900_i64).prop_map(Turn::Pass),
        6 => (0..3_usize, 1..12_usize).prop_map(|(number, steps)| Turn::Walk(number, steps)),
        8 => (0..DELIVERIES).prop_map(Turn::Begin),
        8 => (0..DELIVERIES).prop_map(Turn::Finish),
        1 => (0..DELIVERIES).prop_map(Turn::Die),
    ]
}

const DELIVERIES: usize = 60;

/// Seconds over which the events were accepted.
const SPAN: i64 = 2 * 60 * 60;

/// By so many seconds the clock of whoever records is slow, and that of whoever lists fast.
const CLOCKS_DIFFER: i64 = 30;

/// The longest time between the decision that a delivery is not late and its record, in seconds.
const UNDER_WAY: i64 = 30 + 60 - 1;

/// Everything of the property test that changes.
struct World {
    tables: Tables,
    now: i64,
    deliveries: Vec<DeliveryId>,
    /// Since when each is about to be recorded.
    under_way: Vec<Option<i64>>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

impl World {
    fn new(accepted: &[i64], now: i64) -> Self {
        let id = |second: &i64| DeliveryId::first_at(at(*second));
        Self {
            tables: Tables::default(),
            now,
            deliveries: accepted.iter().map(id).collect(),
            under_way: vec![None; accepted.len()],
        }
    }

    /// A walk by somebody with a fast clock.
    fn walk(&self, skip: usize) -> Run {
        let now = at(self.now + CLOCKS_DIFFER);
        let keepable = Keepable {
            after: "del_-".parse().unwrap(),
            last: late::settled_before(now),
        };
        Run {
            walk: Walk::new(id(0), keepable, Found::nothing_yet(skip, 5)),
            now,
            least: self.tables.records.len(),
        }
    }

    fn turn(&mut self, turn: &Turn) {
        let now = self.now;
        match *turn {
            Turn::Pass(seconds) => self.now += seconds,
            Turn::Begin(number) if number < self.deliveries.len() => {
                let delivery = &self.deliveries[number];
                if *delivery > DeliveryId::first_at(at(now)) {
                    return;
                }
                if late::is_late(delivery, at(now - CLOCKS_DIFFER)) {
                    self.tables.markers.insert(delivery.clone());
                }
                self.under_way[number] = Some(now);
            }
            Turn::Finish(number) if number < self.deliveries.len() => {
                if self.under_way[number]
                    .take()
                    .is_some_and(|since| now - since <= UNDER_WAY)
                {
                    self.tables.records.insert(self.deliveries[number].clone());
                }
            }
            Turn::Die(number) if number < self.deliveries.len() => self.under_way[number] = None,
            Turn::Walk(..) | Turn::Begin(_) | Turn::Finish(_) | Turn::Die(_) => {}
        }
    }
}

/// A list that is being made.
struct Run {
    walk: Walk,
    now: Timestamp,
    /// How many records there were when it began.
    least: usize,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The guarantee, in one sentence: while no record expires, a total is the number of records at some moment while the
    /// list was made.
    #[test]
    fn a_total_is_right_while_late_records_join_and_lists_count(
        accepted in proptest::collection::btree_set(0..SPAN, DELIVERIES),
        begins in 0..SPAN,
        turns in proptest::collection::vec(turn(), 0..600),
    ) {
        let accepted: Vec<_> = accepted.into_iter().collect();
        let mut world = World::new(&accepted, begins);
        let mut runs: Vec<_> = (0..3).map(|number| world.walk(number * 7)).collect();

        for turn in &turns {
            world.turn(turn);
            let Turn::Walk(number, steps) = *turn else {
                continue;
            };
            let run = &mut runs[number];
            if !(0..steps).all(|_| world.tables.step_at(&mut run.walk, run.now)) {
                let total = run.walk.found.total;
                prop_assert!((run.least..=world.tables.records.len()).contains(&total));
                runs[number] = world.walk(number * 7);
            }
        }

        for _ in 0..2 {
            let mut run = world.walk(3);
            while world.tables.step_at(&mut run.walk, run.now) {}
            prop_assert_eq!(run.walk.found.total, world.tables.records.len());
            prop_assert_eq!(run.walk.found.page, world.tables.page(3, 5));
        }
    }
}
