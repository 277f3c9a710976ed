//! Nothing lost, nothing stuck: what happens to events while calls of AWS fail, hang, or lose their answers.
//!
//! These tests have a stack of their own, with a proxy between it and AWS. A test that disturbs every delivery takes the
//! stack for itself ([`SuiteStack::alone`]); the others run beside each other.

mod at_once;
mod counting;
mod erasing;
mod hanging;
mod hops;
mod hot_key;
mod lanes;
mod linking;
pub(crate) mod options;
mod proxy;
mod purging;
mod receives;
mod recovering;
mod retrying;
mod short_pages;
mod steps;
mod stories;

use tests::SuiteStack;

/// The stack of this suite. Who disturbs others takes a turn.
pub(crate) static STACK: SuiteStack = SuiteStack::new(options::options, usize::MAX);
