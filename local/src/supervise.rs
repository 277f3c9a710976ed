//! Starts processes so that none outlives this one, however it ends. See `python/supervise.py`.

use std::collections::VecDeque;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};

use crate::layout;
use crate::progress::Step;

/// The supervisor kills with SIGKILL, so it only takes this long when the machine is very busy.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// Enough to see why a build failed.
const TAIL_LINES: usize = 40;

/// Starts supervised processes.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    /// The Python that runs the supervisor.
    pub(crate) python: PathBuf,
    /// Where commands put temporary files, which are deleted when the command ends.
    pub(crate) temporary: PathBuf,
}

/// A process that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Supervised {
    child: Child,
    /// The pipe that ends the process when it closes.
    lifeline: Option<ChildStdin>,
}

impl Supervisor {
    /// A command that will run supervised; `removals` are deleted when it ends.
    pub(crate) fn command(&self, program: &Path, removals: &[&Path]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(layout::resource("python/supervise.py"));
        for path in removals {
            command.arg("--remove").arg(path);
        }
        command
            .arg("--remove")
            .arg(&self.temporary)
            .arg("--")
            .arg(program);
        command.env("TMPDIR", &self.temporary);
        // Ctrl-C reaches the foreground group; this process decides what it means.
        command.stdin(Stdio::piped()).process_group(0);
        command
    }

    /// Starts `command` in the background.
    pub(crate) fn start(mut command: Command) -> Result<Supervised> {
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        let lifeline = child.stdin.take();
        Ok(Supervised { child, lifeline })
    }

    /// Runs `command` to its end, its output going to `log` and line by line to `step`.
    pub(crate) async fn run(mut command: Command, log: &Path, step: &mut Step) -> Result<()> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command).spawn()?;
        // Held until the end of this function: `wait` would close it, which ends the command.
        let lifeline = child.stdin.take();
        let mut output = Output::new(log).await?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        output.follow(stdout, stderr, step).await?;
        let status = child.wait().await?;
        drop(lifeline);
        if status.success() {
            return Ok(());
        }
        bail!("{}\nits full output is in {}", output.tail(), log.display())
    }
}

impl Supervised {
    /// Whether it has ended on its own.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it and everything it started, and waits until that is done.
    pub(crate) fn stop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + STOP_DEADLINE;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Output {
    log: File,
    tail: VecDeque<String>,
}

impl Output {
    async fn new(log: &Path) -> Result<Self> {
        let log = File::create(log)
            .await
            .with_context(|| format!("writing {}", log.display()))?;
        Ok(Self {
            log,
            tail: VecDeque::new(),
        })
    }

    async fn follow(
        &mut self,
        stdout: Option<impl AsyncRead + Unpin>,
        stderr: Option<impl AsyncRead + Unpin>,
        step: &mut Step,
    ) -> Result<()> {
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Ok(());
        };
        let (mut stdout, mut stderr) = (
            BufReader::new(stdout).split(b'\n'),
            BufReader::new(stderr).split(b'\n'),
        );
        let (mut stdout_open, mut stderr_open) = (true, true);
        while stdout_open || stderr_open {
            let segment = tokio::select! {
                segment = stdout.next_segment(), if stdout_open => { stdout_open = matches!(segment, Ok(Some(_))); segment? }
                segment = stderr.next_segment(), if stderr_open => { stderr_open = matches!(segment, Ok(Some(_))); segment? }
            };
            if let Some(line) = segment {
                self.line(&String::from_utf8_lossy(&line), step).await?;
            }
        }
        self.log.flush().await?;
        Ok(())
    }

    async fn line(&mut self, line: &str, step: &mut Step) -> Result<()> {
        // Tools that redraw a line overwrite it with `\r`; only the last state matters.
        let line = line
            .trim_end_matches('\r')
            .rsplit('\r')
            .next()
            .unwrap_or_default();
        step.note(line);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
        self.log.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(())
    }

    fn tail(&self) -> String {
        self.tail
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
