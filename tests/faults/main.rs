//! Nothing lost, nothing stuck: what happens to events while AWS, the functions and the endpoints fail.
//!
//! These tests have a stack of their own, since they kill its processes and put a proxy between it and AWS. A test
//! that disturbs every delivery takes the stack for itself (`turns`); the others run beside each other.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and fails"
)]
#![expect(
    clippy::print_stdout,
    reason = "the long tests print their seeds and what they measured"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep clock and HTTP client out of what is deployed; tests never are"
)]

mod chance;
mod drain;
mod ending;
mod isolation;
mod kill;
mod lanes;
mod options;
mod poison;
mod processes;
mod proxy;
mod queues;
mod retrying;
mod settings;
mod steps;
mod stories;
#[path = "../e2e/support/mod.rs"]
#[expect(dead_code, reason = "shared with e2e, which uses all of it")]
mod support;
mod turns;
mod variables;
