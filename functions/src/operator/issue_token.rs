//! Issues an API token for a workspace.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::clock;
use shared::domain::time;
use shared::domain::token::{Grant, Scope, Token};

use super::{all_scopes, invalid, scopes, workspace};
use crate::app::App;
use crate::serve::{Command, CommandError, answer_to};

/// What the operator asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueTokenRequest {
    workspace_id: String,
    #[serde(default = "all_scopes")]
    scopes: Vec<Scope>,
    #[serde(default)]
    expires_at: Option<String>,
}

/// The token, which is shown this once.
#[derive(Serialize)]
struct IssuedToken {
    token: String,
    /// What revokes it.
    token_id: String,
    workspace_id: String,
    scopes: Vec<Scope>,
    expires_at: Option<String>,
}

/// The command.
pub const COMMAND: Command = Command {
    variables: &["TOKENS_TABLE"],
    handler: |app, document| Box::pin(answer_to(document, |request| issue(app, request))),
};

/// Issues the token.
async fn issue(app: &App, request: IssueTokenRequest) -> Result<IssuedToken, CommandError> {
    let now = app.clock.now();
    let workspace = workspace(&request.workspace_id)?;
    let expires_at = request
        .expires_at
        .as_deref()
        .map(|text| expiry(text, now))
        .transpose()?;
    let token = Token::new(clock::random());
    let grant = Grant {
        workspace,
        scopes: scopes(request.scopes)?,
        expires_at,
        revoked_at: None,
    };
    app.store.put_grant(&token.hash(), &grant, now).await?;
    tracing::info!(workspace.id = %grant.workspace, token.id = token.hash().as_str(), "token issued");
    Ok(IssuedToken {
        token: token.reveal().to_owned(),
        token_id: token.hash().as_str().to_owned(),
        workspace_id: grant.workspace.to_string(),
        scopes: grant.scopes,
        expires_at: expires_at.map(time::format),
    })
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let expires_at = time::parse(text)
        .ok_or_else(|| invalid("expires_at must be an RFC 3339 time, such as 2030-01-01T00:00:00Z"))?;
    if expires_at <= now {
        return Err(invalid("expires_at is in the past"));
    }
    Ok(expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_dead_already_is_not_issued() {
        let now = time::parse("2026-06-07T10:30:05Z").unwrap();

        assert!(expiry("2026-06-07T10:30:06Z", now).is_ok());
        for bad in ["2026-06-07T10:30:05Z", "2020-01-01T00:00:00Z", "tomorrow"] {
            assert!(
                matches!(expiry(bad, now), Err(CommandError::InvalidInput(_))),
                "{bad}"
            );
        }
    }
}
