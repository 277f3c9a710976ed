//! Issues an API token for a workspace.

use futures::future::LocalBoxFuture;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use shared::clock;
use shared::domain::time;
use shared::domain::token::{Grant, Scope, Token};

use crate::app::App;

/// What the operator asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueTokenRequest {
    workspace_id: String,
    #[serde(default = "all_scopes")]
    scopes: Vec<Scope>,
    #[serde(default)]
    expires_at: Option<String>,
}

/// The token, which is shown this once.
#[derive(Serialize)]
pub struct IssuedToken {
    token: String,
    /// What revokes it.
    token_id: String,
    workspace_id: String,
    scopes: Vec<Scope>,
    expires_at: Option<String>,
}

/// Issues the token.
///
/// # Errors
/// The workspace id or the time is malformed, or the token could not be stored.
pub fn handle(app: &App, request: IssueTokenRequest) -> LocalBoxFuture<'_, Result<IssuedToken, Error>> {
    Box::pin(issue(app, request))
}

async fn issue(app: &App, request: IssueTokenRequest) -> Result<IssuedToken, Error> {
    let workspace = request
        .workspace_id
        .parse()
        .map_err(|error| format!("workspace_id {error}"))?;
    let expiry = |text: &String| time::parse(text).ok_or("expires_at must be an RFC 3339 time");
    let expires_at = request.expires_at.as_ref().map(expiry).transpose()?;
    if request.scopes.is_empty() {
        return Err("scopes must name at least one scope".into());
    }
    let token = Token::new(clock::random());
    let grant = Grant {
        workspace,
        scopes: request.scopes,
        expires_at,
        revoked_at: None,
    };
    app.store
        .put_grant(&token.hash(), &grant, app.clock.now())
        .await?;
    tracing::info!(workspace.id = %grant.workspace, token.id = token.hash().as_str(), "token issued");
    Ok(IssuedToken {
        token: token.reveal().to_owned(),
        token_id: token.hash().as_str().to_owned(),
        workspace_id: grant.workspace.to_string(),
        scopes: grant.scopes,
        expires_at: expires_at.map(time::format),
    })
}

fn all_scopes() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write]
}
