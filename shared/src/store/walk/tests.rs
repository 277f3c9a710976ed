use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// Keys of a call in these tests: few, so that a short history takes many calls.
const CALL: usize = 3;

fn id(number: u16) -> DeliveryId {
    DeliveryId::first_at(Timestamp::from_second(number.into()).unwrap())
}

/// The tables, as far as a walk asks them; every answer is of one moment.
#[derive(Debug, Default)]
struct Tables {
    records: BTreeSet<DeliveryId>,
    markers: BTreeSet<DeliveryId>,
    kept: BTreeMap<DeliveryId, KeptCount>,
    /// How often a count was kept.
    keeps: usize,
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
        let ids: Vec<_> = all.by_ref().take(CALL).cloned().collect();
        Keys {
            count: ids.len(),
            // Like DynamoDB, which says that it stopped even if nothing is left.
            stopped_at: (ids.len() == CALL).then(|| ids.last().cloned()).flatten(),
            ids: if only_counted { Vec::new() } else { ids },
        }
    }

    /// Answers what a walk asks next; false at its end.
    fn step(&mut self, walk: &mut Walk) -> bool {
        match walk.next() {
            None => return false,
            Some(Ask::Keys {
                after,
                down_to,
                only_counted,
            }) => walk.take_keys(&self.keys(after.as_ref(), &down_to, only_counted)),
            Some(Ask::KeptCounts { first, last }) => {
                let between = self.kept.range(first..=last);
                walk.take_counts(between.map(|(_, part)| part.clone()).collect());
            }
            Some(Ask::Markers { first, last }) => {
                walk.take_markers(self.markers.range(first..=last).cloned().collect());
            }
            Some(Ask::Keep(part)) => {
                self.keeps += 1;
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

/// Everything that is not among the newest is closed.
const CLOSED_BEFORE: u16 = 1_000;

fn walk(skip: usize, take: usize) -> Walk {
    Walk::new(id(0), id(CLOSED_BEFORE), Found::nothing_yet(skip, take))
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
fn what_is_not_closed_is_not_kept() {
    let mut tables = Tables::with(CLOSED_BEFORE + 1..CLOSED_BEFORE + 50);

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

/// What the scheduler of the property test does next.
#[derive(Debug, Clone)]
enum Turn {
    /// One of the walks goes a step further.
    Walk(usize),
    /// A new delivery is recorded among the newest.
    New,
    /// One of the late deliveries is marked, or recorded if it is marked.
    Late(usize),
    /// The process that was about to record it dies; another one comes back to it, and begins with the marker.
    Dies(usize),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        6 => (0..3_usize).prop_map(Turn::Walk),
        1 => Just(Turn::New),
        3 => (0..40_usize).prop_map(Turn::Late),
        1 => (0..40_usize).prop_map(Turn::Dies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The guarantee, in one sentence: while no record expires, a total is the number of records at some moment while the
    /// list was made.
    #[test]
    fn a_total_is_right_while_late_records_join_and_lists_count(
        old in proptest::collection::btree_set(0_u16..900, 0..80),
        late in proptest::collection::btree_set(0_u16..900, 0..40),
        turns in proptest::collection::vec(turn(), 0..400),
    ) {
        let mut tables = Tables::with(old.difference(&late).copied());
        let late: Vec<_> = late.into_iter().map(id).collect();
        let mut marked = vec![false; late.len()];
        let mut newest = 1_500;
        let mut walks: Vec<_> = (0..3).map(|number| (walk(number * 7, 5), tables.records.len())).collect();

        for turn in turns {
            match turn {
                Turn::Walk(number) => {
                    let (current, least) = &mut walks[number];
                    if !tables.step(current) {
                        prop_assert!((*least..=tables.records.len()).contains(&current.found.total));
                        (*current, *least) = (walk(number * 7, 5), tables.records.len());
                    }
                }
                Turn::New => {
                    newest += 1;
                    tables.records.insert(id(newest));
                }
                Turn::Late(number) if number < late.len() && marked[number] => {
                    tables.records.insert(late[number].clone());
                }
                Turn::Late(number) if number < late.len() => {
                    tables.markers.insert(late[number].clone());
                    marked[number] = true;
                }
                Turn::Dies(number) if number < late.len() => marked[number] = false,
                Turn::Late(_) | Turn::Dies(_) => {}
            }
        }

        let found = tables.list(3, 10);
        prop_assert_eq!(found.total, tables.records.len());
        prop_assert_eq!(found.page, tables.page(3, 10));
    }
}
