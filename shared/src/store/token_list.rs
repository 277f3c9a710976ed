//! The tokens and links of a workspace, for an operator. Words are left as texts, so that the item of a later release hides
//! no other.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::Store;
use super::attribute::{Item, instant, key, optional_instant, text};
use super::tokens::{BY_WORKSPACE, TABLE};
use crate::Error;
use crate::domain::id::WorkspaceId;
use crate::domain::token::{LinkState, ListedToken, TokenHash, TokenPlace};

#[derive(Deserialize)]
struct ListedItem {
    token_hash: String,
    scopes: Vec<String>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    /// Only of a link.
    link_expires_at: Option<i64>,
    /// Only of a link that was exchanged.
    used_at: Option<i64>,
}

impl Store {
    /// Tokens and links of a workspace that come after a place in the list, at most `limit`, oldest first; and whether there
    /// are more. They are as they were a moment ago, because the index lags.
    ///
    /// # Errors
    /// A call failed, or an item can't be read.
    pub async fn list_tokens(
        &self,
        workspace: &WorkspaceId,
        after: Option<&TokenPlace>,
        limit: i32,
    ) -> Result<(Vec<ListedToken>, bool), Error> {
        let query = self
            .client
            .query()
            .table_name(&*self.tables.tokens)
            .index_name(BY_WORKSPACE)
            .key_condition_expression("workspace = :workspace")
            .expression_attribute_values(":workspace", text(workspace))
            .set_exclusive_start_key(after.map(|place| index_key(workspace, place)))
            .limit(limit);
        let answer = query.send().await.map_err(Error::aws("Query"))?;
        let is_more = answer.last_evaluated_key.is_some();
        let tokens = answer.items.unwrap_or_default().into_iter().map(from_item);
        Ok((tokens.collect::<Result<_, _>>()?, is_more))
    }
}

fn index_key(workspace: &WorkspaceId, place: &TokenPlace) -> Item {
    let mut key = key([
        ("workspace", workspace.as_str()),
        ("token_hash", place.id.as_str()),
    ]);
    let created_at = AttributeValue::N(place.created_at.as_millisecond().to_string());
    key.insert("created_at".to_owned(), created_at);
    key
}

/// Reads a token or a link.
pub(super) fn from_item(item: Item) -> Result<ListedToken, Error> {
    let item: ListedItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let id = TokenHash::parse(&item.token_hash).ok_or_else(|| Error::corrupt(TABLE)("not a token's id"))?;
    let used_at = optional_instant(TABLE, item.used_at)?;
    let link_expires_at = optional_instant(TABLE, item.link_expires_at)?;
    Ok(ListedToken {
        place: TokenPlace {
            created_at: instant(TABLE, item.created_at)?,
            id,
        },
        scopes: item.scopes,
        expires_at: optional_instant(TABLE, item.expires_at)?,
        revoked_at: optional_instant(TABLE, item.revoked_at)?,
        link: link_expires_at.map(|expires_at| LinkState { expires_at, used_at }),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn read(more: &Value) -> ListedToken {
        let mut item = json!({
            "token_hash": "0f".repeat(32),
            "workspace": "ws_acme",
            "scopes": ["webhooks:read", "unheard-of"],
            "created_at": 1_780_828_200_000_i64,
        });
        for (name, value) in more.as_object().unwrap() {
            item[name] = value.clone();
        }
        from_item(serde_dynamo::to_item(item).unwrap()).unwrap()
    }

    #[test]
    fn a_link_is_told_from_a_token_and_a_used_one_from_an_unused() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let link = |used_at| {
            Some(LinkState {
                expires_at: at(1_780_828_800_000),
                used_at,
            })
        };
        let unused = json!({ "link_expires_at": 1_780_828_800_000_i64 });
        let used = json!({ "link_expires_at": 1_780_828_800_000_i64, "used_at": 1_780_828_300_000_i64 });

        assert_eq!(read(&json!({})).link, None);
        assert_eq!(read(&unused).link, link(None));
        assert_eq!(read(&used).link, link(Some(at(1_780_828_300_000))));
    }

    #[test]
    fn a_scope_of_a_later_release_is_listed_as_it_is() {
        assert_eq!(read(&json!({})).scopes, ["webhooks:read", "unheard-of"]);
    }
}
