//! `POST /sessions`: exchanges a link for a token, once. It needs no token, so whoever asks may be guessing: whatever is wrong
//! with a link, one read is made, and the answer is the same.

use lambda_http::Request;
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use shared::domain::link::{Link, LinkGrant};
use shared::domain::time;
use shared::domain::token::{Scope, Token, TokenHash};
use shared::{Error, clock};

use crate::answer;
use crate::app::App;
use crate::problem::Problem;
use crate::request;
use crate::serve::{Answer, OpenRoute};

/// What is said of every link that can't be exchanged.
const REFUSED: Problem = Problem::Unauthorized(
    "the link is unknown, was used, was revoked or has expired; ask whoever gave it to you for a new one",
);

#[derive(Serialize)]
struct SessionView<'a> {
    token: &'a str,
    workspace_id: &'a str,
    scopes: &'a [Scope],
    expires_at: String,
    return_url: Option<&'a str>,
}

/// The route.
pub const ROUTE: OpenRoute = OpenRoute {
    variables: &["TOKENS_TABLE"],
    handler: |app, request| Box::pin(handle(app, request)),
};

/// Exchanges the link.
async fn handle(app: &App, request: Request) -> Answer {
    let mut fields = request::json_object(&request)?;
    let link = fields.required("link", |value| link(&value));
    let link = fields.finish(link)?;
    let token = Token::new(clock::random());
    let (link, hash) = (link.hash(), token.hash());
    let granted = match exchange(app, &link, &hash).await {
        Err(Error::NotFound) => return Err(REFUSED),
        granted => granted?,
    };
    tracing::info!(
        workspace.id = %granted.workspace,
        link.id = link.as_str(),
        token.id = hash.as_str(),
        "link exchanged"
    );
    let shown = SessionView {
        token: token.reveal(),
        workspace_id: granted.workspace.as_str(),
        scopes: &granted.scopes,
        expires_at: time::format(granted.token_expires_at),
        return_url: granted.return_url.as_deref(),
    };
    let mut response = answer::json(StatusCode::CREATED, &shown);
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

async fn exchange(app: &App, link: &TokenHash, token: &TokenHash) -> Result<LinkGrant, Error> {
    let now = app.clock.now();
    let granted = app.store.link(link).await?;
    if !granted.can_be_exchanged(now) {
        return Err(Error::NotFound);
    }
    app.store.exchange_link(link, &granted, token, now).await?;
    Ok(granted)
}

/// Reads a link. A text that can't be one becomes one that nobody has, which is then looked up like all others.
fn link(value: &Value) -> Result<Link, String> {
    let text = value.as_str().ok_or("must be a string")?;
    Ok(Link::parse(text).unwrap_or_else(|| Link::new(clock::random())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_text_is_looked_up_as_a_link_and_nothing_else_is() {
        let good = Link::new([1; 32]);

        assert_eq!(link(&json!(good.reveal())), Ok(good));
        assert!(link(&json!("efa_sk_abc")).is_ok_and(|link| link.reveal().starts_with(Link::PREFIX)));
        assert_eq!(link(&json!(7)), Err("must be a string".to_owned()));
    }
}
