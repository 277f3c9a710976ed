//! The one stack of this binary, which says itself how it differs from others (`crate::options`). It starts with the first test that asks for it and ends with the process: its
//! supervisor watches a pipe that only this process holds open, so panics and Ctrl-C leave nothing behind either.

use std::sync::OnceLock;

use local::{Stack, StackState};

static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();

/// The running stack.
pub(crate) fn stack() -> &'static StackState {
    match STACK.get_or_init(start) {
        Ok(stack) => &stack.state,
        Err(error) => panic!("the stack did not start: {error}"),
    }
}

/// On a thread and a runtime of its own: those of the test that happens to be first end with that test.
fn start() -> Result<Stack, String> {
    let started = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime
            .block_on(Stack::start(crate::options::options()))
            .map_err(|error| format!("{error:#}"))
    });
    started
        .join()
        .unwrap_or_else(|_| Err("starting it panicked".to_owned()))
}
