//! What the tests are made of: the stack of a suite, a workspace for each test, and ways to look at both.
//!
//! Nothing in here is a test, and nothing knows what a test expects.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "everything in here panics to fail the test that uses it"
)]
#![expect(
    clippy::must_use_candidate,
    reason = "a test that ignores an answer has no assertion about it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep clock and HTTP client out of what is deployed; tests never are"
)]

pub mod aws;
pub mod commands;
pub mod document;
pub mod endpoint_items;
pub mod erasure;
pub mod event_types;
pub mod issued;
pub mod names;
pub mod processes;
pub mod queues;
pub mod receivers;
pub mod records;
pub mod repository;
pub mod sam_local;
pub mod schema;
pub mod settings;
pub mod signature;
pub mod snippets;
mod stack;
pub mod table;
pub mod template;
pub mod token_items;
mod wait;
pub mod workspace;

pub use stack::SuiteStack;
pub use wait::{PATIENCE, eventually, eventually_within};
pub use workspace::Workspace;
