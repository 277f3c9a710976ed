//! API tokens, issued as an operator would: by invoking the function.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::json;

/// What `issue-token` answers.
#[derive(Debug, Clone, Deserialize)]
pub struct IssuedToken {
    /// What clients send as `Authorization: Bearer`.
    pub token: String,
    /// What revokes it.
    pub token_id: String,
}

/// Issues a token for `workspace_id` with `scopes`.
pub async fn issue_token(
    lambda: &aws_sdk_lambda::Client,
    function: &str,
    workspace_id: &str,
    scopes: &[&str],
) -> Result<IssuedToken> {
    let request = json!({ "workspace_id": workspace_id, "scopes": scopes });
    let answer = lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(request.to_string()))
        .send()
        .await
        .context("invoking issue-token")?;
    let payload = answer.payload.unwrap_or_else(|| Blob::new("")).into_inner();
    if let Some(error) = answer.function_error {
        bail!(
            "issue-token failed ({error}): {}",
            String::from_utf8_lossy(&payload)
        );
    }
    serde_json::from_slice(&payload).context("issue-token answered something else than a token")
}
