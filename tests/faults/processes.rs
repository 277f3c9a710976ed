//! The functions' processes on this machine, and their end.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::stack;

/// A process of a function.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// The function's name in the template.
    pub(crate) function: String,
    /// By which its calls are recognised.
    pub(crate) access_key: String,
}

/// The processes of this stack's functions; other stacks on this machine have others.
pub(crate) fn all() -> Vec<Process> {
    let emulator = stack().emulator_pid.expect("the emulator says its process id");
    let entries = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| parent(*pid) == Some(emulator))
        .filter_map(process)
        .collect()
}

/// Kills a process at once, wherever it is.
pub(crate) fn kill(process: &Process) {
    let killed = Command::new("kill")
        .args(["-KILL", &process.pid.to_string()])
        .output();
    killed.expect("the command kill exists");
}

/// The most memory that a process has ever had, in bytes.
pub(crate) fn peak_bytes(process: &Process) -> Option<u64> {
    let status = fs::read_to_string(folder(process.pid).join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(folder(pid).join("stat")).ok()?;
    // The name in parentheses may hold anything; after it come the state and the parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn process(pid: u32) -> Option<Process> {
    let environment = fs::read(folder(pid).join("environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment);
    let variable = |name: &str| {
        environment
            .split('\0')
            .find_map(|variable| variable.strip_prefix(name))
    };
    let deployed = variable("AWS_LAMBDA_FUNCTION_NAME=")?;
    let known = stack().functions.iter().find(|(_, name)| *name == deployed);
    Some(Process {
        pid,
        function: known?.0.clone(),
        access_key: variable("AWS_ACCESS_KEY_ID=")?.to_owned(),
    })
}

fn folder(pid: u32) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string())
}
