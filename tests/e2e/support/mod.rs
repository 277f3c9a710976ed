//! What every test uses: the stack, a workspace of its own, and ways to look at both.

pub(crate) mod aws;
pub(crate) mod document;
pub(crate) mod issued;
pub(crate) mod processes;
pub(crate) mod queues;
pub(crate) mod records;
pub(crate) mod schema;
pub(crate) mod signature;
mod stack;
mod wait;
pub(crate) mod workspace;

pub(crate) use stack::stack;
pub(crate) use wait::{PATIENCE, eventually};
pub(crate) use workspace::Workspace;
