//! `cargo local receive`: prints what an endpoint receives, and whether its signature verifies.

use std::io::{self, ErrorKind};

use anyhow::{Result, anyhow};
use local::receiver::{Answer, Received, Receiver};

use crate::arguments::ReceiveArguments;
use crate::say;

/// Receives until the process is interrupted.
pub(crate) async fn run(arguments: ReceiveArguments) -> Result<()> {
    let ReceiveArguments { port, secrets } = arguments;
    let answer = move |received: &Received| {
        say(&format!(
            "{received}\n\nSignature: {}",
            verdict(received, &secrets)
        ));
        Answer::status(200)
    };
    let receiver = Receiver::start_at(port, answer)
        .await
        .map_err(|error| explained(error, port))?;
    say(&format!(
        "Listening on {}, answering 200 to everything. Ctrl-C ends it.",
        receiver.url("/")
    ));
    std::future::pending().await
}

/// Whether one of the secrets made the signature, in words.
fn verdict(received: &Received, secrets: &[String]) -> String {
    let mut verdict = "not checked; start again with --secret whs_…, the secret of the endpoint".to_owned();
    for secret in secrets {
        match received.verify(secret) {
            Ok(()) => return "verifies".to_owned(),
            Err(error) => verdict = format!("does not verify: {error}"),
        }
    }
    verdict
}

fn explained(error: anyhow::Error, port: u16) -> anyhow::Error {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::AddrInUse) => {
            anyhow!("port {port} is taken; end what listens there, or choose another with --port")
        }
        _ => error.context(format!("listening on port {port}")),
    }
}
