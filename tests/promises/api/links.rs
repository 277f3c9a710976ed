//! Links: each becomes a token once, and whatever is wrong with one is answered alike.
//!
//! `LINKS_REFUSED=200` measures how long each refusal takes, and holds the medians against each other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use shared::domain::link::Link;
use tests::settings::setting;
use tests::workspace::{ApiAnswer, CreatedLink, answer};
use tests::{Workspace, token_items};

use super::{assert_problem, bad_fields};
use crate::promises::STACK;
use crate::promises::options::PUBLIC_URL;

/// Requests that race are repeated, since one race proves little.
const ROUNDS: usize = 10;

/// Refusals of each kind that are compared, and from how many on their times are.
const REFUSED: usize = 2;
const ENOUGH: usize = 200;

/// By how much a median may differ from another: the larger of the two.
const SHARE: u32 = 10;
const LEAST: Duration = Duration::from_millis(1);

async fn revoke(token_id: &str) {
    let request = json!({ "token_id": token_id });
    let revoked = STACK.invoke("RevokeTokenFunction", &request).await;
    assert_eq!(revoked.expect("it is revoked"), request);
}

/// What a token is told that it may do.
async fn told(workspace: &Workspace, token: &Value) -> ApiAnswer {
    let token = token.as_str().expect("a token");
    answer(workspace.request(Method::GET, "/token").bearer_auth(token)).await
}

#[tokio::test]
async fn a_link_becomes_a_token_once() {
    let workspace = Workspace::new(&STACK).await;
    let asked = json!({
        "scopes": ["webhooks:read"], "expires_in_seconds": 120, "return_url": "https://app.example.com/settings",
    });
    let link = workspace.create_link(&asked).await;
    assert!(
        link.url
            .starts_with(&format!("{PUBLIC_URL}/dashboard/#link=efa_link_"))
    );

    let session = workspace.exchange(&link.text).await;

    assert_eq!(session.status, StatusCode::CREATED, "{}", session.body);
    assert_eq!(session.headers["cache-control"], "no-store");
    let mut allowed = json!({
        "workspace_id": workspace.id, "scopes": ["webhooks:read"], "expires_at": link.expires_at,
    });
    assert_eq!(told(&workspace, &session.body["token"]).await.body, allowed);
    allowed["token"] = session.body["token"].clone();
    allowed["return_url"] = asked["return_url"].clone();
    assert_eq!(session.body, allowed);
    assert_problem(
        &workspace.exchange(&link.text).await,
        StatusCode::UNAUTHORIZED,
        "a second time",
    );
}

#[tokio::test]
async fn of_exchanges_at_once_one_gets_a_token() {
    let workspace = Workspace::new(&STACK).await;

    let rounds = (0..ROUNDS).map(async |_| {
        let link = workspace.create_link(&json!({})).await;
        let answers = join_all((0..3).map(|_| workspace.exchange(&link.text))).await;
        let (exchanged, refused): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| answer.status == StatusCode::CREATED);
        assert_eq!(exchanged.len(), 1);
        for answer in refused {
            assert_problem(answer, StatusCode::UNAUTHORIZED, "beside another");
        }
    });
    join_all(rounds).await;

    let items = token_items::of_workspace(&STACK, &workspace.id).await;
    let links = items.iter().filter(|item| item.contains_key("link_expires_at"));
    assert_eq!(links.count(), ROUNDS);
    assert_eq!(items.len(), 1 + 2 * ROUNDS, "one token for each link");
}

#[tokio::test]
async fn a_revoked_link_takes_the_token_with_it_that_came_of_it() {
    let workspace = Workspace::new(&STACK).await;
    let link = workspace.create_link(&json!({})).await;
    let session = workspace.exchange(&link.text).await.body;
    assert_eq!(told(&workspace, &session["token"]).await.status, StatusCode::OK);

    revoke(&link.token_id).await;

    let refused = told(&workspace, &session["token"]).await;
    assert_problem(&refused, StatusCode::UNAUTHORIZED, "revoked with its link");
    revoke(&link.token_id).await;
}

/// A link for each reason why it can't be exchanged.
async fn refused_links(workspace: &Workspace) -> Vec<(&'static str, String)> {
    let link = async || workspace.create_link(&json!({})).await;
    let used = async |link: CreatedLink| {
        let session = workspace.exchange(&link.text).await;
        assert_eq!(session.status, StatusCode::CREATED);
        link
    };
    let (expired, revoked) = (link().await, link().await);
    token_items::let_link_expire(&STACK, &expired.token_id).await;
    revoke(&revoked.token_id).await;
    let revoked_after_use = used(link().await).await;
    revoke(&revoked_after_use.token_id).await;
    let cut_off = link().await.text;
    vec![
        ("used", used(link().await).await.text),
        ("expired", expired.text),
        ("revoked before use", revoked.text),
        ("revoked after use", revoked_after_use.text),
        ("unknown", Link::new([0; 32]).reveal().to_owned()),
        ("cut off", cut_off[..cut_off.len() - 1].to_owned()),
        ("a token", workspace.token.clone()),
    ]
}

#[tokio::test]
async fn whatever_is_wrong_with_a_link_it_is_refused_alike() {
    let workspace = Workspace::new(&STACK).await;
    let links = refused_links(&workspace).await;
    let rounds = setting("LINKS_REFUSED", REFUSED);
    let mut times = vec![Vec::new(); links.len()];
    let mut answers = Vec::new();

    // One kind after the other in each round, so that whatever slows the machine down slows all of them.
    for _ in 0..rounds {
        for ((kind, link), times) in links.iter().zip(&mut times) {
            let start = Instant::now();
            let refused = workspace.exchange(link).await;
            times.push(start.elapsed());
            answers.push((kind, refused));
        }
    }

    let (_, first) = &answers[0];
    for (kind, refused) in &answers {
        assert_problem(refused, StatusCode::UNAUTHORIZED, kind);
        assert_eq!(refused.body, first.body, "{kind}");
        assert_eq!(headers(refused), headers(first), "{kind}");
    }
    if rounds >= ENOUGH {
        compare(&links, times);
    }
}

/// The headers of an answer, without those that name the moment, the request or the connection.
fn headers(answer: &ApiAnswer) -> BTreeMap<&str, &HeaderValue> {
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value));
    headers
        .filter(|(name, _)| !["date", "connection"].contains(name) && !name.contains("request"))
        .collect()
}

fn compare(links: &[(&str, String)], times: Vec<Vec<Duration>>) {
    let medians = times.into_iter().map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let medians: Vec<_> = medians.collect();
    for ((kind, _), median) in links.iter().zip(&medians) {
        println!("{kind}: {median:.2?}");
    }
    let quickest = medians.iter().min().copied().unwrap_or_default();
    let slowest = medians.iter().max().copied().unwrap_or_default();
    assert!(slowest <= quickest + LEAST.max(quickest / SHARE));
}

#[tokio::test]
async fn a_text_of_any_length_is_refused_like_an_unknown_link() {
    let workspace = Workspace::new(&STACK).await;
    let unknown = workspace.exchange("efa_link_x").await;

    for text in ["", &"x".repeat(60_000)] {
        let refused = workspace.exchange(text).await;

        assert_problem(&refused, StatusCode::UNAUTHORIZED, "no link");
        assert_eq!(refused.body, unknown.body);
    }
}

#[tokio::test]
async fn a_link_is_no_token() {
    let workspace = Workspace::new(&STACK).await;
    let link = workspace.create_link(&json!({})).await;

    let refused = told(&workspace, &json!(link.text)).await;

    assert_problem(&refused, StatusCode::UNAUTHORIZED, "a link as a token");
}

#[tokio::test]
async fn what_is_no_link_is_named() {
    let workspace = Workspace::new(&STACK).await;
    for (body, bad) in [
        (json!({}), vec!["link"]),
        (json!({ "link": 7 }), vec!["link"]),
        (json!({ "link": null }), vec!["link"]),
        (json!({ "link": "x", "token": "y" }), vec!["token"]),
    ] {
        let refused = answer(workspace.to_exchange(&body)).await;

        assert_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, "a bad body");
        assert_eq!(bad_fields(&refused), bad);
    }
}
