//! Checks signatures with the official Standard Webhooks libraries of two languages.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use local::receiver::Received;
use serde_json::{Value, json};

use crate::SuiteStack;

/// Whether the request's signature verifies with `secret`, the one that the API showed.
pub fn verifies(stack: &SuiteStack, received: &Received, secret: &str) -> bool {
    verify_all(stack, &[(received, secret)])[0]
}

/// The same for many requests, each with a secret. Both libraries must agree on each.
pub fn verify_all(stack: &SuiteStack, cases: &[(&Received, &str)]) -> Vec<bool> {
    let key = |secret: &'_ str| secret.strip_prefix("whs_").expect("a secret of ours").to_owned();
    let cases: Vec<_> = cases
        .iter()
        .map(|(received, secret)| (*received, key(secret)))
        .collect();
    let verdicts: Vec<_> = cases
        .iter()
        .map(|(received, key)| verifies_in_rust(received, key))
        .collect();
    assert_eq!(
        verdicts,
        verify_in_python(stack, &cases),
        "the libraries disagree"
    );
    verdicts
}

fn verifies_in_rust(received: &Received, key: &str) -> bool {
    let webhook = standardwebhooks::Webhook::new(key).expect("a secret that the library takes");
    webhook.verify(&received.body, &received.headers).is_ok()
}

/// One process for all cases: starting it takes longer than verifying thousands.
fn verify_in_python(stack: &SuiteStack, cases: &[(&Received, String)]) -> Vec<bool> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify.py");
    let mut child = Command::new(&stack.python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let request = |(received, key): &(&Received, String)| {
        let headers: BTreeMap<_, _> = received
            .headers
            .keys()
            .map(|name| (name.as_str(), received.header(name.as_str())))
            .collect();
        json!({ "secret": key, "headers": headers, "body": received.body.to_vec() })
    };
    let requests: Value = cases.iter().map(request).collect();
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(requests.to_string().as_bytes())
        .expect("Python reads");
    drop(input);
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "the Python library failed");
    serde_json::from_slice(&output.stdout).expect("a verdict for each")
}
