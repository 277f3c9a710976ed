//! Revokes an API token.

use futures::future::LocalBoxFuture;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use shared::domain::token::{Token, TokenHash};

use crate::app::App;

/// The token itself, or its id if nobody has it any more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeTokenRequest {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    token_id: Option<String>,
}

/// Which token no longer works.
#[derive(Serialize)]
pub struct RevokedToken {
    token_id: String,
}

/// Revokes the token: the next request with it gets 401.
///
/// # Errors
/// No token is named, there is no such token, or the call failed.
pub fn handle(app: &App, request: RevokeTokenRequest) -> LocalBoxFuture<'_, Result<RevokedToken, Error>> {
    Box::pin(revoke(app, request))
}

async fn revoke(app: &App, request: RevokeTokenRequest) -> Result<RevokedToken, Error> {
    let hash = match (&request.token, &request.token_id) {
        (Some(token), None) => Token::parse(token).map(|token| token.hash()),
        (None, Some(id)) => TokenHash::parse(id),
        _ => return Err("name either token or token_id".into()),
    };
    let hash = hash.ok_or("that is no token")?;
    app.store.revoke_grant(&hash, app.clock.now()).await?;
    tracing::info!(token.id = hash.as_str(), "token revoked");
    Ok(RevokedToken {
        token_id: hash.as_str().to_owned(),
    })
}
