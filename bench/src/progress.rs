//! The progress bar of a section, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the elapsed time is redrawn: some steps take minutes.
const TICK: Duration = Duration::from_millis(200);

/// A bar that counts the steps of a section; complete when dropped.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar for the section of this name.
    pub(crate) fn new(section: &'static str) -> Self {
        let style = ProgressStyle::with_template("  {prefix:10} [{bar:40}] {pos}/{len} {elapsed} {msg}");
        let bar = ProgressBar::new(0).with_prefix(section);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Sets the number of steps.
    pub(crate) fn expect(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }

    /// Names the step that is under way.
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }

    /// Counts a step as done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.set_message("");
        self.0.abandon();
    }
}
