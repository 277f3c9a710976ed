//! What AWS documents of how it scales and where it ends, as functions of numbers. Each has its page.

use std::time::Duration;

/// Quotas that depend on the account, the Region and what its tables have taken before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quotas {
    /// Invocations at the same time: 1,000, and often 10 in a new account
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
    pub(super) concurrency: usize,
    /// `CreateSchedule` a second: 5,000 in eleven Regions and 250 in the others
    /// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>).
    pub(super) schedules_created: f64,
    /// Schedules that there may be (the same page).
    pub(super) schedules: usize,
    /// Schedules that may fire a second: 1,000 in those Regions (the same page).
    pub(super) schedules_fired: f64,
    /// The most write units a second that each table has taken before, if it is not new.
    pub(super) write_peak: f64,
}

/// The quotas of an account that is not new, in a large Region, with tables that are.
pub(super) const USUAL: Quotas = Quotas {
    concurrency: 1000,
    schedules_created: 5000.0,
    schedules: 10_000_000,
    schedules_fired: 1000.0,
    write_peak: 0.0,
};

/// Batches that an event source handles at a time as soon as there are messages, and how many more each minute
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
const FIRST_PLACES: usize = 5;
const PLACES_A_MINUTE: usize = 300;
/// The most of a source, however high its maximum concurrency is
/// (<https://repost.aws/knowledge-center/lambda-sqs-scaling>; an older page says 1,000).
const MOST_PLACES: usize = 1250;

/// How long one more place of an event source takes.
const A_PLACE: Duration = Duration::from_millis(60_000 / PLACES_A_MINUTE as u64);

/// Messages of a standard queue that may have been received and not deleted
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>).
pub(super) const IN_FLIGHT: usize = 120_000;

/// What each environment, and so each unit of concurrency, may be asked a second
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const INVOCATIONS_PER_CONCURRENCY: usize = 10;

/// Environments that a function may get at once, and every ten seconds
/// (<https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>).
pub(super) const ENVIRONMENTS: f64 = 1000.0;
pub(super) const ENVIRONMENTS_A_SECOND: f64 = ENVIRONMENTS / 10.0;

/// Calls of `GetSecretValue` a second
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>).
pub(super) const SECRETS_A_SECOND: f64 = 10_000.0;

/// Units a second of one partition key, also on demand
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>).
pub(super) const KEY_WRITES: f64 = 1000.0;
pub(super) const KEY_READS: f64 = 3000.0;

/// What a new table on demand takes, and how it grows: at once to twice what it has taken, if that was half an hour ago
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>,
/// <https://aws.amazon.com/premiumsupport/knowledge-center/on-demand-table-throttling-dynamodb/>).
pub(super) const NEW_TABLE_WRITES: f64 = 4000.0;
pub(super) const NEW_TABLE_READS: f64 = 12_000.0;
pub(super) const DOUBLES_AFTER: Duration = Duration::from_mins(30);
/// And where that ends, unless AWS is asked
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const TABLE_MOST: f64 = 40_000.0;

/// The batches that an event source may handle at a time when it has had messages for so long.
pub(super) fn places(active_for: Duration, maximum: usize) -> usize {
    let more = active_for.as_millis() / A_PLACE.as_millis();
    let grown = FIRST_PLACES.saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
    grown.min(maximum).min(MOST_PLACES)
}

/// How long an event source has to have messages until it has more than so many places.
pub(super) fn active_for_more_than(places: usize) -> Duration {
    let more = (places + 1).saturating_sub(FIRST_PLACES);
    A_PLACE * u32::try_from(more).unwrap_or(u32::MAX)
}

/// Invocations a second of an account.
pub(super) fn invocations_a_second(concurrency: usize) -> usize {
    concurrency * INVOCATIONS_PER_CONCURRENCY
}

/// Units a second that a table on demand takes, when it once took `peak`, long enough ago, and `new` is what a new one
/// takes.
pub(super) fn table_units(peak: f64, new: f64) -> f64 {
    (peak * 2.0).max(new).min(TABLE_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_event_source_begins_with_five_batches_and_gets_300_more_a_minute() {
        assert_eq!(places(Duration::ZERO, 1000), 5);
        assert_eq!(places(SECOND, 1000), 10);
        assert_eq!(places(60 * SECOND, 1000), 305);
    }

    #[test]
    fn an_event_source_ends_at_its_maximum_concurrency_and_at_1250() {
        assert_eq!(places(Duration::ZERO, 2), 2);
        assert_eq!(places(3600 * SECOND, 50), 50);
        assert_eq!(places(3600 * SECOND, 9000), 1250);
    }

    #[test]
    fn the_next_place_comes_when_it_is_said_to() {
        for places_now in 5..60 {
            let until = active_for_more_than(places_now);

            assert_eq!(
                places(until.saturating_sub(Duration::from_nanos(1)), 1000),
                places_now
            );
            assert_eq!(places(until, 1000), places_now + 1);
        }
    }

    #[test]
    fn an_account_may_be_asked_ten_times_its_concurrency_a_second() {
        assert_eq!(
            (invocations_a_second(1000), invocations_a_second(10)),
            (10_000, 100)
        );
    }

    #[test]
    fn a_table_takes_twice_what_it_has_taken_between_what_a_new_one_takes_and_its_quota() {
        let writes = |peak| table_units(peak, NEW_TABLE_WRITES);

        assert!((writes(0.0) - 4000.0).abs() < f64::EPSILON);
        assert!((writes(4000.0) - 8000.0).abs() < f64::EPSILON);
        assert!((writes(30_000.0) - 40_000.0).abs() < f64::EPSILON);
    }
}
