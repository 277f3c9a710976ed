//! The promises of the contract, kept by the real template: one stack for the whole binary, one workspace per test.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and fails"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep clock and HTTP client out of what is deployed; tests never are"
)]

mod api;
mod attempting;
mod delivering;
mod fanning_out;
mod options;
mod replay;
mod support;
mod targets;
mod template;
mod whole_run;
