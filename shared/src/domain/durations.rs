//! How long attempts took, counted in buckets: few numbers for any number of attempts, which can be added up, and from
//! which a percentile is at most 9.1 % off.

use std::collections::BTreeMap;

/// Enough for any time that an attempt can take: the last begins after a day.
const BUCKETS: usize = 104;

/// The shortest duration of each bucket, in milliseconds. Each begins a fifth higher than the one before, so up to 10 ms
/// every duration has its own. These numbers are stored by their positions and never change.
const SHORTEST: [u64; BUCKETS] = shortest();

const fn shortest() -> [u64; BUCKETS] {
    let mut shortest = [0; BUCKETS];
    let mut bucket = 1;
    while bucket < BUCKETS {
        let before: u64 = shortest[bucket - 1];
        let fifth = before / 5;
        shortest[bucket] = before + if fifth > 0 { fifth } else { 1 };
        bucket += 1;
    }
    shortest
}

/// Durations, each in its bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations(BTreeMap<u8, u64>);

impl Durations {
    /// Adds one, in milliseconds.
    pub fn count(&mut self, milliseconds: u64) {
        let bucket = SHORTEST.partition_point(|shortest| *shortest <= milliseconds) - 1;
        *self.0.entry(u8::try_from(bucket).unwrap_or(u8::MAX)).or_default() += 1;
    }

    /// Adds all of others.
    pub fn add(&mut self, others: &Self) {
        for (bucket, count) in &others.0 {
            *self.0.entry(*bucket).or_default() += count;
        }
    }

    /// The duration, in milliseconds, that this many per cent did not exceed; `None` if there are none.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.0.values().sum();
        let rank = (all * percent).div_ceil(100);
        let mut passed = 0;
        let bucket = self.0.iter().find(|(_, count)| {
            passed += **count;
            passed >= rank
        });
        bucket.map(|(bucket, _)| middle(usize::from(*bucket)))
    }

    /// How many are in each bucket that is not empty.
    #[must_use]
    pub fn buckets(&self) -> Vec<(u8, u64)> {
        self.0.iter().map(|(bucket, count)| (*bucket, *count)).collect()
    }
}

impl FromIterator<(u8, u64)> for Durations {
    fn from_iter<T: IntoIterator<Item = (u8, u64)>>(buckets: T) -> Self {
        Self(buckets.into_iter().collect())
    }
}

/// The duration that is off by the same share from the shortest and from the longest of a bucket.
fn middle(bucket: usize) -> u64 {
    let shortest = SHORTEST[bucket.min(BUCKETS - 1)];
    let longest = SHORTEST.get(bucket + 1).map_or(shortest, |next| next - 1);
    let sum = shortest + longest;
    if sum == 0 {
        return 0;
    }
    (4 * shortest * longest + sum) / (2 * sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn durations(all: &[u64]) -> Durations {
        let mut durations = Durations::default();
        for one in all {
            durations.count(*one);
        }
        durations
    }

    #[test]
    fn short_durations_are_exact_and_buckets_grow_by_a_fifth() {
        for milliseconds in 0..=10 {
            assert_eq!(durations(&[milliseconds]).percentile(50), Some(milliseconds));
        }
        assert_eq!(SHORTEST[9..16], [9, 10, 12, 14, 16, 19, 22]);
        let day = 24 * 60 * 60 * 1000;
        assert!(SHORTEST[BUCKETS - 1] > day);
        assert!(durations(&[u64::MAX]).percentile(99).is_some());
    }

    #[test]
    fn none_have_no_percentile() {
        assert_eq!(Durations::default().percentile(99), None);
    }

    #[test]
    fn a_percentile_is_the_one_of_the_nearest_rank() {
        let one_in_a_hundred = durations(&[vec![5; 99], vec![9]].concat());

        assert_eq!(one_in_a_hundred.percentile(99), Some(5));
        assert_eq!(one_in_a_hundred.percentile(100), Some(9));
        assert_eq!(durations(&[3, 7]).percentile(50), Some(3));
    }

    proptest! {
        #[test]
        fn a_percentile_is_at_most_12_per_cent_off(
            mut all in proptest::collection::vec(prop_oneof![0_u64..50, 0_u64..2_000, 0_u64..70_000], 1..300),
            cut in 0_usize..300,
        ) {
            let (some, others) = all.split_at(cut.min(all.len()));
            let mut sum = durations(some);
            sum.add(&durations(others));
            prop_assert_eq!(&sum, &durations(&all));
            prop_assert_eq!(&sum, &sum.buckets().into_iter().collect());

            all.sort_unstable();
            for percent in [50, 95, 99] {
                let rank = (all.len() * percent).div_ceil(100);
                let (shown, exact) = (sum.percentile(percent as u64).unwrap(), all[rank - 1]);
                prop_assert!(100 * shown.abs_diff(exact) <= 12 * exact, "{} for {}", shown, exact);
            }
        }
    }
}
