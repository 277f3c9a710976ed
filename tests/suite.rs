//! All tests that need more than one crate, in one binary: cargo runs binaries one after the other, and within one
//! these mostly wait.
//!
//! `coupling` compares files and needs no stack. `deploying` runs the documented commands against emulators of its own.
//! `faults` and `promises` have a stack each, which starts with the first test that asks for it. Tests begin in the order of
//! their names, so the few long ones in `faults` come before the many short ones in `promises`, which run beside them; none
//! of them relies on that.

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

mod coupling;
mod deploying;
mod faults;
mod promises;
