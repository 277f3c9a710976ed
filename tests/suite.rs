//! All tests that need more than one crate, in one binary: cargo runs binaries one after the other, and within one
//! these mostly wait.
//!
//! `coupling` compares files and needs no stack. `deploying` runs the documented commands against emulators of its own.
//! `faults`, `promises` and `survival` have a stack each, which starts with the first test that asks for it.

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
mod survival;
