//! An operator lists the tokens and links of a workspace.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};
use tests::Workspace;

use crate::promises::STACK;

/// Most tokens of an answer.
const PAGE: usize = 100;

async fn list(request: &Value) -> Value {
    let answer = STACK.invoke("ListTokensFunction", request).await;
    answer.unwrap_or_else(|error| panic!("{error}"))
}

fn ids(answer: &Value) -> Vec<&str> {
    let tokens = answer["tokens"].as_array().expect("tokens").iter();
    tokens
        .map(|token| token["token_id"].as_str().expect("an id"))
        .collect()
}

/// Links as the table holds them, with these ids and a second between each and the next.
async fn put_links(workspace: &str, ids: &[String]) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let link = |(second, id): (usize, &String)| {
        let time =
            |seconds: usize| AttributeValue::N(((1_780_000_000 + second + seconds) * 1_000).to_string());
        let item = HashMap::from([
            ("token_hash".to_owned(), text(id)),
            ("workspace".to_owned(), text(workspace)),
            (
                "scopes".to_owned(),
                AttributeValue::L(vec![text("webhooks:read")]),
            ),
            ("created_at".to_owned(), time(0)),
            ("expires_at".to_owned(), time(3_600)),
            ("link_expires_at".to_owned(), time(600)),
        ]);
        let put = PutRequest::builder().set_item(Some(item)).build();
        WriteRequest::builder().put_request(put.expect("an item")).build()
    };
    let writes: Vec<_> = ids.iter().enumerate().map(link).collect();
    for chunk in writes.chunks(25) {
        let call = STACK.dynamodb().batch_write_item();
        let call = call.request_items(&STACK.tables["TokensTable"], chunk.to_vec());
        call.send().await.expect("the links are written");
    }
}

#[tokio::test]
async fn the_list_shows_each_token_and_link_of_the_workspace_and_nothing_that_opens_it() {
    let (workspace, other) = (Workspace::new(&STACK).await, Workspace::new(&STACK).await);
    let reader = workspace.through_token(&["webhooks:read"]).await;
    let request = json!({ "token_id": reader.token_id });
    let revoked = STACK.invoke("RevokeTokenFunction", &request).await;
    revoked.expect("the token is revoked");
    let link = format!("{:064x}", shared::clock::random_number());
    put_links(&workspace.id, std::slice::from_ref(&link)).await;

    let answer = list(&json!({ "workspace_id": workspace.id })).await;

    assert_eq!(
        ids(&answer),
        [&link, &workspace.token_id, &reader.token_id],
        "oldest first"
    );
    assert_eq!(answer["next"], Value::Null);
    assert_eq!(
        answer["tokens"][0],
        json!({
            "token_id": link,
            "scopes": ["webhooks:read"],
            "created_at": "2026-05-28T20:26:40Z",
            "expires_at": "2026-05-28T21:26:40Z",
            "revoked_at": null,
            "link": { "expires_at": "2026-05-28T20:36:40Z", "used_at": null },
        })
    );
    let [issued, revoked] = [&answer["tokens"][1], &answer["tokens"][2]];
    assert_eq!(issued["scopes"], json!(["webhooks:read", "webhooks:write"]));
    assert_eq!([&issued["revoked_at"], &issued["link"]], [&Value::Null; 2]);
    assert!(revoked["revoked_at"].is_string(), "{revoked}");
    let text = answer.to_string();
    assert!(
        !text.contains(&workspace.token) && !text.contains("efa_"),
        "{text}"
    );
    assert!(!text.contains(&other.token_id), "{text}");
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let workspace = format!("ws_{}", shared::clock::random_token());
    let base = shared::clock::random_number();
    let all: Vec<_> = (0..=PAGE as u128)
        .map(|number| format!("{:064x}", base.wrapping_add(number)))
        .collect();
    put_links(&workspace, &all).await;

    let first = list(&json!({ "workspace_id": workspace })).await;
    let second = list(&json!({ "workspace_id": workspace, "after": first["next"] })).await;

    assert_eq!(ids(&first), all[..PAGE]);
    assert_eq!(ids(&second), all[PAGE..]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_with_a_sentence() {
    for (request, part) in [
        (json!({ "workspace_id": "acme" }), "workspace_id must be"),
        (
            json!({ "workspace_id": "ws_1", "after": "soon" }),
            "after must be",
        ),
        (json!({ "workspace_id": "ws_1", "page": 2 }), "page"),
    ] {
        let error = STACK.invoke("ListTokensFunction", &request).await;
        let error = error.expect_err("it is refused");

        assert_eq!(error["errorType"], "InvalidInput", "{error}");
        let message = error["errorMessage"].as_str().expect("a message");
        assert!(message.contains(part), "{message}");
    }
}
