//! The stack of this suite: hurried as that of `faults`, with nothing between functions and AWS.

use std::path::Path;

use local::Options;

use crate::faults::options::HURRIED;

/// How the stack differs from the usual one.
pub(crate) fn options() -> Options {
    Options {
        parameters: HURRIED
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/survival")),
        ..Options::default()
    }
}
