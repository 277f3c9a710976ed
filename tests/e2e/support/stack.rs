//! The one stack of this binary. It starts with the first test that asks for it and ends with the process: its
//! supervisor watches a pipe that only this process holds open, so panics and Ctrl-C leave nothing behind either.

use std::path::Path;
use std::sync::OnceLock;

use local::{Options, Stack, StackState};

/// Short waits, so that every path of a delivery is walked within seconds: two retries by delay, one by schedule.
const PARAMETERS: [(&str, &str); 6] = [
    ("RetrySchedule", "1,1,12"),
    ("SchedulerThresholdSeconds", "10"),
    ("PostDeadlineSeconds", "3"),
    ("DeliverTimeoutSeconds", "8"),
    ("DeliverVisibilitySeconds", "10"),
    ("DisableAfterSeconds", "5"),
];

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
            .block_on(Stack::start(options()))
            .map_err(|error| format!("{error:#}"))
    });
    started
        .join()
        .unwrap_or_else(|_| Err("starting it panicked".to_owned()))
}

fn options() -> Options {
    Options {
        parameters: PARAMETERS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/e2e")),
        ..Options::default()
    }
}
