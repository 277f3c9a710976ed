//! The units that tables and their partition keys give out.

use std::time::Duration;

use super::bucket::{Bucket, OnDemand};
use super::limits::{Limit, Meters, Table};
use super::rules::{KEY_READS, KEY_WRITES, NEW_TABLE_READS, NEW_TABLE_WRITES};

/// Whether something is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// What one table gives out for one kind of access.
#[derive(Debug)]
struct Units {
    all: OnDemand,
    keys: Vec<Bucket>,
}

/// All tables.
#[derive(Debug)]
pub(super) struct Tables {
    read: [Units; Table::ALL.len()],
    written: [Units; Table::ALL.len()],
}

impl Tables {
    /// Tables of so many keys that have taken so many write units a second before, and as many read units for each as a new
    /// table takes.
    pub(super) fn new(write_peak: f64, keys: usize) -> Self {
        let read_peak = write_peak * NEW_TABLE_READS / NEW_TABLE_WRITES;
        let units = |new, peak, key| Units {
            all: OnDemand::new(new, peak),
            keys: vec![Bucket::new(key); keys],
        };
        Self {
            read: Table::ALL.map(|_| units(NEW_TABLE_READS, read_peak, KEY_READS)),
            written: Table::ALL.map(|_| units(NEW_TABLE_WRITES, write_peak, KEY_WRITES)),
        }
    }

    /// Takes units of a key, and says how long that takes.
    pub(super) fn take(
        &mut self,
        (access, table, key): (Access, Table, usize),
        units: usize,
        now: Duration,
        meters: &mut Meters,
    ) -> Duration {
        let (of_table, table_limit, key_limit) = match access {
            Access::Read => (
                &mut self.read[table as usize],
                Limit::Reads(table),
                Limit::KeyReads(table),
            ),
            Access::Write => (
                &mut self.written[table as usize],
                Limit::Writes(table),
                Limit::KeyWrites(table),
            ),
        };
        let units = as_f64(units);
        let table_wait = of_table.all.take(now, units);
        let key_wait = of_table.keys[key].take(now, units);
        meters.waits(table_limit, now, now + table_wait);
        meters.waits(key_limit, now, now + key_wait);
        table_wait.max(key_wait)
    }
}

#[expect(clippy::cast_precision_loss, reason = "units are far below 2^52")]
fn as_f64(units: usize) -> f64 {
    units as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_key_waits_for_itself_and_a_table_for_all_of_its_keys() {
        let (mut tables, mut meters) = (Tables::new(0.0, 4), Meters::default());
        let mut write = |key, units| {
            let at = (Access::Write, Table::Events, key);
            tables.take(at, units, Duration::ZERO, &mut meters)
        };

        assert_eq!(write(0, 2000), SECOND, "a key takes a thousand a second");
        assert_eq!(write(1, 1000), Duration::ZERO, "another is not concerned");
        assert_eq!(write(2, 1000), Duration::ZERO);
        assert_eq!(write(3, 1000), SECOND / 4, "a table takes four thousand");
        let limits: Vec<_> = meters.by_time().into_iter().map(|(limit, _)| limit).collect();
        assert_eq!(
            limits,
            [Limit::Writes(Table::Events), Limit::KeyWrites(Table::Events)]
        );
    }
}
