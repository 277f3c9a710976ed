//! The stack of this suite: many short retries, short time-outs, and the proxy between functions and AWS.

use std::net::TcpListener;
use std::path::Path;

use local::Options;

use crate::faults::proxy;

/// Ten retries within a quarter of a minute. Waits up to 10 s use the queue's delay, longer ones the scheduler. Few
/// processes deliver at a time, because a machine for tests has few processors. An attempt has its time: the suite's process
/// is the receiver too, and on a machine on which everything runs at once it may not answer for seconds.
pub(crate) const HURRIED: [(&str, &str); 8] = [
    ("RetrySchedule", "1,1,1,1,1,1,1,2,2,2"),
    ("SchedulerThresholdSeconds", "10"),
    ("PostDeadlineSeconds", "8"),
    ("DeliverTimeoutSeconds", "20"),
    ("DeliverVisibilitySeconds", "21"),
    ("DisableAfterSeconds", "5"),
    ("DeliverMaximumConcurrency", "12"),
    ("RetriesMaximumConcurrency", "12"),
];

/// How the stack differs from the usual one.
pub(crate) fn options() -> Options {
    let port = free_port();
    Options {
        parameters: HURRIED
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        state_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/faults")),
        port: Some(port),
        function_endpoint: Some(proxy::start(&format!("http://127.0.0.1:{port}"))),
        ..Options::default()
    }
}

/// The proxy has to know the emulator's port before the emulator runs.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
