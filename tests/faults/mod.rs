//! Nothing lost, nothing stuck: what happens to events while AWS, the functions and the endpoints fail.
//!
//! These tests have a stack of their own, since they kill its processes and put a proxy between it and AWS. A test
//! that disturbs every delivery takes the stack for itself (`turns`); the others run beside each other.

mod at_once;
mod chance;
mod counting;
mod drain;
mod ending;
mod erasing;
mod hanging;
mod hops;
mod hot_key;
mod kill;
mod lanes;
mod linking;
mod options;
mod poison;
mod proxy;
mod purging;
mod receives;
mod recovering;
mod redrive;
mod retrying;
mod short_pages;
mod steps;
mod stories;
mod turns;

use tests::SuiteStack;

/// The stack of this suite. Who disturbs others takes a turn (`turns`).
pub(crate) static STACK: SuiteStack = SuiteStack::new(options::options, usize::MAX);
