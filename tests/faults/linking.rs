//! A link becomes one token at most, whatever happens to the function and to its calls meanwhile.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tests::workspace::CreatedLink;
use tests::{Workspace, eventually, token_items};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

/// The calls of an exchange.
const READ: &str = "GetItem TokensTable";
const EXCHANGE: &str = "TransactWriteItems TokensTable";

/// Longer than a call is tried again.
const HANGING: Duration = Duration::from_mins(1);

/// How many tokens came of a link, with the one that the test uses left out.
async fn tokens(workspace: &Workspace) -> usize {
    let items = token_items::of_workspace(&STACK, &workspace.id).await;
    let tokens = items.iter().filter(|item| !item.contains_key("link_expires_at"));
    tokens.count() - 1
}

fn during(call: &str, link: &CreatedLink, effect: Effect) -> Fault {
    Fault::once(call, std::slice::from_ref(&link.token_id), effect)
}

#[tokio::test]
async fn a_link_becomes_one_token_whichever_call_fails_or_loses_its_answer() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let mut exchanged = 0;
    for call in [READ, EXCHANGE] {
        for effect in [
            Effect::FailBefore,
            Effect::FailAfter,
            Effect::DropBefore,
            Effect::DropAfter,
            Effect::Throttle,
        ] {
            let link = workspace.create_link(&json!({})).await;
            let injected = proxy::inject(during(call, &link, effect));

            let session = workspace.exchange(&link.text).await;

            assert_eq!(session.status, StatusCode::CREATED, "{call} {effect:?}");
            assert_eq!(injected.hits(), 1, "{call} {effect:?}");
            exchanged += 1;
            assert_eq!(tokens(&workspace).await, exchanged, "{call} {effect:?}");
            let again = workspace.exchange(&link.text).await;
            assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{call} {effect:?}");
        }
    }
}

#[tokio::test]
async fn a_link_is_good_until_it_is_exchanged_whenever_the_function_dies() {
    let _turn = STACK.alone().await;
    for (call, effect, is_exchanged) in [
        (READ, Effect::HangBefore, false),
        (READ, Effect::HangAfter, false),
        (EXCHANGE, Effect::HangBefore, false),
        (EXCHANGE, Effect::HangAfter, true),
    ] {
        let workspace = Workspace::new(&STACK).await;
        let link = workspace.create_link(&json!({})).await;
        let injected = proxy::inject(during(call, &link, effect));
        let request = workspace.to_exchange(&json!({ "link": link.text }));
        let request = tokio::spawn(request.send());
        eventually("the call is made", async || {
            let is_done = tokens(&workspace).await == usize::from(is_exchanged);
            (injected.hits() > 0 && is_done).then_some(())
        })
        .await;

        for process in STACK.processes_of("CreateSessionFunction") {
            process.kill();
        }

        let answer = request.await.expect("it is waited for").expect("an answer");
        assert!(answer.status().is_server_error(), "{call} {effect:?}");
        drop(injected);
        let again = workspace.exchange(&link.text).await.status;
        let expected = if is_exchanged {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::CREATED
        };
        assert_eq!(again, expected, "{call} {effect:?}");
        assert_eq!(tokens(&workspace).await, 1, "{call} {effect:?}");
    }
}

#[tokio::test]
async fn an_exchange_whose_calls_hang_is_answered_and_can_be_asked_for_again() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let link = workspace.create_link(&json!({})).await;
    let apis = STACK.api_url.rsplit('/').nth(1).expect("the API's id");
    assert!(link.url.starts_with(&format!("https://{apis}.execute-api.")));

    for call in [READ, EXCHANGE] {
        let injected = proxy::inject(during(call, &link, Effect::HangBefore).during(HANGING));
        let answer = workspace.exchange(&link.text).await;

        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{call}");
        assert_eq!(answer.body["statusCode"], 500, "the function's own answer");
        assert!(injected.hits() > 0, "{call}");
    }

    assert_eq!(workspace.exchange(&link.text).await.status, StatusCode::CREATED);
    assert_eq!(tokens(&workspace).await, 1);
}
