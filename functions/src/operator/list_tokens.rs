//! Lists the tokens and links of a workspace. Neither can be worked out from what it shows.

use serde::{Deserialize, Serialize};
use shared::domain::time;
use shared::domain::token::{ListedToken, TokenPlace};

use super::{invalid, workspace};
use crate::app::App;
use crate::serve::{Command, CommandError, answer_to};

/// Most tokens of an answer.
const PAGE: i32 = 100;

/// What the operator asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListTokensRequest {
    workspace_id: String,
    /// `next` of the answer before.
    #[serde(default)]
    after: Option<String>,
}

/// A page of tokens and links, oldest first.
#[derive(Serialize)]
struct TokenPage {
    tokens: Vec<TokenView>,
    /// What to ask for the next page with.
    next: Option<String>,
}

#[derive(Serialize)]
struct TokenView {
    /// What revokes it.
    token_id: String,
    scopes: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    /// `null` for a token.
    link: Option<LinkView>,
}

#[derive(Serialize)]
struct LinkView {
    expires_at: String,
    /// `null` as long as nobody has exchanged it for a token.
    used_at: Option<String>,
}

/// The command.
pub const COMMAND: Command = Command {
    variables: &["TOKENS_TABLE"],
    handler: |app, document| Box::pin(answer_to(document, |request| list(app, request))),
};

/// Lists the tokens.
async fn list(app: &App, request: ListTokensRequest) -> Result<TokenPage, CommandError> {
    let workspace = workspace(&request.workspace_id)?;
    let place = |text: String| {
        let place = TokenPlace::parse(&text);
        place.ok_or_else(|| invalid("after must be `next` of the answer before, unchanged"))
    };
    let after = request.after.map(place).transpose()?;
    let (tokens, is_more) = app.store.list_tokens(&workspace, after.as_ref(), PAGE).await?;
    let last = tokens.last().filter(|_| is_more);
    Ok(TokenPage {
        next: last.map(|token| token.place.to_string()),
        tokens: tokens.into_iter().map(view).collect(),
    })
}

fn view(token: ListedToken) -> TokenView {
    TokenView {
        token_id: token.place.id.as_str().to_owned(),
        scopes: token.scopes,
        created_at: time::format(token.place.created_at),
        expires_at: token.expires_at.map(time::format),
        revoked_at: token.revoked_at.map(time::format),
        link: token.link.map(|link| LinkView {
            expires_at: time::format(link.expires_at),
            used_at: link.used_at.map(time::format),
        }),
    }
}
