//! The functions' processes on this machine: what they use, and their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::SuiteStack;

/// A process of a function.
#[derive(Debug, Clone)]
pub struct Process {
    pid: u32,
    /// The function's name in the template.
    pub function: String,
    /// By which its calls are recognised.
    pub access_key: String,
}

impl SuiteStack {
    /// The processes of this stack's functions; other stacks on this machine have others.
    pub fn processes(&self) -> Vec<Process> {
        let emulator = self.emulator_pid.expect("the emulator says its process id");
        let entries = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| parent(*pid) == Some(emulator))
            .filter_map(|pid| self.process(pid))
            .collect()
    }

    /// The processes of one function, by its name in the template.
    pub fn processes_of(&self, function: &str) -> Vec<Process> {
        let mut processes = self.processes();
        processes.retain(|process| process.function == function);
        processes
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let environment = fs::read(folder(pid).join("environ")).ok()?;
        let environment = String::from_utf8_lossy(&environment);
        let variable = |name: &str| {
            environment
                .split('\0')
                .find_map(|variable| variable.strip_prefix(name))
        };
        let deployed = variable("AWS_LAMBDA_FUNCTION_NAME=")?;
        let known = self.functions.iter().find(|(_, name)| *name == deployed);
        Some(Process {
            pid,
            function: known?.0.clone(),
            access_key: variable("AWS_ACCESS_KEY_ID=")?.to_owned(),
        })
    }
}

impl Process {
    /// Which process it is, for as long as it lives.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// Kills it at once, wherever it is; nothing happens if it has ended already.
    pub fn kill(&self) {
        let killed = Command::new("kill")
            .args(["-KILL", &self.pid.to_string()])
            .output();
        killed.expect("the command kill exists");
    }

    /// The most memory that it has ever had, in bytes; `None` once it has ended.
    pub fn peak_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(folder(self.pid).join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// The processor time that it has used, in ticks; `None` once it has ended.
    pub fn ticks(&self) -> Option<u64> {
        let fields = stat(self.pid)?;
        let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
        Some(field(11)? + field(12)?)
    }
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The fields that follow the name, which is in parentheses and may hold anything: the state, the parent and so on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(folder(pid).join("stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(str::to_owned).collect())
}

fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}
