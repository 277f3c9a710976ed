//! Counts instructions with valgrind's tool Callgrind, which simulates a processor: a program that does the same again
//! takes nearly the same number of instructions, on every machine and beside whatever else runs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Instructions by the function that executed them, without those that it called.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Profile(BTreeMap<String, f64>);

/// Whether valgrind is there.
pub(crate) fn is_installed() -> bool {
    let version = std::process::Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// A command that runs a binary and counts, and writes what it counted to a file when it ends.
pub(crate) fn counting(binary: &Path, into: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args([
        "--tool=callgrind",
        "--quiet",
        "--compress-strings=no",
        "--compress-pos=no",
    ]);
    command.arg(format!("--callgrind-out-file={}", into.display()));
    command.arg(binary);
    command
}

impl Profile {
    /// Reads what was counted (<https://valgrind.org/docs/manual/cl-format.html>).
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let profile = Self::parse(&text);
        ensure!(!profile.0.is_empty(), "{} counts nothing", path.display());
        Ok(profile)
    }

    fn parse(text: &str) -> Self {
        let mut functions: HashMap<&str, f64> = HashMap::new();
        let (mut function, mut is_call) = ("", false);
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = name;
            } else if line.starts_with("calls=") {
                // The next line is what the called function took.
                is_call = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit()) {
                let count = line.split(' ').nth(1).and_then(|count| count.parse::<f64>().ok());
                if !std::mem::take(&mut is_call) {
                    *functions.entry(function).or_default() += count.unwrap_or_default();
                }
            }
        }
        Self(
            functions
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
        )
    }

    /// What was executed beyond another profile, in equal shares.
    pub(crate) fn beyond(&self, other: &Self, shares: f64) -> Self {
        let share = |(name, count): (&String, &f64)| {
            let before = other.0.get(name).copied().unwrap_or_default();
            (name.clone(), (count - before) / shares)
        };
        Self(self.0.iter().map(share).collect())
    }

    /// All instructions.
    pub(crate) fn total(&self) -> f64 {
        self.0.values().sum()
    }

    /// Instructions by groups of functions, most first.
    pub(crate) fn by(&self, group: impl Fn(&str) -> &'static str) -> Vec<(&'static str, f64)> {
        let mut groups: HashMap<_, f64> = HashMap::new();
        for (name, count) in &self.0 {
            *groups.entry(group(name)).or_default() += count;
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        groups
    }

    /// The functions that executed the most.
    pub(crate) fn top(&self, count: usize) -> Vec<(&str, f64)> {
        let mut functions: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        functions.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        functions.truncate(count);
        functions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str =
        "events: Ir\n\nfl=a.rs\nfn=one\n10 5\n+0 1\ncfn=two\ncalls=1 20\n10 100\n11 4\n\nfn=two\n20 100\n";

    #[test]
    fn what_a_function_executed_does_not_include_what_it_called() {
        let profile = Profile::parse(OUTPUT);

        assert_eq!(profile.top(2), [("two", 100.0), ("one", 9.0)]);
        assert!((profile.total() - 109.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_two_runs_share_does_not_count() {
        let profile = Profile::parse(OUTPUT);
        let longer = Profile::parse("fn=one\n10 29\nfn=two\n20 100\n");

        assert_eq!(longer.beyond(&profile, 10.0).top(1), [("one", 2.0)]);
    }
}
