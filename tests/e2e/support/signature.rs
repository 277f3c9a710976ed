//! Checks signatures with the official Standard Webhooks libraries of two languages.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use local::receiver::Received;
use serde_json::json;

use super::stack;

/// Whether the request's signature verifies with `secret`, the one that the API showed. Both libraries must agree.
pub(crate) fn verifies(received: &Received, secret: &str) -> bool {
    let secret = secret.strip_prefix("whs_").expect("a secret of ours");
    let verdicts = (
        verifies_in_rust(received, secret),
        verifies_in_python(received, secret),
    );
    assert_eq!(verdicts.0, verdicts.1, "the libraries disagree");
    verdicts.0
}

fn verifies_in_rust(received: &Received, secret: &str) -> bool {
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret that the library takes");
    webhook.verify(&received.body, &received.headers).is_ok()
}

fn verifies_in_python(received: &Received, secret: &str) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/support/verify.py");
    let mut command = Command::new(&stack().python);
    let mut child = command
        .arg(script)
        .stdin(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let headers: BTreeMap<_, _> = received
        .headers
        .keys()
        .map(|name| (name.as_str(), received.header(name.as_str())))
        .collect();
    let request = json!({ "secret": secret, "headers": headers, "body": received.body.to_vec() });
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(request.to_string().as_bytes())
        .expect("Python reads");
    drop(input);
    match child.wait().expect("Python ends").code() {
        Some(0) => true,
        Some(1) => false,
        code => panic!("the Python library failed: {code:?}"),
    }
}
