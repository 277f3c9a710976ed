use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::super::beside::{again_at, lasts};
use super::super::late::{Late, groups, is_late, late_kind, markers_of, sort_key};
use super::*;
use crate::domain::delivery::Failure;

/// Records and markers of a call in these tests: few, so that a short history takes many calls.
const CALL: usize = 4;

/// Hours in the window, and how long records are kept.
const HOURS: i64 = 8;
const RETENTION_HOURS: i64 = 12;

/// When the window begins, in seconds since 1970.
const START: i64 = 1_000 * 3_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn hour(number: i64) -> Hour {
    Hour::of(at(number * 3_600))
}

/// The id of a delivery that was accepted so many seconds after the window's start; `number` keeps ids apart.
fn id(second: i64, number: usize) -> DeliveryId {
    let event = format!("evt_{number}").parse().unwrap();
    DeliveryId::derive(at(second), &event, &"whe_1".parse().unwrap())
}

fn expiry(id: &DeliveryId) -> i64 {
    id.accepted_at().unwrap().as_second() + RETENTION_HOURS * 3_600
}

fn first(number: usize) -> FirstAttempt {
    let failures = [None, None, Some(Failure::Status), Some(Failure::Timeout)];
    FirstAttempt {
        failure: failures[number % failures.len()],
        duration_ms: 3 * number as u64,
    }
}

/// The tables, as far as a walk asks them; every answer is of one moment.
#[derive(Debug, Default)]
struct Tables {
    records: BTreeMap<DeliveryId, Option<FirstAttempt>>,
    /// The sort keys of the items that mark deliveries together.
    markers: BTreeSet<String>,
    kept: BTreeMap<DeliveryId, KeptPart>,
    /// How often records were asked for.
    reads: usize,
    is_purged: bool,
}

impl Tables {
    /// A record with its first attempt in each of these seconds.
    fn with(seconds: impl IntoIterator<Item = i64>) -> Self {
        let records = seconds.into_iter().enumerate();
        Self {
            records: records
                .map(|(number, second)| (id(second, number), Some(first(number))))
                .collect(),
            ..Self::default()
        }
    }

    fn mark(&mut self, delivery: &DeliveryId, kind: MarkerKind) {
        self.mark_all(&[delivery], kind);
    }

    fn mark_all(&mut self, deliveries: &[&DeliveryId], kind: MarkerKind) {
        let endpoint = "whe_1".parse().unwrap();
        let late = |delivery| Late {
            endpoint: &endpoint,
            kind,
            delivery,
        };
        let late: Vec<_> = deliveries.iter().copied().map(late).collect();
        self.markers.insert(sort_key(&late));
    }

    fn some_records(&mut self, after: DeliveryId, last: DeliveryId) -> (Vec<Record>, Option<DeliveryId>) {
        self.reads += 1;
        let range = (Bound::Excluded(after), Bound::Included(last));
        let records: Vec<_> = self
            .records
            .range(range)
            .take(CALL)
            .map(|(id, first)| Record {
                id: id.clone(),
                first: *first,
                expires_at: expiry(id),
            })
            .collect();
        // Like DynamoDB, which says that it stopped even if nothing is left.
        let is_full = records.len() == CALL;
        let stopped_at = records.last().map(|record| record.id.clone());
        (records, stopped_at.filter(|_| is_full))
    }

    fn markers_between(&self, from: &DeliveryId, last: &DeliveryId) -> impl Iterator<Item = &String> {
        self.markers.range(from.to_string()..=format!("{last}~"))
    }

    /// Answers what a walk asks next at this time; false at its end.
    fn step(&mut self, walk: &mut Walk, now: i64) -> bool {
        let lasts = |part: &KeptPart| lasts(part.expires_at.min(expiry(&part.after)), START + now);
        match walk.next() {
            None => return false,
            Some(Ask::Kept { after, last }) => {
                let parts = self.kept.range(after..=last).map(|(_, part)| part.clone());
                walk.take_kept_parts(parts.filter(lasts).collect());
            }
            Some(Ask::Markers { from, last }) => {
                let items: Vec<_> = self.markers_between(&from, &last).take(CALL + 2).collect();
                let stopped_at = items.last().filter(|_| items.len() == CALL + 2);
                walk.take_markers(MarkerPage {
                    more_from: stopped_at.map(|item| markers_of(item)[0].delivery.clone()),
                    markers: items.into_iter().flat_map(|item| markers_of(item)).collect(),
                });
            }
            Some(Ask::Records { after, last }) => {
                let (records, stopped_at) = self.some_records(after, last);
                walk.take_records(records, stopped_at);
            }
            Some(Ask::AllMarkers { after, last }) => {
                let from = late::reach_back(&after);
                let items = self.markers_between(&from, &last);
                walk.take_all_markers(&items.flat_map(|item| markers_of(item)).collect());
            }
            Some(Ask::Keep(_)) if self.is_purged => walk.go_on(false),
            Some(Ask::Keep(parts)) => {
                for mut part in parts {
                    part.expires_at = part.expires_at.min(again_at(&part.last, at(now)));
                    if lasts(&part) {
                        self.kept.insert(part.after.clone(), part);
                    }
                }
                walk.go_on(true);
            }
        }
        true
    }

    /// Counts everything at this time.
    fn look(&mut self, now: i64) -> BTreeMap<Hour, Tally> {
        let mut walk = walk(now);
        while self.step(&mut walk, now) {}
        assert!(walk.is_complete());
        walk.tallies()
    }

    /// What a look must find.
    fn naive(&self) -> BTreeMap<Hour, Tally> {
        let mut tallies: BTreeMap<_, _> = (0..HOURS)
            .map(|number| (hour(number), Tally::default()))
            .collect();
        for (id, first) in &self.records {
            if let Some(tally) = tallies.get_mut(&Hour::of(id.accepted_at().unwrap())) {
                tally.count(*first);
            }
        }
        tallies
    }
}

fn walk(now: i64) -> Walk {
    let ago = |hours| at(now) - SignedDuration::from_hours(hours);
    Walk::new(
        hour(0),
        hour(HOURS),
        Keepable {
            after: DeliveryId::last_at(ago(RETENTION_HOURS - 1)),
            last: late::settled_before(at(now)),
        },
    )
}

/// An hour after the window's end.
const CLOSED: i64 = (HOURS + 1) * 3_600;

#[test]
fn every_hour_is_tallied_and_an_empty_one_is_zero() {
    let mut tables = Tables::with([5, 6, 3 * 3_600]);

    let tallies = tables.look(CLOSED);

    assert_eq!(tallies, tables.naive());
    assert_eq!(tallies.len(), 8);
    assert_eq!(tallies[&hour(1)], Tally::default());
}

#[test]
fn what_was_tallied_is_not_walked_again() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    let tallies = tables.look(CLOSED);
    tables.reads = 0;

    assert_eq!(tables.look(CLOSED), tallies);
    assert_eq!(tables.reads, 1, "the last call was short");
}

#[test]
fn of_a_short_history_nothing_is_kept() {
    let mut tables = Tables::with([5, 6, 3 * 3_600]);

    tables.look(CLOSED);

    assert!(tables.kept.is_empty());
}

#[test]
fn a_stretch_without_deliveries_is_one_part() {
    let busy = |hour: i64| (0..7).map(move |number| hour * 3_600 + number);
    let mut tables = Tables::with(busy(0).chain(busy(6)));

    let tallies = tables.look(CLOSED);

    assert_eq!(tables.look(CLOSED), tallies);
    assert_eq!(tallies, tables.naive());
    let empty = tables.kept.values().filter(|part| part.tally == Tally::default());
    assert_eq!(empty.count(), 1);
}

#[test]
fn a_gap_between_parts_is_kept_however_short() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    tables.look(CLOSED);
    let kept = tables.kept.len();
    tables.kept.remove(&tables.kept.keys().nth(3).unwrap().clone());

    tables.look(CLOSED);

    assert_eq!(tables.kept.len(), kept);
}

#[test]
fn only_what_has_settled_is_kept() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    let now = HOURS * 3_600 - 1;

    tables.look(now);

    let newest = tables.kept.values().map(|part| &part.last).max();
    assert!(*newest.unwrap() <= late::settled_before(at(now)));
}

#[test]
fn a_part_with_deliveries_is_in_one_hour() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    tables.look(CLOSED);

    for part in tables.kept.values().filter(|part| part.tally.deliveries > 0) {
        let first = Hour::of(part.after.accepted_at().unwrap() + SignedDuration::from_millis(1));
        assert_eq!(first, Hour::of(part.last.accepted_at().unwrap()));
    }
}

#[test]
fn an_hour_with_more_records_than_a_request_reads_is_counted_by_several() {
    let mut tables = Tables::with(0..100);
    let mut looks = 0;
    loop {
        looks += 1;
        let (mut walk, before) = (walk(CLOSED), tables.reads);
        loop {
            if tables.reads - before == 3 {
                walk.stop();
            }
            if !tables.step(&mut walk, CLOSED) {
                break;
            }
        }
        if walk.is_complete() {
            assert_eq!(walk.tallies(), tables.naive());
            break;
        }
        assert!(!walk.tallies().contains_key(&hour(0)));
    }
    assert!((5..=10).contains(&looks), "{looks}");
}

#[test]
fn parts_with_many_markers_are_kept_before_there_are_more_than_can_be_read_again() {
    let mut walk = walk(CLOSED);
    let ids: Vec<_> = (0..MANY_MARKERS).map(|number| id(5, number)).collect();
    let markers = ids.iter().cloned().map(|delivery| Marker {
        delivery,
        kind: MarkerKind::Recorded,
    });
    let mut records: Vec<_> = ids
        .iter()
        .cloned()
        .map(|id| Record {
            expires_at: expiry(&id),
            id,
            first: None,
        })
        .collect();
    records.sort_by(|one, other| one.id.cmp(&other.id));
    let reached = records.last().map(|record| record.id.clone());

    walk.take_kept_parts(Vec::new());
    walk.take_markers(MarkerPage {
        markers: markers.collect(),
        more_from: None,
    });
    walk.next();
    walk.take_records(records, reached);

    assert!(matches!(walk.next(), Some(Ask::AllMarkers { .. })));
}

#[test]
fn a_late_record_voids_its_part_only() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    tables.look(CLOSED);
    let (kept, late) = (tables.kept.clone(), id(7_000, 99));
    tables.mark(&late, MarkerKind::Recorded);
    tables.records.insert(late, None);

    assert_eq!(tables.look(CLOSED), tables.naive());
    let changed = kept
        .iter()
        .filter(|(after, part)| tables.kept.get(after) != Some(part));
    assert_eq!(changed.count(), 1);
}

#[test]
fn nothing_is_kept_of_a_part_with_a_marker_of_what_is_still_to_come() {
    for kind in [MarkerKind::Recorded, MarkerKind::Attempted] {
        let mut tables = Tables::with((0..50).map(|number| number * 500));
        let late = id(7_000, 98);
        if kind == MarkerKind::Attempted {
            tables.records.insert(late.clone(), None);
        }
        tables.mark(&late, kind);

        assert_eq!(tables.look(CLOSED), tables.naive());
        assert_eq!(tables.look(CLOSED), tables.naive());
        tables.records.insert(late, Some(first(0)));
        assert_eq!(tables.look(CLOSED), tables.naive());
    }
}

#[test]
fn a_first_attempt_of_a_record_that_was_recorded_late_without_one_is_not_missed() {
    let mut tables = Tables::with((0..50).map(|number| number * 500));
    let late = id(7_000, 98);
    tables.mark(&late, MarkerKind::Recorded);
    tables.records.insert(late.clone(), None);
    tables.look(CLOSED);
    tables.mark(&late, MarkerKind::Attempted);
    tables.records.insert(late, Some(first(0)));

    assert_eq!(tables.look(CLOSED), tables.naive());
}

/// What the scheduler of the property test does next.
#[derive(Debug, Clone)]
enum Turn {
    /// One of the walks goes some steps further.
    Walk(usize, usize),
    /// One has used up what it may.
    Stop(usize),
    /// Seconds pass.
    Pass(i64),
    /// A process decides what to write of a delivery next, and marks it if that is late.
    Begin(usize),
    /// The same, of two at once.
    BeginTwo(usize),
    /// It writes.
    Finish(usize),
    /// It dies.
    Die(usize),
    /// The record of a delivery is deleted, or its markers, if they have expired.
    Expire(usize),
    ExpireMarkers(usize),
    Purge,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => (0..3_usize, 1..15_usize).prop_map(|(number, steps)| Turn::Walk(number, steps)),
        1 => (0..3_usize).prop_map(Turn::Stop),
        1 => (1..3_600_i64).prop_map(Turn::Pass),
        4 => (0..DELIVERIES).prop_map(Turn::Begin),
        4 => (0..DELIVERIES).prop_map(Turn::BeginTwo),
        8 => (0..DELIVERIES).prop_map(Turn::Finish),
        1 => (0..DELIVERIES).prop_map(Turn::Die),
        1 => (0..DELIVERIES).prop_map(Turn::Expire),
        1 => (0..DELIVERIES).prop_map(Turn::ExpireMarkers),
    ]
}

const DELIVERIES: usize = 60;
const MINUTE: i64 = 60;

/// The longest time between the decision that something is not late and its write, in seconds: what it may take, and what
/// clocks and networks are granted.
const UNDER_WAY: i64 = 30 + 120 - 1;

/// A delivery: when its event was accepted, and whether its record begins with an attempt.
#[derive(Debug, Clone)]
struct Delivery {
    id: DeliveryId,
    accepted: i64,
    begins_with_attempt: bool,
    /// When the process under way decided what to write: the record with its first attempt or without.
    under_way: Option<(i64, Option<FirstAttempt>)>,
}

/// Two by two, about as close together as what is marked together may be.
fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let two = (0..HOURS * 3_600, 0..2 * MINUTE, any::<[bool; 2]>());
    proptest::collection::vec(two, DELIVERIES / 2).prop_map(|all| {
        let seconds = all
            .iter()
            .flat_map(|(first, apart, begin)| [(*first, begin[0]), (first + apart, begin[1])]);
        let delivery = |(number, (accepted, begins_with_attempt))| Delivery {
            id: id(accepted, number),
            accepted,
            begins_with_attempt,
            under_way: None,
        };
        seconds.enumerate().map(delivery).collect()
    })
}

/// A walk with what each hour held at least and at most since it began.
struct Run {
    walk: Walk,
    began: i64,
    least: BTreeMap<Hour, [u64; 4]>,
    most: BTreeMap<Hour, [u64; 4]>,
}

fn figures(tally: &Tally) -> [u64; 4] {
    let answered = tally.answered.buckets().iter().map(|(_, count)| count).sum();
    [
        tally.deliveries,
        tally.succeeded,
        tally.failures.values().sum(),
        answered,
    ]
}

impl Run {
    fn new(tables: &Tables, now: i64) -> Self {
        let held: BTreeMap<_, _> = tables
            .naive()
            .iter()
            .map(|(hour, tally)| (*hour, figures(tally)))
            .collect();
        Self {
            walk: walk(now),
            began: now,
            least: held.clone(),
            most: held,
        }
    }

    fn see(&mut self, held: &BTreeMap<Hour, Tally>) {
        for (hour, tally) in held {
            let now = figures(tally);
            let combine = |seen: &mut [u64; 4], choose: fn(u64, u64) -> u64| {
                for (seen, now) in seen.iter_mut().zip(now) {
                    *seen = choose(*seen, now);
                }
            };
            combine(self.least.get_mut(hour).unwrap(), u64::min);
            combine(self.most.get_mut(hour).unwrap(), u64::max);
        }
    }

    fn found_right(self) -> bool {
        let (least, most) = (self.least, self.most);
        self.walk.tallies().iter().all(|(hour, tally)| {
            let figures = figures(tally).into_iter();
            let bounds = least[hour].into_iter().zip(most[hour]);
            figures
                .zip(bounds)
                .all(|(figure, (least, most))| (least..=most).contains(&figure))
        })
    }
}

/// Everything of the property test that changes.
struct World {
    tables: Tables,
    deliveries: Vec<Delivery>,
    now: i64,
}

impl World {
    /// One process is about to record these.
    fn begin(&mut self, numbers: &[usize]) {
        let (tables, now) = (&mut self.tables, self.now);
        let endpoint = "whe_1".parse().unwrap();
        let mut late = Vec::new();
        for number in numbers {
            let delivery = &mut self.deliveries[*number];
            if delivery.accepted > now || tables.is_purged {
                continue;
            }
            let record = tables.records.get(&delivery.id);
            // A further attempt of one that has its first changes nothing that is tallied.
            let attempt = match record {
                None => delivery.begins_with_attempt.then(|| first(*number)),
                Some(attempt) => attempt.or(Some(first(*number))),
            };
            let before = record.map(|attempt| u32::from(attempt.is_some()));
            let kind = late_kind(before, u32::from(attempt.is_some()));
            if is_late(&delivery.id, at(now)) {
                late.extend(kind.map(|kind| (delivery.id.clone(), kind)));
            }
            delivery.under_way = Some((now, attempt));
        }
        let late = late.iter().map(|(delivery, kind)| Late {
            endpoint: &endpoint,
            kind: *kind,
            delivery,
        });
        tables
            .markers
            .extend(groups(late.collect()).iter().map(|group| sort_key(group)));
    }

    /// Whether a record changed.
    fn turn(&mut self, turn: &Turn) -> bool {
        let (tables, now) = (&mut self.tables, self.now);
        match *turn {
            Turn::Begin(number) => {
                self.begin(&[number]);
                false
            }
            Turn::BeginTwo(number) => {
                self.begin(&[number, number ^ 1]);
                false
            }
            Turn::Finish(number) => {
                let delivery = &mut self.deliveries[number];
                let Some((began, attempt)) = delivery.under_way.take() else {
                    return false;
                };
                if now - began > UNDER_WAY || tables.is_purged {
                    return false;
                }
                // Under its condition: a record that has its first attempt keeps it.
                let record = tables.records.entry(delivery.id.clone()).or_default();
                *record = record.or(attempt);
                true
            }
            Turn::Die(number) => {
                self.deliveries[number].under_way = None;
                false
            }
            Turn::Expire(number) if expiry(&self.deliveries[number].id) <= START + now => {
                tables.records.remove(&self.deliveries[number].id).is_some()
            }
            Turn::ExpireMarkers(number) if expiry(&self.deliveries[number].id) <= START + now => {
                let id = &self.deliveries[number].id;
                // Those that are marked together expire with the newest.
                tables
                    .markers
                    .retain(|item| markers_of(item).pop().unwrap().delivery != *id);
                false
            }
            Turn::Purge => {
                tables.records.clear();
                tables.markers.clear();
                tables.kept.clear();
                tables.is_purged = true;
                true
            }
            _ => false,
        }
    }
}

/// Lets everything happen in this order, and says whether all that the walks found was right.
fn all_is_right(world: &mut World, turns: &[Turn]) -> bool {
    let mut runs: Vec<_> = (0..3).map(|_| Run::new(&world.tables, world.now)).collect();
    for turn in turns {
        match turn {
            Turn::Pass(seconds) => {
                world.now += seconds;
                // A request takes seconds; here, minutes.
                for run in runs.iter_mut().filter(|run| world.now - run.began > 10 * MINUTE) {
                    *run = Run::new(&world.tables, world.now);
                }
            }
            Turn::Stop(number) => runs[*number].walk.stop(),
            Turn::Walk(number, steps) => {
                let run = &mut runs[*number];
                let now = run.began;
                if !(0..*steps).all(|_| world.tables.step(&mut run.walk, now)) {
                    let run = std::mem::replace(run, Run::new(&world.tables, world.now));
                    if !run.found_right() {
                        return false;
                    }
                }
            }
            turn => {
                if world.turn(turn) {
                    let held = world.tables.naive();
                    for run in &mut runs {
                        run.see(&held);
                    }
                }
            }
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The guarantee, in one sentence: what is shown of an hour is what it held at some moment while it was counted, and
    /// once nothing changes, exactly what it holds.
    #[test]
    fn what_is_tallied_is_right_whatever_happens_meanwhile(
        deliveries in deliveries(),
        begins in 3_600..CLOSED,
        turns in proptest::collection::vec(turn(), 0..600),
    ) {
        let mut world = World { tables: Tables::default(), deliveries, now: begins };

        prop_assert!(all_is_right(&mut world, &turns));

        let naive = world.tables.naive();
        for _ in 0..2 {
            prop_assert_eq!(&world.tables.look(world.now), &naive);
        }
    }

    #[test]
    fn nothing_is_kept_of_a_history_that_is_purged_meanwhile(
        deliveries in deliveries(),
        turns in proptest::collection::vec(turn(), 100..400),
        purge in 0..100_usize,
    ) {
        let mut world = World { tables: Tables::default(), deliveries, now: CLOSED };
        let (before, after) = turns.split_at(purge);
        let turns = [before, &[Turn::Purge], after].concat();

        all_is_right(&mut world, &turns);

        prop_assert!(world.tables.kept.is_empty());
    }
}
