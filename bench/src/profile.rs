//! Where a program spends its work: instructions counted by Callgrind, or processor time sampled by perf.

mod callgrind;
mod groups;
mod perf;
mod tool;

use std::collections::{BTreeMap, HashMap};

use self::groups::group;
pub(crate) use self::tool::Tool;

/// Work by the function that did it, without those that it called.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Profile(BTreeMap<String, f64>);

impl Profile {
    /// What was done beyond another profile, in equal shares.
    pub(crate) fn beyond(&self, other: &Self, shares: f64) -> Self {
        let names = self.0.keys().chain(other.0.keys());
        let share = |name: &String| (name.clone(), (self.of(name) - other.of(name)) / shares);
        Self(names.map(share).collect())
    }

    fn of(&self, function: &str) -> f64 {
        self.0.get(function).copied().unwrap_or_default()
    }

    /// Both together.
    pub(crate) fn with(mut self, other: Self) -> Self {
        for (name, work) in other.0 {
            *self.0.entry(name).or_default() += work;
        }
        self
    }

    /// The same in the same proportions, of this much work in all.
    pub(crate) fn scaled_to(&self, total: f64) -> Self {
        let factor = total / self.total();
        let scaled = self.0.iter().map(|(name, work)| (name.clone(), work * factor));
        Self(scaled.collect())
    }

    /// All work.
    pub(crate) fn total(&self) -> f64 {
        self.0.values().sum()
    }

    /// Work by groups of functions, most first.
    pub(crate) fn by_group(&self) -> Vec<(&'static str, f64)> {
        let mut groups: HashMap<_, f64> = HashMap::new();
        for (name, work) in &self.0 {
            *groups.entry(group(name)).or_default() += work;
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        groups
    }

    /// The functions that did the most.
    pub(crate) fn top(&self, count: usize) -> Vec<(&str, f64)> {
        let mut functions: Vec<_> = self.0.iter().map(|(name, work)| (name.as_str(), *work)).collect();
        functions.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        functions.truncate(count);
        functions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(functions: &[(&str, f64)]) -> Profile {
        Profile(
            functions
                .iter()
                .map(|(name, work)| ((*name).to_owned(), *work))
                .collect(),
        )
    }

    #[test]
    fn what_two_runs_share_does_not_count() {
        let short = profile(&[("one", 9.0), ("start", 100.0)]);
        let long = profile(&[("one", 29.0), ("start", 100.0), ("two", 10.0)]);

        let beyond = long.beyond(&short, 10.0);

        assert_eq!(beyond, profile(&[("one", 2.0), ("start", 0.0), ("two", 1.0)]));
        assert!((beyond.total() - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_only_the_shorter_run_was_seen_doing_is_taken_off() {
        let short = profile(&[("one", 5.0), ("rare", 1.0)]);

        let beyond = profile(&[("one", 9.0)]).beyond(&short, 1.0);

        assert!((beyond.total() - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_scaled_keeps_its_proportions() {
        let scaled = profile(&[("one", 1.0), ("two", 3.0)]).scaled_to(8.0);

        assert_eq!(scaled, profile(&[("one", 2.0), ("two", 6.0)]));
    }

    #[test]
    fn groups_and_functions_are_listed_most_first() {
        let both = profile(&[("mi_malloc", 1.0), ("main", 2.5)]).with(profile(&[("mi_free", 2.0)]));

        assert_eq!(both.by_group(), [("allocation", 3.0), ("other", 2.5)]);
        assert_eq!(both.top(2), [("main", 2.5), ("mi_free", 2.0)]);
    }
}
