//! Revokes an API token.

use serde::{Deserialize, Serialize};
use shared::Error;
use shared::domain::token::{Token, TokenHash};

use super::invalid;
use crate::app::App;
use crate::serve::{Command, CommandError, answer_to};

/// The token itself, or its id if the token is lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeTokenRequest {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    token_id: Option<String>,
}

/// Which token no longer works.
#[derive(Serialize)]
struct RevokedToken {
    token_id: String,
}

/// The command.
pub const COMMAND: Command = Command {
    variables: &["TOKENS_TABLE"],
    handler: |app, document| Box::pin(answer_to(document, |request| revoke(app, request))),
};

/// Revokes the token: the next request with it gets 401.
async fn revoke(app: &App, request: RevokeTokenRequest) -> Result<RevokedToken, CommandError> {
    let hash = hash(&request).map_err(invalid)?;
    match app.store.revoke_grant(&hash, app.clock.now()).await {
        Err(Error::NotFound) => return Err(CommandError::NotFound("there is no such token or link")),
        other => other?,
    }
    tracing::info!(token.id = hash.as_str(), "token revoked");
    Ok(RevokedToken {
        token_id: hash.as_str().to_owned(),
    })
}

fn hash(request: &RevokeTokenRequest) -> Result<TokenHash, &'static str> {
    match (&request.token, &request.token_id) {
        (Some(token), None) => {
            let token = Token::parse(token).ok_or("token must begin with efa_sk_")?;
            Ok(token.hash())
        }
        (None, Some(id)) => {
            TokenHash::parse(id).ok_or("token_id must be 64 hexadecimal digits, as issue-token, create-portal-link and list-tokens show it")
        }
        _ => Err("give token or token_id, and only one of them"),
    }
}
