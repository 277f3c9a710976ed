//! Shows people what is happening, on standard error: a line with a spinner on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a long step reports itself where no spinner can.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Leaves room for the step's name on a terminal of usual width.
const NOTE_CHARACTERS: usize = 60;

/// Whether to show progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// Shows every long step, with the time it took.
    #[default]
    Shown,
    /// Shows nothing.
    Silent,
}

/// A step that has begun.
pub(crate) struct Step {
    what: String,
    started: Instant,
    told: Instant,
    mode: Mode,
}

enum Mode {
    Spinner(ProgressBar),
    Lines,
    Silent,
}

impl Progress {
    /// Announces a step.
    pub(crate) fn step(self, what: &str) -> Step {
        let mode = match self {
            Self::Silent => Mode::Silent,
            Self::Shown if std::io::stderr().is_terminal() => Mode::Spinner(spinner(what)),
            Self::Shown => Mode::Lines,
        };
        let step = Step {
            what: what.to_owned(),
            started: Instant::now(),
            told: Instant::now(),
            mode,
        };
        step.line(&format!("  … {what}"));
        step
    }
}

impl Step {
    /// Shows what the step is doing right now.
    pub(crate) fn note(&mut self, text: &str) {
        let text: String = text.trim().chars().take(NOTE_CHARACTERS).collect();
        if let Mode::Spinner(bar) = &self.mode {
            bar.set_message(text);
            return;
        }
        if self.told.elapsed() > HEARTBEAT {
            self.told = Instant::now();
            self.line(&format!("    {} s: {text}", self.started.elapsed().as_secs()));
        }
    }

    /// Says that the step is done, and how long it took.
    pub(crate) fn done(self) {
        let line = format!(
            "  ✓ {} ({:.1} s)",
            self.what,
            self.started.elapsed().as_secs_f32()
        );
        if let Mode::Spinner(bar) = &self.mode {
            bar.finish_and_clear();
        }
        if !matches!(self.mode, Mode::Silent) {
            write(&line);
        }
    }

    fn line(&self, text: &str) {
        if matches!(self.mode, Mode::Lines) {
            write(text);
        }
    }
}

/// A test harness captures `eprintln!`, but not this. That nobody reads it is not a reason to fail.
fn write(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[expect(
    clippy::literal_string_with_formatting_args,
    reason = "the placeholders are indicatif's"
)]
fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner} {prefix} {elapsed} {msg:.dim}");
    let bar = ProgressBar::new_spinner().with_prefix(what.to_owned());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
