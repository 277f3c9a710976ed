//! Counts instructions with valgrind's tool Callgrind, which simulates a processor: a program that does the same again
//! takes nearly the same number of instructions, on every machine and beside whatever else runs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::process::Command;

/// Whether valgrind is there.
pub(super) fn is_installed() -> bool {
    let version = std::process::Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// A command that runs a binary and counts, and writes what it counted to a file when it ends.
pub(super) fn counting(binary: &Path, into: &Path) -> Command {
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

/// Reads the instructions of each function (<https://valgrind.org/docs/manual/cl-format.html>).
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, f64>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut functions: BTreeMap<String, f64> = BTreeMap::new();
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
                *functions.entry(function.to_owned()).or_default() += count.unwrap_or_default();
            }
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_executed_does_not_include_what_it_called() {
        let output = "events: Ir\n\nfl=a.rs\nfn=one\n10 5\n+0 1\ncfn=two\ncalls=1 20\n10 100\n11 4\n\nfn=two\n20 100\n";

        assert_eq!(
            parse(output),
            [("one".to_owned(), 9.0), ("two".to_owned(), 100.0)].into()
        );
    }
}
