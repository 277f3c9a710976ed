//! Nothing lost, nothing stuck: what survives while functions are killed and replaced, queues fill with what nobody can read,
//! and endpoints end.
//!
//! These tests have a stack of their own, since they kill its processes. A test that disturbs every delivery takes the stack
//! for itself ([`SuiteStack::alone`]); the others run beside each other.

mod chance;
mod drain;
mod ending;
mod kill;
mod options;
mod poison;
pub(crate) mod recovering;
mod redrive;

use tests::SuiteStack;

/// The stack of this suite. Who disturbs others takes a turn.
static STACK: SuiteStack = SuiteStack::new(options::options, usize::MAX);
