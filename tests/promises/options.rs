//! The stack of this suite: short waits, so that every path of a delivery is walked within seconds, and the longest name
//! that a stack can have, so that no name made of it is too long.

use std::path::Path;

use local::Options;

/// Two retries by delay, one by schedule.
const PARAMETERS: [(&str, &str); 11] = [
    ("RetrySchedule", "1,1,12"),
    ("SchedulerThresholdSeconds", "10"),
    ("PostDeadlineSeconds", "3"),
    ("DeliverTimeoutSeconds", "8"),
    ("DeliverVisibilitySeconds", "10"),
    ("DisableAfterSeconds", "5"),
    ("CorsOrigins", "https://app.example.com,https://admin.example.com"),
    ("ProducerPrincipals", PRODUCERS_ACCOUNT),
    ("DashboardFrameAncestors", FRAME_ANCESTORS),
    ("OperatorWorkspace", OPERATOR_WORKSPACE),
    ("PublicUrl", PUBLIC_URL),
];

/// Where customers reach the API, as links say it.
pub(crate) const PUBLIC_URL: &str = "https://webhooks.example.com";

/// Which pages may show the dashboard in a frame: a name of this machine that is not the one by which the stack is asked.
pub(crate) const FRAME_ANCESTORS: &str = "http://localhost:*";

/// The workspace that is told what happens to endpoints.
pub(crate) const OPERATOR_WORKSPACE: &str = "ws_operator";

/// Another account, which may put events on the events queue. The emulator takes an access key that looks like an
/// account's id for a key of that account.
pub(crate) const PRODUCERS_ACCOUNT: &str = "222222222222";

/// Letters in the longest name of a stack:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>.
const LONGEST_NAME: usize = 128;

/// How the stack differs from the usual one.
pub(crate) fn options() -> Options {
    Options {
        stack_name: Some(format!("{:x<LONGEST_NAME$}", "serverless-webhooks-")),
        parameters: PARAMETERS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/promises")),
        ..Options::default()
    }
}
