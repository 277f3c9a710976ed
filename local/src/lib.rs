//! Runs `template.yaml` on this machine: installs pinned tools, starts an AWS emulator with IAM enforced, builds,
//! deploys and describes the result.
//!
//! People use it through `cargo local`, the end-to-end tests through [`Stack`]. It must not know more
//! of the product than the demo shows, and must leave nothing behind: no process, port or temporary folder.

#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep the clock, the environment and HTTP clients out of deployed code, which this is not"
)]

mod after_deploy;
mod build;
mod clients;
pub mod demo;
mod deploy;
mod deployer;
mod docker;
mod emulator;
mod ids;
mod layout;
mod lock;
pub mod logs;
mod options;
mod parameters;
mod progress;
mod python;
pub mod receiver;
mod relay;
mod run_folder;
mod sam_local;
mod stack;
mod state;
mod state_folder;
mod supervise;
mod template;
mod token;
mod tools;
mod validate;

pub use build::{Binaries, build_binaries};
pub use clients::aws_config;
pub use deployer::Deployer;
pub use ids::new_id;
pub use layout::root;
pub use options::Options;
pub use progress::Progress;
pub use sam_local::{NETWORK, SamLocal};
pub use stack::Stack;
pub use state::StackState;
pub use token::{IssuedToken, TokenRequest, issue_token};
pub use tools::install_for_test;
pub use validate::validate;
