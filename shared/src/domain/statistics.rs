//! An endpoint's statistics: which hours or days are asked for, and what is counted in each of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::delivery::Failure;
use super::durations::Durations;
use super::id::DeliveryId;

const HOUR_SECONDS: i64 = 60 * 60;
const DAY_HOURS: i64 = 24;

/// Most hours that are counted for one request: 31 days.
const MAX_HOURS: i64 = 31 * DAY_HOURS;

/// What is asked for if nothing is said: a day by hours, or a week by days.
const DEFAULT_DAYS: i64 = 7;

/// An hour of UTC, by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(i64);

impl Hour {
    /// The first in which an event can have been accepted.
    pub const EARLIEST: Self = Self(0);

    /// The hour that holds this time.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.as_second().div_euclid(HOUR_SECONDS))
    }

    /// The hour after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// When it begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0 * HOUR_SECONDS).unwrap_or(Timestamp::MAX)
    }

    /// The greatest id of a delivery that was accepted before it.
    #[must_use]
    pub fn before(self) -> DeliveryId {
        Self(self.0 - 1).last()
    }

    /// The greatest id of a delivery that was accepted in it.
    #[must_use]
    pub fn last(self) -> DeliveryId {
        let end = Timestamp::from_millisecond((self.0 + 1) * HOUR_SECONDS * 1_000 - 1);
        DeliveryId::last_at(end.unwrap_or(Timestamp::MAX))
    }
}

/// How wide the parts are that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bucket {
    /// Hours.
    #[default]
    Hour,
    /// Days of UTC.
    Day,
}

impl Bucket {
    fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => DAY_HOURS,
        }
    }
}

/// A window that can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidWindow {
    /// It ends before it begins.
    Reversed,
    /// It is longer than 31 days.
    TooLong,
    /// There is no such time in the calendar.
    OutOfRange,
}

/// The hours or days that are asked for: at least one, and at most 31 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    first: Hour,
    end: Hour,
    bucket: Bucket,
}

impl Window {
    /// The whole hours or days around a time: `from` goes back to where its own begins, `to` on to where its own ends,
    /// unless another begins just there. Without `to` the window ends now, and without `from` it holds 24 hours or 7 days.
    ///
    /// # Errors
    /// There is no such window, or it is too long.
    pub fn new(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        bucket: Bucket,
        now: Timestamp,
    ) -> Result<Self, InvalidWindow> {
        let to = to.unwrap_or(now);
        if from.is_some_and(|from| from > to) {
            return Err(InvalidWindow::Reversed);
        }
        let width = bucket.hours();
        let first = |instant| Hour::of(instant).0.div_euclid(width) * width;
        let mut end = first(to);
        let is_at_its_start = Hour(end).start() == to;
        if !is_at_its_start || from == Some(to) {
            end += width;
        }
        let default = match bucket {
            Bucket::Hour => DAY_HOURS,
            Bucket::Day => DEFAULT_DAYS * DAY_HOURS,
        };
        let first = from.map_or(end - default, first);
        if end - first > MAX_HOURS {
            return Err(InvalidWindow::TooLong);
        }
        for hour in [first, end] {
            Timestamp::from_second(hour * HOUR_SECONDS).map_err(|_| InvalidWindow::OutOfRange)?;
        }
        Ok(Self {
            first: Hour(first),
            end: Hour(end),
            bucket,
        })
    }

    /// Its first hour.
    #[must_use]
    pub fn first(self) -> Hour {
        self.first
    }

    /// The hour after its last.
    #[must_use]
    pub fn end(self) -> Hour {
        self.end
    }

    /// Its hours or days, oldest first; of each the first hour, and the one after its last.
    pub fn buckets(self) -> impl Iterator<Item = (Hour, Hour)> {
        let width = self.bucket.hours();
        let count = (self.end.0 - self.first.0) / width;
        (0..count).map(move |number| {
            let first = self.first.0 + number * width;
            (Hour(first), Hour(first + width))
        })
    }
}

/// What came of the first attempt of a delivery, which never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstAttempt {
    /// Why it failed; `None` for a success.
    pub failure: Option<Failure>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What is counted of some deliveries, and never changes while no other joins them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there are.
    pub deliveries: u64,
    /// Those whose first attempt succeeded.
    pub succeeded: u64,
    /// Those whose first attempt failed, by why.
    pub failures: BTreeMap<Failure, u64>,
    /// How long the first attempts took that were answered, whatever the answer's status.
    pub answered: Durations,
}

impl Tally {
    /// Counts a delivery. One without an attempt is a delivery, and nothing else.
    pub fn count(&mut self, first: Option<FirstAttempt>) {
        self.deliveries += 1;
        let Some(first) = first else { return };
        match first.failure {
            None => self.succeeded += 1,
            Some(failure) => *self.failures.entry(failure).or_default() += 1,
        }
        // How long it took until nothing came says nothing about the receiver; the reasons do.
        if matches!(first.failure, None | Some(Failure::Status)) {
            self.answered.count(first.duration_ms);
        }
    }

    /// Adds what was counted of others.
    pub fn add(&mut self, others: &Self) {
        self.deliveries += others.deliveries;
        self.succeeded += others.succeeded;
        for (failure, count) in &others.failures {
            *self.failures.entry(*failure).or_default() += count;
        }
        self.answered.add(&others.answered);
    }
}

/// An hour or a day of an endpoint's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// When it begins.
    pub from: Timestamp,
    /// What never changes of it.
    pub tally: Tally,
    /// The deliveries that are not finished now.
    pub pending: u64,
    /// Those that have failed.
    pub failed: u64,
}

impl Statistics {
    /// Those that were delivered. What is undelivered is read a moment later, so there may be more of it than was counted.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.tally.deliveries.saturating_sub(self.pending + self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::time;
    use super::*;

    const NOW: &str = "2026-06-07T10:30:00Z";

    fn at(text: &str) -> Timestamp {
        time::parse(text).unwrap()
    }

    /// The first and the last of the buckets, and how many there are.
    fn window(from: &str, to: &str, bucket: Bucket) -> Result<(String, String, usize), InvalidWindow> {
        let window = Window::new(time::parse(from), time::parse(to), bucket, at(NOW))?;
        let starts: Vec<_> = window
            .buckets()
            .map(|(first, _)| time::format(first.start()))
            .collect();
        assert_eq!(
            starts.first(),
            Some(&time::format(window.first().start())),
            "at least one"
        );
        Ok((starts[0].clone(), starts[starts.len() - 1].clone(), starts.len()))
    }

    fn found(first: &str, last: &str, count: usize) -> (String, String, usize) {
        (first.to_owned(), last.to_owned(), count)
    }

    #[test]
    fn without_bounds_it_is_the_last_24_hours_or_7_days() {
        assert_eq!(
            window("", "", Bucket::Hour),
            Ok(found("2026-06-06T11:00:00Z", "2026-06-07T10:00:00Z", 24))
        );
        assert_eq!(
            window("", "", Bucket::Day),
            Ok(found("2026-06-01T00:00:00Z", "2026-06-07T00:00:00Z", 7))
        );
        assert_eq!(
            window("", "2026-06-02T00:00:00Z", Bucket::Hour),
            Ok(found("2026-06-01T00:00:00Z", "2026-06-01T23:00:00Z", 24))
        );
        assert_eq!(
            window("2026-06-07T08:00:00Z", "", Bucket::Hour),
            Ok(found("2026-06-07T08:00:00Z", "2026-06-07T10:00:00Z", 3))
        );
    }

    #[test]
    fn bounds_move_outwards_to_whole_hours_or_days() {
        assert_eq!(
            window("2026-06-01T10:59:59Z", "2026-06-01T12:00:01Z", Bucket::Hour),
            Ok(found("2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z", 3))
        );
        assert_eq!(
            window("2026-06-01T01:00:00+02:00", "2026-06-01T12:00:00Z", Bucket::Day),
            Ok(found("2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", 2))
        );
    }

    #[test]
    fn an_end_where_an_hour_begins_leaves_that_hour_out_unless_nothing_would_be_left() {
        assert_eq!(
            window("2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z", Bucket::Hour),
            Ok(found("2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z", 2))
        );
        assert_eq!(
            window("2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", Bucket::Hour),
            Ok(found("2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", 1))
        );
    }

    #[test]
    fn a_window_has_at_most_31_days_and_its_ends_in_order() {
        let days = |from: &str, to: &str| window(from, to, Bucket::Day).map(|found| found.2);

        assert_eq!(days("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"), Ok(31));
        assert_eq!(
            days("2026-05-01T00:00:00Z", "2026-06-01T00:00:01Z"),
            Err(InvalidWindow::TooLong)
        );
        assert_eq!(
            days("2026-06-01T00:00:01Z", "2026-06-01T00:00:00Z"),
            Err(InvalidWindow::Reversed)
        );
        assert_eq!(
            days("9999-12-30T00:00:00Z", "9999-12-30T01:00:00Z"),
            Err(InvalidWindow::OutOfRange)
        );
        assert_eq!(days("1969-12-31T00:00:00Z", "1970-01-01T01:00:00Z"), Ok(2));
    }

    #[test]
    fn an_hour_ends_with_the_greatest_id_before_the_next() {
        let hour = Hour::of(at("2026-06-07T10:30:00Z"));
        let first_of = |text: &str| DeliveryId::first_at(at(text));

        assert_eq!(time::format(hour.start()), "2026-06-07T10:00:00Z");
        assert!(first_of("2026-06-07T10:59:59.999Z") < hour.last());
        assert!(hour.last() < first_of("2026-06-07T11:00:00Z"));
        assert_eq!(Hour::of(hour.last().accepted_at().unwrap()), hour);
    }

    #[test]
    fn durations_are_those_of_first_attempts_that_were_answered() {
        let mut tally = Tally::default();
        let first = |failure, duration_ms| Some(FirstAttempt { failure, duration_ms });
        for attempt in [
            first(None, 3),
            first(Some(Failure::Status), 4),
            first(Some(Failure::Timeout), 15_000),
            first(Some(Failure::Connect), 1),
            None,
        ] {
            tally.count(attempt);
        }

        assert_eq!((tally.deliveries, tally.succeeded), (5, 1));
        assert_eq!(tally.failures.values().sum::<u64>(), 3);
        assert_eq!(tally.answered, [(3, 1), (4, 1)].into_iter().collect());
        let mut sum = tally.clone();
        sum.add(&tally);
        assert_eq!((sum.deliveries, sum.failures[&Failure::Timeout]), (10, 2));
    }
}
