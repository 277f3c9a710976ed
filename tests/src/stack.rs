//! The stack that all tests of a suite share.
//!
//! It starts with the first test that asks for it and ends with the process: its supervisor watches a pipe that only
//! this process holds open, so panics and Ctrl-C leave nothing behind either.

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use local::{Options, Stack, StackState};

/// A stack that starts when it is first looked at.
pub struct SuiteStack {
    options: fn() -> Options,
    started: OnceLock<Result<Stack, String>>,
    pub(crate) workspaces_in_use: AtomicUsize,
}

impl SuiteStack {
    /// The stack of a suite, which says how it differs from others.
    pub const fn new(options: fn() -> Options) -> Self {
        Self {
            options,
            started: OnceLock::new(),
            workspaces_in_use: AtomicUsize::new(0),
        }
    }

    /// On a thread and a runtime of its own: those of the test that happens to be first end with that test.
    fn start(&self) -> Result<Stack, String> {
        let options = self.options;
        let started = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
            runtime
                .block_on(Stack::start(options()))
                .map_err(|error| format!("{error:#}"))
        });
        started
            .join()
            .unwrap_or_else(|_| Err("starting it panicked".to_owned()))
    }
}

impl Deref for SuiteStack {
    type Target = StackState;

    fn deref(&self) -> &StackState {
        match self.started.get_or_init(|| self.start()) {
            Ok(stack) => &stack.state,
            Err(error) => panic!("the stack did not start: {error}"),
        }
    }
}
