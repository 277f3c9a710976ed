//! Rates: how long somebody waits who wants so many units of something that is given out at so many a second.

use std::time::Duration;

use super::rules::{DOUBLES_AFTER, table_units};

/// Units that are given out at a rate, one second's worth of them at once.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    rate: f64,
    at_once: f64,
    /// When everything will be given out that was asked for so far.
    used_until: f64,
}

impl Bucket {
    /// So many units a second.
    pub(super) fn new(rate: f64) -> Self {
        Self::with_burst(rate, rate)
    }

    /// So many units a second, and so many at once.
    pub(super) fn with_burst(rate: f64, at_once: f64) -> Self {
        Self {
            rate,
            at_once,
            used_until: 0.0,
        }
    }

    /// Takes units, in the order of asking, and says how long that takes.
    pub(super) fn take(&mut self, now: Duration, units: f64) -> Duration {
        let now = now.as_secs_f64();
        self.used_until = self.used_until.max(now) + units / self.rate;
        Duration::from_secs_f64((self.used_until - now - self.at_once / self.rate).max(0.0))
    }

    /// How long somebody would wait who asked for units now.
    pub(super) fn wait(&self, now: Duration, units: f64) -> Duration {
        self.clone().take(now, units)
    }
}

/// The units of a table on demand, which doubles.
#[derive(Debug, Clone)]
pub(super) struct OnDemand {
    /// What a new table takes a second.
    new: f64,
    /// What it took a second before all this.
    peak_before: f64,
    /// What it has given out in each minute.
    minutes: Vec<f64>,
    minute: usize,
    bucket: Bucket,
}

impl OnDemand {
    /// A table that has taken so many units a second before, long enough ago.
    pub(super) fn new(new: f64, peak_before: f64) -> Self {
        Self {
            new,
            peak_before,
            minutes: Vec::new(),
            minute: 0,
            bucket: Bucket::new(table_units(peak_before, new)),
        }
    }

    /// Takes units, in the order of asking, and says how long that takes.
    pub(super) fn take(&mut self, now: Duration, units: f64) -> Duration {
        let minute_of = |at: Duration| usize::try_from(at.as_secs() / 60).unwrap_or(0);
        if minute_of(now) > self.minute {
            self.minute = minute_of(now);
            let rate = table_units(self.peak(), self.new);
            (self.bucket.rate, self.bucket.at_once) = (rate, rate);
        }
        let wait = self.bucket.take(now, units);
        let given = minute_of(now + wait);
        self.minutes.resize(self.minutes.len().max(given + 1), 0.0);
        self.minutes[given] += units;
        wait
    }

    /// The most units a second that it has given out in a minute that counts by now.
    fn peak(&self) -> f64 {
        let ago = usize::try_from(DOUBLES_AFTER.as_secs() / 60).unwrap_or(0);
        let counting = self.minutes.iter().take((self.minute + 1).saturating_sub(ago));
        counting.fold(self.peak_before, |peak, units| peak.max(units / 60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_seconds_worth_is_there_at_once_and_the_rest_at_the_rate() {
        let mut bucket = Bucket::new(100.0);

        assert_eq!(bucket.take(Duration::ZERO, 100.0), Duration::ZERO);
        assert_eq!(bucket.take(Duration::ZERO, 50.0), SECOND / 2);
        assert_eq!(bucket.take(Duration::ZERO, 50.0), SECOND);
        assert_eq!(bucket.take(10 * SECOND, 100.0), Duration::ZERO);
    }

    #[test]
    fn to_look_how_long_it_takes_takes_nothing() {
        let bucket = Bucket::new(100.0);

        assert_eq!(bucket.wait(Duration::ZERO, 200.0), SECOND);
        assert_eq!(bucket.wait(Duration::ZERO, 200.0), SECOND);
    }

    /// Takes twice what a new table has, every second, and says how many seconds had to wait for it.
    fn waits(table: &mut OnDemand, from: u32, seconds: u32) -> u32 {
        let mut waits = 0;
        for second in from..from + seconds {
            waits += u32::from(table.take(second * SECOND, 8000.0) > SECOND);
        }
        waits
    }

    #[test]
    fn a_new_table_takes_twice_as_much_half_an_hour_later() {
        let mut table = OnDemand::new(4000.0, 0.0);

        assert_eq!(waits(&mut table, 0, 60), 59, "but for what is there at once");
        assert_eq!(waits(&mut table, 3600, 60), 0);
    }

    #[test]
    fn a_table_that_has_taken_as_much_before_takes_it_again() {
        let mut table = OnDemand::new(4000.0, 8000.0);

        assert_eq!(waits(&mut table, 0, 60), 0);
    }
}
