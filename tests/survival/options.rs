//! The stack of this suite: hurried as that of `faults`, but for the time of an attempt, and with nothing between functions and
//! AWS.

use std::path::Path;

use local::Options;

use crate::faults::options::HURRIED;

/// More time for an attempt: this suite's process is the receiver too, and on a machine on which everything runs at once it
/// may not answer for seconds. An attempt that is cut off then is none of what these tests are about.
const PATIENT: [(&str, &str); 3] = [
    ("PostDeadlineSeconds", "8"),
    ("DeliverTimeoutSeconds", "20"),
    ("DeliverVisibilitySeconds", "21"),
];

/// How the stack differs from the usual one.
pub(crate) fn options() -> Options {
    Options {
        parameters: HURRIED
            .into_iter()
            .chain(PATIENT)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/survival")),
        ..Options::default()
    }
}
