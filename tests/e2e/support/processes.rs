//! The functions' processes, to be ended when a test wants a crash.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{aws, stack};

/// The processor time used so far by each process of a function, which is named as in the template.
pub(crate) fn processor_time(function: &str) -> BTreeMap<u32, u64> {
    let deployed = format!("AWS_LAMBDA_FUNCTION_NAME={}", aws::function(function));
    let endpoint = format!("AWS_ENDPOINT_URL={}", stack().aws_endpoint_url);
    let processes = fs::read_dir("/proc").expect("the processes");
    let ids = processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let used = |id: u32| {
        let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
        let has = |wanted: &str| {
            environment
                .split(|byte| *byte == 0)
                .any(|line| line == wanted.as_bytes())
        };
        // A process that ends meanwhile is no longer one.
        (has(&deployed) && has(&endpoint))
            .then(|| ticks(id))
            .flatten()
            .map(|ticks| (id, ticks))
    };
    ids.filter_map(used).collect()
}

/// Ends a process at once, as if its machine had died.
pub(crate) fn kill(id: u32) {
    let killed = Command::new("kill").args(["-KILL", &id.to_string()]).status();
    assert!(
        killed.is_ok_and(|status| status.success()),
        "process {id} is killed"
    );
}

/// User and system time; both stand behind the name, which is in parentheses and may contain anything.
fn ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}
