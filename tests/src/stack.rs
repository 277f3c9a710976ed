//! The stack that all tests of a suite share.
//!
//! It starts with the first test that asks for it and ends with the process: its supervisor watches a pipe that only
//! this process holds open, so panics and Ctrl-C leave nothing behind either.

mod places;
mod turns;

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use local::{Options, Stack, StackState};
use tokio::sync::RwLock;

use places::{Place, Places};

thread_local! {
    /// The place of the test that runs on this thread.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// A stack that starts when it is first looked at.
pub struct SuiteStack {
    options: fn() -> Options,
    started: OnceLock<Result<Stack, String>>,
    tests_at_once: usize,
    places: OnceLock<Arc<Places>>,
    turns: RwLock<()>,
    pub(crate) workspaces_in_use: AtomicUsize,
}

impl SuiteStack {
    /// The stack of a suite, which says how it differs from others, and how many tests use it at once.
    pub const fn new(options: fn() -> Options, tests_at_once: usize) -> Self {
        Self {
            options,
            started: OnceLock::new(),
            tests_at_once,
            places: OnceLock::new(),
            turns: RwLock::const_new(()),
            workspaces_in_use: AtomicUsize::new(0),
        }
    }

    /// Lets the test on this thread begin without a place: it takes longer than others.
    pub fn begin_at_once() {
        PLACE.set(Some(Place::default()));
    }

    fn place(&self) -> Place {
        self.places
            .get_or_init(|| Arc::new(Places::new(self.tests_at_once)))
            .take()
    }

    /// What has started, with this call at the latest.
    fn started(&self) -> &StackState {
        match self.started.get_or_init(|| self.start()) {
            Ok(stack) => &stack.state,
            Err(error) => panic!("the stack did not start: {error}"),
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

    /// The first look of a test waits for a place, which the test has to its end.
    fn deref(&self) -> &StackState {
        if is_test() {
            PLACE.with_borrow_mut(|place| {
                place.get_or_insert_with(|| self.place());
            });
        }
        self.started()
    }
}

/// Whether a test runs on this thread, which then has its name. Threads that a test starts need no place of their own, and
/// with one test at a time none is needed.
fn is_test() -> bool {
    std::thread::current()
        .name()
        .is_some_and(|name| name.contains("::"))
}
