//! The promises of the contract, kept by the real template: one stack for all of them, a workspace for each test.

mod announcing;
mod api;
mod attempting;
mod dashboard;
mod delivering;
mod erasing;
mod fanning_out;
mod listing_tokens;
mod operating;
mod options;
mod producers_page;
mod recovering;
mod replay;
mod restoring;
mod sam_local;
mod targets;
mod whole_run;

use tests::SuiteStack;

/// How many tests share the emulator's one processor, and leave the other one to `faults`.
const TESTS_AT_ONCE: usize = 4;

/// The stack of this suite.
pub(crate) static STACK: SuiteStack = SuiteStack::new(options::options, TESTS_AT_ONCE);
