//! What people do with the dashboard, in a real browser; `tests/dashboard/stories.mjs` tells it.

use std::process::Stdio;

use serde_json::{Value, json};
use tests::Workspace;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::workshop;
use crate::promises::STACK;

/// Does at the stack what a line of the stories asks for, and answers it.
async fn answer(workspace: &Workspace, line: &str) -> String {
    let mut words = line.split(' ');
    let what = words.next().unwrap_or_default();
    let rest: Vec<_> = words.collect();
    match what {
        "events" => {
            for _ in 0..rest[0].parse().expect("a number") {
                workspace.send_event("poster.scanned").await;
            }
            "sent".to_owned()
        }
        "token" => workspace.through_token(&rest).await.token.clone(),
        "link" => {
            let request = json!({ "workspace_id": workspace.id, "scopes": rest });
            text(&invoke("CreatePortalLinkFunction", &request).await["url"])
        }
        "revoke" => {
            invoke("RevokeTokenFunction", &json!({ "token": rest[0] })).await;
            "revoked".to_owned()
        }
        other => panic!("the stories ask for {other:?}"),
    }
}

async fn invoke(function: &str, request: &Value) -> Value {
    let answer = STACK.invoke(function, request).await;
    answer.unwrap_or_else(|error| panic!("{function}: {error}"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn people_do_with_the_dashboard_what_they_came_for() {
    let workspace = Workspace::new(&STACK).await;
    let (folder, node) = workshop().await;
    let mut command = Command::from(node);
    command
        .arg("stories.mjs")
        .arg(format!("{}/dashboard/", STACK.api_url))
        .env("TMPDIR", folder.path());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut stories = command.spawn().expect("it starts");
    let mut input = stories.stdin.take().expect("its input");
    let mut asked = BufReader::new(stories.stdout.take().expect("its output")).lines();

    while let Some(line) = asked.next_line().await.expect("lines") {
        let answer = answer(&workspace, &line).await;
        input
            .write_all(format!("{answer}\n").as_bytes())
            .await
            .expect("it reads");
    }

    let mut failures = String::new();
    let mut errors = stories.stderr.take().expect("its errors");
    errors.read_to_string(&mut failures).await.expect("text");
    let status = stories.wait().await.expect("it ends");
    assert!(status.success(), "{failures}");
}
