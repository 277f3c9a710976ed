//! Creates a link that a customer's developer exchanges for a token, once.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::clock;
use shared::domain::link::{Link, LinkGrant};
use shared::domain::target::MAX_URL_CHARS;
use shared::domain::time;
use shared::domain::token::Scope;
use url::Url;

use super::{all_scopes, invalid, scopes, workspace};
use crate::app::App;
use crate::serve::{Command, CommandError, answer_to};

/// How long a token may last that comes of a link, in seconds: a minute to a week.
const LASTS: RangeInclusive<i64> = 60..=604_800;

/// What the operator asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreatePortalLinkRequest {
    workspace_id: String,
    #[serde(default = "all_scopes")]
    scopes: Vec<Scope>,
    #[serde(default = "an_hour")]
    expires_in_seconds: i64,
    #[serde(default)]
    return_url: Option<String>,
}

/// The link, which is shown this once.
#[derive(Serialize)]
struct PortalLink {
    url: String,
    /// What revokes the link, and the token that came of it.
    token_id: String,
    /// When the token expires.
    expires_at: String,
}

/// The command.
pub const COMMAND: Command = Command {
    variables: &["PUBLIC_URL", "TOKENS_TABLE"],
    handler: |app, document| Box::pin(answer_to(document, |request| create(app, request))),
};

/// Creates the link.
async fn create(app: &App, request: CreatePortalLinkRequest) -> Result<PortalLink, CommandError> {
    let now = app.clock.now();
    let granted = granted(request, now)?;
    let link = Link::new(clock::random());
    app.store.put_link(&link.hash(), &granted, now).await?;
    tracing::info!(workspace.id = %granted.workspace, link.id = link.hash().as_str(), "link created");
    Ok(PortalLink {
        // What follows `#` never leaves the browser.
        url: format!("{}/dashboard/#link={}", *app.config.public_url, link.reveal()),
        token_id: link.hash().as_str().to_owned(),
        expires_at: time::format(granted.token_expires_at),
    })
}

fn granted(request: CreatePortalLinkRequest, now: Timestamp) -> Result<LinkGrant, CommandError> {
    let workspace = workspace(&request.workspace_id)?;
    let scopes = scopes(request.scopes)?;
    if !LASTS.contains(&request.expires_in_seconds) {
        return Err(invalid("expires_in_seconds must be 60 to 604800"));
    }
    let return_url = request.return_url.as_deref().map(return_url).transpose()?;
    let lasting = SignedDuration::from_secs(request.expires_in_seconds);
    let token_expires_at = now.saturating_add(lasting).unwrap_or(now);
    Ok(LinkGrant::new(
        workspace,
        scopes,
        token_expires_at,
        return_url,
        now,
    ))
}

/// Reads the address as a browser does, so that what is kept of it is what a browser opens.
fn return_url(text: &str) -> Result<String, CommandError> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https");
    let url = url.map(String::from).filter(|url| url.len() <= MAX_URL_CHARS);
    url.ok_or_else(|| {
        invalid(format!(
            "return_url must be an absolute https url of at most {MAX_URL_CHARS} characters"
        ))
    })
}

fn an_hour() -> i64 {
    3_600
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(document: Value) -> Result<LinkGrant, String> {
        let request = serde_json::from_value(document).map_err(|error| error.to_string())?;
        granted(request, Timestamp::UNIX_EPOCH).map_err(|error| match error {
            CommandError::InvalidInput(message) => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_link_grants_everything_for_an_hour_if_nothing_else_is_asked_for() {
        let granted = asked(json!({ "workspace_id": "ws_1" })).unwrap();

        assert_eq!(granted.scopes, all_scopes());
        assert_eq!(granted.return_url, None);
        assert_eq!(granted.token_expires_at.as_second(), 3_600);
    }

    #[test]
    fn a_token_of_a_link_lasts_a_minute_to_a_week() {
        for seconds in [60, 604_800] {
            let granted = asked(json!({ "workspace_id": "ws_1", "expires_in_seconds": seconds }));

            assert_eq!(granted.unwrap().token_expires_at.as_second(), seconds);
        }
    }

    #[test]
    fn the_return_url_is_kept_as_a_browser_reads_it() {
        let kept = |text: &str| {
            asked(json!({ "workspace_id": "ws_1", "return_url": text }))
                .unwrap()
                .return_url
        };

        assert_eq!(
            kept(" HTTPS://Example.com/a b").unwrap(),
            "https://example.com/a%20b"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL_CHARS));
        for (field, value, part) in [
            ("workspace_id", json!("acme"), "workspace_id must be"),
            ("scopes", json!([]), "at least one scope"),
            ("scopes", json!(["webhooks:own"]), "webhooks:own"),
            ("expires_in_seconds", json!(59), "60 to 604800"),
            ("expires_in_seconds", json!(604_801), "60 to 604800"),
            ("return_url", json!("http://example.com"), "absolute https url"),
            ("return_url", json!("javascript:alert(1)"), "absolute https url"),
            ("return_url", json!("/settings"), "absolute https url"),
            ("return_url", json!(long), "absolute https url"),
            ("return_to", json!("https://example.com"), "return_to"),
        ] {
            let mut document = json!({ "workspace_id": "ws_1" });
            document[field] = value;

            let message = asked(document).unwrap_err();
            assert!(message.contains(part), "{field}: {message}");
        }
    }
}
