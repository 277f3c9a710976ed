//! The stack of this suite: short waits, so that every path of a delivery is walked within seconds.

use std::path::Path;

use local::Options;

/// Two retries by delay, one by schedule.
const PARAMETERS: [(&str, &str); 6] = [
    ("RetrySchedule", "1,1,12"),
    ("SchedulerThresholdSeconds", "10"),
    ("PostDeadlineSeconds", "3"),
    ("DeliverTimeoutSeconds", "8"),
    ("DeliverVisibilitySeconds", "10"),
    ("DisableAfterSeconds", "5"),
];

/// How the stack differs from the usual one.
pub(crate) fn options() -> Options {
    Options {
        parameters: PARAMETERS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/promises")),
        ..Options::default()
    }
}
