//! The snippets of `docs/receivers.md`, taken from the page and run against requests that were really delivered.
//! Python's and JavaScript's run in their own languages, with pinned libraries and a Node.js of the tests' own.

use std::fs;
use std::process::Command;

use local::receiver::Received;
use serde_json::{Value, json};
use tests::snippets::{self, run};
use tests::{PATIENCE, Workspace, event_types, receivers};

use crate::promises::STACK;

mod rust_snippet {
    #![expect(unreachable_pub, reason = "on the page it is a function of a library")]
    include!(concat!(env!("OUT_DIR"), "/verify.rs"));
}

/// A request, the secret that a receiver holds, and whether the two fit.
struct Case {
    request: Received,
    secret: String,
    genuine: bool,
}

/// Real requests, and the same ones forged.
async fn cases() -> Vec<Case> {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let other = workspace
        .create_endpoint("https://hooks.example.com/", &[event_types::one()])
        .await;
    workspace
        .post(
            &format!("/{}/test", endpoint.id),
            &json!({ "event": event_types::other() }),
        )
        .await;
    let request = receiver
        .wait_for(1, PATIENCE)
        .await
        .expect("the event arrives")
        .remove(0);
    let with = |secret: &str, genuine: bool, forge: &dyn Fn(&mut Received)| {
        let mut request = request.clone();
        forge(&mut request);
        Case {
            request,
            secret: secret.to_owned(),
            genuine,
        }
    };
    let header = |name: &'static str, value: &str| {
        let value: http::HeaderValue = value.parse().expect("a header");
        move |request: &mut Received| {
            request.headers.insert(name, value.clone());
        }
    };
    let (secret, id) = (&endpoint.secret, request.header("webhook-id"));
    vec![
        with(secret, true, &|_| {}),
        with(&other.secret, false, &|_| {}),
        with(secret, false, &|request| {
            request.body = [&request.body[..], b" "].concat().into();
        }),
        with(secret, false, &header("webhook-id", &format!("{id}0"))),
        with(secret, false, &header("webhook-timestamp", "1780828205")),
        with(secret, false, &header("webhook-signature", "v1,AAAA")),
        with(secret, false, &|request| {
            request.headers.remove("webhook-signature");
        }),
    ]
}

/// A folder with the tests' runner and the page's snippet.
fn workshop(files: &[&str], snippet_file: &str, language: &str) -> tempfile::TempDir {
    let folder = snippets::workshop("tests/receivers", files);
    let snippet = snippets::snippet("docs/receivers.md", &format!("{language} verify"));
    fs::write(folder.path().join(snippet_file), snippet).expect("the snippet is written");
    folder
}

/// Panics unless the runner's verdicts are those expected.
async fn judge(command: Command, cases: &[Case]) {
    let request = |case: &Case| {
        let headers = case
            .request
            .headers
            .keys()
            .map(|name| (name.to_string(), case.request.header(name.as_str())));
        let headers: std::collections::BTreeMap<_, _> = headers.collect();
        let body = std::str::from_utf8(&case.request.body).expect("JSON is text");
        json!({ "secret": case.secret, "headers": headers, "body": body })
    };
    let requests: Value = cases.iter().map(request).collect();
    let verdicts: Vec<bool> =
        serde_json::from_str(&run(command, &requests.to_string()).await).expect("a list");
    let expected: Vec<bool> = cases.iter().map(|case| case.genuine).collect();
    assert_eq!(verdicts, expected);
}

#[tokio::test]
async fn the_rust_snippet_tells_genuine_requests_from_forged_ones() {
    for case in cases().await {
        let verdict = rust_snippet::verify(&case.secret, &case.request.headers, &case.request.body);
        assert_eq!(verdict.is_ok(), case.genuine);
    }
}

#[tokio::test]
async fn the_python_snippet_tells_genuine_requests_from_forged_ones() {
    let folder = workshop(&["run.py"], "verify.py", "python");
    let mut command = Command::new(snippets::environment().await.join("bin/python"));
    command.arg("-B").arg(folder.path().join("run.py"));

    judge(command, &cases().await).await;
}

#[tokio::test]
async fn the_javascript_snippet_tells_genuine_requests_from_forged_ones() {
    let folder = workshop(&["run.mjs"], "verify.mjs", "javascript");
    let mut command = snippets::node(folder.path()).await;
    command.arg(folder.path().join("run.mjs"));

    judge(command, &cases().await).await;
}
