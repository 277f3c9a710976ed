//! Samples what a program does with this machine's processor, with perf, which is part of Linux.
//!
//! The event is the processor's time, which virtual machines have as well; their hardware often counts no instructions.
//! What the kernel does while it takes no interrupts is sampled where it takes them again.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use tokio::process::Command;

/// What the symbols of the kernel begin with.
pub(super) const KERNEL: &str = "[k] ";

/// A delivery takes about as long as the time between two samples, so many are needed.
pub(super) const TIMES_AS_MANY_BATCHES: usize = 10;

/// 10,000 samples a second. perf's cache of binaries would be left in the current folder.
const RECORD: [&str; 4] = ["record", "--quiet", "--freq=10000", "--no-buildid-cache"];

/// Addresses that belong to no function.
const UNKNOWN: &str = "unknown";

/// What is asked of each line of a report: nanoseconds, and the function.
const FIELDS: &str = "period,sym";

/// Whether perf is there, and may sample the kernel: who may not gets samples without it, and no complaint.
pub(super) fn may_sample() -> bool {
    let mut command = std::process::Command::new("perf");
    command
        .args(RECORD)
        .args(["--event=cpu-clock:k", "--output=/dev/null", "true"]);
    command.output().is_ok_and(|output| output.status.success())
}

/// A command that runs a binary and samples, and writes the samples to a file when it ends.
pub(super) fn sampling(binary: &Path, into: &Path) -> Command {
    let mut command = Command::new("perf");
    command.args(RECORD).arg("--event=cpu-clock");
    command.arg(format!("--output={}", into.display()));
    command.arg("--").arg(binary);
    command
}

/// Reads the nanoseconds of each function.
pub(super) async fn read(path: &Path) -> Result<BTreeMap<String, f64>> {
    let mut command = Command::new("perf");
    command.args(["report", "--stdio", "--no-children", "--percent-limit=0"]);
    command.args(["--fields", FIELDS, "--field-separator", "\t", "--input"]);
    let output = command.arg(path).output().await?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "perf can't read {}: {complaint}",
        path.display()
    );
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

fn parse(report: &str) -> BTreeMap<String, f64> {
    let mut functions: BTreeMap<String, f64> = BTreeMap::new();
    let lines = report.lines().filter_map(|line| line.split_once('\t'));
    for (nanoseconds, symbol) in lines {
        let Ok(nanoseconds) = nanoseconds.trim().parse::<f64>() else {
            continue;
        };
        let symbol = symbol.trim();
        let name = symbol.strip_prefix("[.] ").unwrap_or(symbol);
        let name = if name.starts_with("0x") { UNKNOWN } else { name };
        *functions.entry(name.to_owned()).or_default() += nanoseconds;
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_how_long_each_function_took() {
        let report = "# Samples: 170  of event 'cpu-clock:ppp'\n#\n#       Period\tSymbol\n#\n\
                      1350000\t[k] _raw_spin_unlock_irqrestore\n     250000\t[.] sha2::sha256::compress256   \n\
                      50000\t[.] 0x0000000000001234\n100000\t[.] 0x0000000000005678\n\n";

        let functions = parse(report);

        let expected = [
            ("[k] _raw_spin_unlock_irqrestore", 1_350_000.0),
            ("sha2::sha256::compress256", 250_000.0),
            (UNKNOWN, 150_000.0),
        ];
        assert_eq!(
            functions,
            expected.map(|(name, time)| (name.to_owned(), time)).into()
        );
    }
}
