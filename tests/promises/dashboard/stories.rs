//! What people do with the dashboard, in a real browser: `tests/dashboard/stories` tells it, and this does at the stack what
//! a story asks for.
//!
//! The browser comes in a package, for x86-64; elsewhere, and where a machine has one, `DASHBOARD_BROWSER` names it. With
//! `DASHBOARD_PICTURES=target/dashboard` there is a picture of each screen afterwards, and those of the documents are new.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{SuiteStack, Workspace, issued, repository};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::workshop;
use crate::promises::STACK;

/// Names a browser of the machine.
const BROWSER: &str = "DASHBOARD_BROWSER";
/// Names a folder of the repository for pictures.
const PICTURES: &str = "DASHBOARD_PICTURES";
/// What all stories may take on a slow machine, with pictures.
const LONGEST: Duration = Duration::from_mins(20);

#[tokio::test]
async fn people_do_with_the_dashboard_what_they_came_for() {
    if !cfg!(target_arch = "x86_64") && std::env::var_os(BROWSER).is_none() {
        println!("not run: {BROWSER} names no browser, and the package has none for this machine");
        return;
    }
    SuiteStack::begin_at_once();
    let (_folder, node) = workshop().await;
    let mut command = Command::from(node);
    command
        .arg("stories.mjs")
        .arg(format!("{}/dashboard/", STACK.api_url));
    if let Ok(folder) = std::env::var(PICTURES) {
        command.env(PICTURES, repository::path(&folder));
        command.env("DASHBOARD_DOCUMENTS", repository::path("docs/dashboard"));
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut stories = command.spawn().expect("it starts");
    let mut input = stories.stdin.take().expect("its input");
    let mut asked = BufReader::new(stories.stdout.take().expect("its output")).lines();
    let mut errors = stories.stderr.take().expect("its errors");
    // Read as they come: it would wait for ever for room in a pipe that is full.
    let errors = tokio::spawn(async move {
        let mut told = String::new();
        errors.read_to_string(&mut told).await.expect("text");
        told
    });

    let mut workspaces = Workspaces::default();
    let answering = async {
        while let Some(line) = asked.next_line().await.expect("lines") {
            let answer = workspaces.answer(&line).await;
            if input.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                break; // It has ended, and says why.
            }
        }
    };
    let is_in_time = timeout(LONGEST, answering).await.is_ok();
    if !is_in_time {
        stories.start_kill().expect("it is ended");
    }

    let status = stories.wait().await.expect("it ends");
    let told = errors.await.expect("its errors");
    println!("{told}");
    assert!(is_in_time, "this took longer than {LONGEST:?}:\n{told}");
    assert!(status.success(), "{told}");
}

/// The workspaces of the stories by their names, of which the one that was named last is meant.
#[derive(Default)]
struct Workspaces {
    all: BTreeMap<String, Workspace>,
    last: String,
}

impl Workspaces {
    /// Does what a line of the stories asks for, and says what came of it.
    async fn answer(&mut self, line: &str) -> String {
        let (what, rest) = line.split_once(' ').expect("what, and with what");
        if what != "workspace" {
            return answer(&self.all[&self.last], what, rest).await;
        }
        rest.clone_into(&mut self.last);
        if let Some(known) = self.all.get(rest) {
            return known.id.clone();
        }
        let made = Workspace::new(&STACK).await;
        let id = made.id.clone();
        self.all.insert(self.last.clone(), made);
        id
    }
}

async fn answer(workspace: &Workspace, what: &str, rest: &str) -> String {
    let words: Vec<_> = rest.split(' ').collect();
    match what {
        "endpoint" => {
            let body = serde_json::from_str(rest).expect("JSON");
            let endpoint = workspace.post("", &body).await.body;
            issued::remember(text(&endpoint["secret"]));
            text(&endpoint["id"]).to_owned()
        }
        "events" => {
            let name = words.get(1).unwrap_or(&"poster.scanned");
            for _ in 0..words[0].parse().expect("a number") {
                workspace.send_event(name).await;
            }
            "sent".to_owned()
        }
        "link" => workspace.create_link(&json!({ "scopes": words })).await.url,
        "token" => workspace.through_token(&words).await.token.clone(),
        "revoke" => {
            let revoked = STACK
                .invoke("RevokeTokenFunction", &json!({ "token": rest }))
                .await;
            revoked.expect("it is revoked").to_string()
        }
        other => panic!("the stories ask for {other:?}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}
