//! What a process has used, as Linux counts it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Processor time and memory of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time of its threads, and the kernel's on their behalf.
    pub(crate) processor: Duration,
    /// The most memory it ever had, in KiB.
    pub(crate) peak_kib: u64,
}

impl Usage {
    /// Of a running process. `/proc/<pid>/stat` counts in steps of 10 ms, which is as long as a whole start.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let process = Path::new("/proc").join(pid.to_string());
        let status = fs::read_to_string(process.join("status")).context("the process has ended")?;
        let mut processor = Duration::ZERO;
        for thread in fs::read_dir(process.join("task"))? {
            // A thread may have ended meanwhile.
            let scheduled = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            processor += on_processor(&scheduled);
        }
        Ok(Self {
            processor,
            peak_kib: peak_kib(&status)?,
        })
    }

    /// The processor time used since an earlier look.
    pub(crate) fn processor_since(&self, earlier: &Self) -> Duration {
        self.processor.saturating_sub(earlier.processor)
    }
}

/// The first number is the time on a processor in nanoseconds.
fn on_processor(schedstat: &str) -> Duration {
    let first = schedstat.split_whitespace().next();
    Duration::from_nanos(first.and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn peak_kib(status: &str) -> Result<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("there is no VmHWM")?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .context("VmHWM is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_first_number() {
        assert_eq!(on_processor("2000000000 17 3\n"), Duration::from_secs(2));
    }

    #[test]
    fn a_process_has_used_some_processor_time_and_memory() {
        let usage = Usage::of(std::process::id()).unwrap();

        assert!(usage.processor > Duration::ZERO && usage.peak_kib > 0);
    }

    #[test]
    fn the_peak_is_the_high_water_mark() {
        assert_eq!(peak_kib("Name:\tx\nVmHWM:\t   12345 kB\n").unwrap(), 12345);
    }
}
