//! API tokens, issued as an operator issues them: by invoking the function.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clients::aws_config;
use crate::state::StackState;

/// What `issue-token` is asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TokenRequest {
    /// The workspace that the token is for.
    pub workspace_id: String,
    /// What the token allows; everything if this is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// When it expires, as an RFC 3339 time; never if this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What `issue-token` answers.
#[derive(Debug, Clone, Deserialize)]
pub struct IssuedToken {
    /// What clients send as `Authorization: Bearer`.
    pub token: String,
    /// What revokes it.
    pub token_id: String,
}

impl TokenRequest {
    /// Has the function of this stack issue the token.
    pub async fn issue(&self, state: &StackState) -> Result<IssuedToken> {
        let function = state.functions.get("IssueTokenFunction");
        let function = function.context("the template has no IssueTokenFunction")?;
        invoke(&Client::new(&aws_config(state)), function, self).await
    }
}

/// Issues a token for `workspace_id` with `scopes`.
pub async fn issue_token(
    lambda: &Client,
    function: &str,
    workspace_id: &str,
    scopes: &[&str],
) -> Result<IssuedToken> {
    let request = TokenRequest {
        workspace_id: workspace_id.to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        expires_at: None,
    };
    invoke(lambda, function, &request).await
}

async fn invoke(lambda: &Client, function: &str, request: &TokenRequest) -> Result<IssuedToken> {
    let answer = lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(serde_json::to_vec(request)?))
        .send()
        .await
        .context("invoking issue-token")?;
    let payload = answer.payload.unwrap_or_else(|| Blob::new("")).into_inner();
    if answer.function_error.is_some() {
        bail!("issue-token answered: {}", error_message(&payload));
    }
    serde_json::from_slice(&payload).context("issue-token did not answer with a token")
}

/// The message of a function's error, or all of the error if it has another form.
fn error_message(payload: &[u8]) -> String {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    error["errorMessage"]
        .as_str()
        .map_or_else(|| String::from_utf8_lossy(payload).into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_in_the_request() {
        let request = TokenRequest {
            workspace_id: "ws_1".to_owned(),
            ..TokenRequest::default()
        };

        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"workspace_id":"ws_1"}"#
        );
    }

    #[test]
    fn an_error_is_shown_by_its_message() {
        let error = br#"{"errorType":"InvalidInput","errorMessage":"expires_at is in the past"}"#;

        assert_eq!(error_message(error), "expires_at is in the past");
        assert_eq!(error_message(b"broken"), "broken");
    }
}
