//! Each rule of the merge, and then whole lists, page by page, while deliveries arrive.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// The histories of some endpoints, and which deliveries a filter lets through.
struct World {
    histories: Vec<BTreeSet<DeliveryId>>,
    wanted: fn(&DeliveryId) -> bool,
    filtering: Filtering,
    /// Records that were read.
    read: usize,
    /// Rounds of reading.
    rounds: usize,
}

fn everything(_: &DeliveryId) -> bool {
    true
}

/// About one of sixteen.
fn few(id: &DeliveryId) -> bool {
    id.as_str().ends_with(['0', 'G'])
}

fn id(endpoint: usize, milliseconds: i64) -> DeliveryId {
    let event = format!("evt_{milliseconds}").parse().unwrap();
    let endpoint = format!("whe_{endpoint}").parse().unwrap();
    DeliveryId::derive(
        Timestamp::from_millisecond(milliseconds).unwrap(),
        &event,
        &endpoint,
    )
}

fn top() -> DeliveryId {
    DeliveryId::last_at(Timestamp::from_second(4_000_000).unwrap())
}

impl World {
    /// Endpoints with deliveries that were accepted at these times, in milliseconds.
    fn of(histories: &[Vec<i64>]) -> Self {
        let history =
            |(endpoint, times): (usize, &Vec<i64>)| times.iter().map(|at| id(endpoint, *at)).collect();
        Self {
            histories: histories.iter().enumerate().map(history).collect(),
            wanted: everything,
            filtering: Filtering::Nothing,
            read: 0,
            rounds: 0,
        }
    }

    fn filtered(histories: &[Vec<i64>], wanted: fn(&DeliveryId) -> bool) -> Self {
        Self {
            wanted,
            filtering: Filtering::Some,
            ..Self::of(histories)
        }
    }

    fn answer(&mut self, ask: &Ask) -> Part {
        let below: Vec<_> = self.histories[ask.endpoint]
            .range(..=&ask.newest)
            .rev()
            .take(ask.limit)
            .cloned()
            .collect();
        self.read += below.len();
        // As DynamoDB does, which does not look whether anything follows.
        let is_last = below.len() < ask.limit;
        Part {
            unread: below.last().filter(|_| !is_last).and_then(DeliveryId::previous),
            found: below.into_iter().filter(self.wanted).collect(),
        }
    }

    /// A page, and what is between two rounds of reading.
    fn page(
        &mut self,
        newest: &DeliveryId,
        wanted: usize,
        mut meanwhile: impl FnMut(&mut Self),
    ) -> (Vec<DeliveryId>, Option<DeliveryId>) {
        let mut merge = Merge::new(self.histories.len(), newest, wanted, self.filtering);
        loop {
            let asks = merge.next();
            if asks.is_empty() {
                break;
            }
            self.rounds += 1;
            let parts = asks.iter().map(|ask| (ask.endpoint, self.answer(ask)));
            merge.take(parts.collect());
            meanwhile(self);
        }
        let (page, next) = merge.finish();
        for (endpoint, id) in &page {
            assert!(self.histories[*endpoint].contains(id));
        }
        (page.into_iter().map(|(_, id)| id).collect(), next)
    }

    fn newest_first(&self) -> Vec<DeliveryId> {
        let mut all: Vec<_> = self.histories.iter().flatten().cloned().collect();
        all.retain(self.wanted);
        all.sort_unstable_by(|one, other| other.cmp(one));
        all
    }
}

fn still(_: &mut World) {}

#[test]
fn no_endpoint_is_an_empty_page_and_the_last() {
    assert_eq!(World::of(&[]).page(&top(), 20, still), (Vec::new(), None));
}

#[test]
fn endpoints_without_deliveries_are_read_once_and_are_the_last_page() {
    let mut world = World::of(&[vec![], vec![]]);

    assert_eq!(world.page(&top(), 20, still), (Vec::new(), None));
    assert_eq!(world.rounds, 1);
}

#[test]
fn a_page_is_the_newest_of_all_endpoints_and_names_where_the_next_one_begins() {
    let mut world = World::of(&[vec![1, 4], vec![2, 3]]);

    let (page, next) = world.page(&top(), 2, still);

    assert_eq!(page, [id(0, 4), id(1, 3)]);
    let (page, next) = world.page(&next.unwrap(), 2, still);
    assert_eq!(page, [id(1, 2), id(0, 1)]);
    let last = next.map(|next| world.page(&next, 2, still));
    assert_eq!(last.unwrap_or_default(), (Vec::new(), None));
}

#[test]
fn of_one_endpoint_exactly_a_page_is_read() {
    let mut world = World::of(&[(0..500).collect()]);

    let (page, _) = world.page(&top(), 100, still);

    assert_eq!((page.len(), world.read, world.rounds), (100, 100, 1));
}

#[test]
fn of_a_hundred_endpoints_a_few_records_each_are_a_page() {
    let history = |endpoint| (0_i64..1_000).map(|number| number * 100 + endpoint).collect();
    let histories: Vec<Vec<i64>> = (0..100).map(history).collect();
    let mut world = World::of(&histories);

    let (page, _) = world.page(&top(), 100, still);

    assert_eq!(page, world.newest_first()[..100]);
    assert_eq!((world.read, world.rounds), (100 * FEW, 1));
}

#[test]
fn of_a_busy_endpoint_among_quiet_ones_more_is_read_and_of_the_others_not() {
    let mut histories = vec![vec![1, 2, 3, 4, 5]; 100];
    histories[7] = (1_000..3_000).collect();
    let mut world = World::of(&histories);

    let (page, _) = world.page(&top(), 100, still);

    assert_eq!(page, world.newest_first()[..100]);
    assert_eq!((world.read, world.rounds), (99 * 5 + FEW + 32 + 100, 3));
}

#[test]
fn where_almost_nothing_is_wanted_a_page_is_short_and_the_next_one_goes_on_behind_it() {
    let history = |endpoint| (0_i64..1_000).map(|number| number * 100 + endpoint).collect();
    let histories: Vec<Vec<i64>> = (0..100).map(history).collect();
    let mut world = World::filtered(&histories, |_| false);

    let (page, next) = world.page(&top(), 20, still);

    assert!(page.is_empty());
    assert!(world.read <= 100 * FEW + MOST_MORE, "{}", world.read);
    assert!(world.read > MOST_MORE, "{}", world.read);
    assert!(next.unwrap() < id(0, 99_000));
}

#[test]
fn a_page_moves_on_even_if_there_are_more_endpoints_than_records_to_read() {
    let histories = vec![(1..20).collect(); 2_100];
    let mut world = World::filtered(&histories, |_| false);

    let (page, next) = world.page(&top(), 20, still);

    assert!(page.is_empty());
    assert!(next.unwrap() < DeliveryId::first_at(Timestamp::from_millisecond(13).unwrap()));
}

/// How a list is read: the sizes of its pages, and what arrives meanwhile, newer than anything before.
#[derive(Debug, Clone)]
struct Reading {
    histories: Vec<Vec<i64>>,
    sizes: Vec<usize>,
    arrivals: Vec<usize>,
}

fn reading() -> impl Strategy<Value = Reading> {
    let history = prop_oneof![
        proptest::collection::vec(0_i64..500, 0..60),
        proptest::collection::vec(0_i64..500, 0..3),
    ];
    (
        proptest::collection::vec(history, 1..12),
        proptest::collection::vec(1_usize..30, 1..6),
        proptest::collection::vec(any::<usize>(), 1..40),
    )
        .prop_map(|(histories, sizes, arrivals)| Reading {
            histories,
            sizes,
            arrivals,
        })
}

proptest! {
    #[test]
    fn every_delivery_is_on_one_page_and_newest_first_while_new_ones_arrive(reading in reading(), is_filtered: bool) {
        let mut world = if is_filtered { World::filtered(&reading.histories, few) } else { World::of(&reading.histories) };
        let wanted = world.wanted;
        let before: BTreeSet<_> = world.newest_first().into_iter().collect();
        let (mut arrivals, mut time) = (reading.arrivals.iter(), 1_000);
        let (mut listed, mut newest) = (Vec::new(), Some(top()));

        for size in reading.sizes.iter().cycle() {
            let Some(from) = newest.take() else { break };
            let (page, next) = world.page(&from, *size, |world| {
                if let Some(endpoint) = arrivals.next() {
                    time += 1;
                    let endpoint = endpoint % world.histories.len();
                    world.histories[endpoint].insert(id(endpoint, time));
                }
            });
            prop_assert!(page.len() <= *size);
            prop_assert!(next.as_ref().is_none_or(|next| *next < from), "each page goes on");
            listed.extend(page);
            newest = next;
        }

        prop_assert!(listed.is_sorted_by(|one, other| one > other), "newest first, and each once");
        prop_assert!(listed.iter().all(wanted));
        let listed: BTreeSet<_> = listed.into_iter().collect();
        prop_assert!(listed.is_superset(&before));
    }
}
