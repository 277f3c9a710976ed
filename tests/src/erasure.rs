//! Asking for the erasure of a workspace, as an operator does.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::SuiteStack;

/// Several times what it takes until everything that is under way is recorded.
const LONGEST: Duration = Duration::from_mins(6);

/// Between two calls, as in the documents, only shorter.
const PAUSE: Duration = Duration::from_secs(3);

/// Asks once, and returns the status.
///
/// # Errors
/// What the function answered instead.
pub async fn ask(stack: &SuiteStack, workspace: &str) -> Result<String, Value> {
    let request = json!({ "workspace_id": workspace });
    let answer = stack.invoke("EraseWorkspaceFunction", &request).await?;
    Ok(answer["status"].as_str().expect("a status").to_owned())
}

/// Asks until it is erased, also after errors; returns how often it failed.
pub async fn ask_until_erased(stack: &SuiteStack, workspace: &str) -> usize {
    let deadline = Instant::now() + LONGEST;
    let mut failures = 0;
    while Instant::now() < deadline {
        match ask(stack, workspace).await {
            Ok(status) if status == "erased" => return failures,
            Ok(_) => {}
            Err(_) => failures += 1,
        }
        sleep(PAUSE).await;
    }
    panic!("{workspace} is not erased within {LONGEST:?}")
}
