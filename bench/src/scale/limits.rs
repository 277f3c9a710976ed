//! What can hold messages up, and for how long each did.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The queues that event sources read, from the first to the last of a delivery that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// Events, which `fan-out` reads.
    Events,
    /// First attempts, which `deliver` reads.
    Deliveries,
    /// Further attempts, and first ones at endpoints in trouble, which `deliver` reads too.
    Retries,
    /// Failed attempts, which `retry` reads.
    FailedAttempts,
}

/// What has units of DynamoDB of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// Endpoints by workspace.
    Endpoints,
    /// Events by workspace.
    Events,
    /// Deliveries by endpoint.
    Deliveries,
    /// The index of those that are pending or failed, by endpoint. A write that it has no room for is throttled as well
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html>).
    Undelivered,
}

/// Something that messages may have to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    /// An event source gets more places only so fast.
    Growth(Source),
    /// An event source has its maximum concurrency.
    Maximum(Source),
    /// A queue has as many messages in flight as it may have.
    InFlight(Source),
    /// The account has its concurrency.
    Concurrency,
    /// The account is asked as often as it may be.
    Invocations,
    /// A function gets more environments only so fast.
    Environments,
    /// A table takes no more writes.
    Writes(Table),
    /// A table takes no more reads.
    Reads(Table),
    /// One partition key takes no more writes.
    KeyWrites(Table),
    /// One partition key takes no more reads.
    KeyReads(Table),
    /// Secrets Manager gives out no more secrets.
    Secrets,
    /// The scheduler takes no more schedules a second.
    SchedulesCreated,
    /// The scheduler takes no more schedules.
    Schedules,
    /// The scheduler fires no more schedules a second.
    SchedulesFired,
}

impl Source {
    pub(super) const ALL: [Self; 4] = [
        Self::Events,
        Self::Deliveries,
        Self::Retries,
        Self::FailedAttempts,
    ];

    /// The queue's name in the template.
    pub(super) fn queue(self) -> &'static str {
        match self {
            Self::Events => "EventsQueue",
            Self::Deliveries => "DeliveriesQueue",
            Self::Retries => "RetriesQueue",
            Self::FailedAttempts => "FailedAttemptsQueue",
        }
    }
}

impl Table {
    pub(super) const ALL: [Self; 4] = [Self::Endpoints, Self::Events, Self::Deliveries, Self::Undelivered];
}

impl Limit {
    /// Whether it is a number of places, which also fill up while their batches wait for something else.
    fn is_of_places(self) -> bool {
        matches!(
            self,
            Self::Growth(_) | Self::Maximum(_) | Self::InFlight(_) | Self::Concurrency | Self::Environments
        )
    }

    /// Whether what is delivered at the first attempt may have to wait for it.
    pub(super) fn is_on_the_way_of_what_succeeds(self) -> bool {
        let retrying = |source| matches!(source, Source::Retries | Source::FailedAttempts);
        match self {
            Self::Growth(source) | Self::Maximum(source) | Self::InFlight(source) => !retrying(source),
            Self::SchedulesCreated | Self::Schedules | Self::SchedulesFired => false,
            Self::Writes(table) | Self::KeyWrites(table) => table != Table::Undelivered,
            _ => true,
        }
    }

    /// What moves it, where that is no parameter.
    pub(super) fn moved_by(self) -> Option<&'static str> {
        match self {
            Self::Maximum(_) => None,
            Self::Growth(_) | Self::InFlight(_) | Self::Environments => Some("nothing moves it"),
            Self::KeyWrites(_) | Self::KeyReads(_) => Some("nothing moves it but more keys"),
            Self::Writes(_) | Self::Reads(_) => Some("a table that has taken as much before takes it again"),
            _ => Some("AWS moves it on request"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Growth(source) => write!(f, "growth of the event source of {}", source.queue()),
            Self::Maximum(source) => write!(f, "maximum concurrency of {}", source.queue()),
            Self::InFlight(source) => write!(f, "messages in flight of {}", source.queue()),
            Self::Concurrency => write!(f, "concurrency of the account"),
            Self::Invocations => write!(f, "invocations a second of the account"),
            Self::Environments => write!(f, "new environments of a function"),
            Self::Writes(table) => write!(f, "write units of {table:?}"),
            Self::Reads(table) => write!(f, "read units of {table:?}"),
            Self::KeyWrites(table) => write!(f, "write units of one key of {table:?}"),
            Self::KeyReads(table) => write!(f, "read units of one key of {table:?}"),
            Self::Secrets => write!(f, "secrets read a second"),
            Self::SchedulesCreated => write!(f, "schedules created a second"),
            Self::Schedules => write!(f, "schedules"),
            Self::SchedulesFired => write!(f, "schedules fired a second"),
        }
    }
}

/// What part of the longest time is almost as long.
const ALMOST: f64 = 0.9;
/// What is more than a moment.
const NOT_A_MOMENT: Duration = Duration::from_secs(1);

/// How a limit held messages up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// When first.
    pub(super) first: Duration,
    /// For how long, in all.
    pub(super) time: Duration,
    until: Duration,
}

/// How all limits held messages up so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Meters(BTreeMap<Limit, Held>);

impl Meters {
    /// Somebody waits for a limit from one moment to another. Times in which several wait count once.
    pub(super) fn waits(&mut self, limit: Limit, from: Duration, until: Duration) {
        if until <= from {
            return;
        }
        let held = self.0.entry(limit).or_insert(Held {
            first: from,
            time: Duration::ZERO,
            until: from,
        });
        held.time += until.saturating_sub(from.max(held.until));
        held.until = held.until.max(until);
    }

    /// The limits that held something up, the first first.
    pub(super) fn by_time(&self) -> Vec<(Limit, Held)> {
        let mut held: Vec<_> = self.0.iter().map(|(limit, held)| (*limit, *held)).collect();
        held.sort_by_key(|(_, held)| held.first);
        held
    }

    /// The limits that held up what succeeds, the first first.
    fn on_the_way(&self) -> impl Iterator<Item = (Limit, Held)> {
        let held = self.by_time().into_iter();
        held.filter(|(limit, _)| limit.is_on_the_way_of_what_succeeds())
    }

    /// The limit that held up longest what succeeds. If that is a number of places, and something else held up almost as
    /// long, that is why the places were taken.
    pub(super) fn longest(&self) -> Option<(Limit, Held)> {
        let longest = self.on_the_way().max_by_key(|(_, held)| held.time)?;
        let others = self.on_the_way().filter(|(limit, _)| !limit.is_of_places());
        let other = others.max_by_key(|(_, held)| held.time);
        Some(match other {
            Some(other) if other.1.time >= longest.1.time.mul_f64(ALMOST) => other,
            _ => longest,
        })
    }

    /// The limit that was used up first on the way of what succeeds, and not for a moment only. That an event source grows
    /// is no limit that is used up.
    pub(super) fn first(&self) -> Option<(Limit, Held)> {
        self.on_the_way()
            .find(|(limit, held)| !matches!(limit, Limit::Growth(_)) && held.time >= NOT_A_MOMENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_time_in_which_several_wait_counts_once() {
        let mut meters = Meters::default();
        meters.waits(Limit::Concurrency, SECOND, 3 * SECOND);
        meters.waits(Limit::Concurrency, 2 * SECOND, 4 * SECOND);
        meters.waits(Limit::Concurrency, 9 * SECOND, 10 * SECOND);
        meters.waits(Limit::Secrets, SECOND, SECOND);

        let held = meters.by_time();

        assert_eq!(held.len(), 1);
        assert_eq!((held[0].1.first, held[0].1.time), (SECOND, 4 * SECOND));
    }

    /// The meters of these limits, each from one second to another.
    fn meters<const N: usize>(limits: [(Limit, u32, u32); N]) -> Meters {
        let mut meters = Meters::default();
        for (limit, from, until) in limits {
            meters.waits(limit, from * SECOND, until * SECOND);
        }
        meters
    }

    #[test]
    fn growing_is_not_used_up_and_retries_are_not_on_the_way_of_what_succeeds() {
        let meters = meters([
            (Limit::Growth(Source::Events), 0, 1),
            (Limit::Maximum(Source::Retries), 1, 90),
            (Limit::Maximum(Source::Deliveries), 2, 50),
            (Limit::Maximum(Source::Events), 3, 9),
        ]);

        assert_eq!(meters.first().unwrap().0, Limit::Maximum(Source::Deliveries));
        assert_eq!(meters.longest().unwrap().0, Limit::Maximum(Source::Deliveries));
    }

    #[test]
    fn places_that_are_taken_because_batches_wait_are_not_why() {
        let places = (Limit::Maximum(Source::Events), 0, 100);
        let writes = |until| (Limit::Writes(Table::Events), 0, until);

        let longest = |limits| meters(limits).longest().unwrap().0;

        assert_eq!(longest([places, writes(95)]), Limit::Writes(Table::Events));
        assert_eq!(longest([places, writes(50)]), Limit::Maximum(Source::Events));
    }
}
