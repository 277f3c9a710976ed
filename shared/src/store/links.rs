//! Links, kept in the table of the tokens under their own hash. A link becomes a token in one transaction: it is marked as
//! used and the token's grant is written, or neither.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, optional_instant, text, time};
use super::tokens::{TABLE, kept_until, token_key};
use super::{Store, tokens};
use crate::Error;
use crate::domain::id::WorkspaceId;
use crate::domain::link::LinkGrant;
use crate::domain::token::{Scope, TokenHash};

/// A link is still what was read of it. One that is gone has no attribute at all.
const IS_UNUSED: &str = "attribute_exists(link_expires_at) AND attribute_not_exists(used_at) AND attribute_not_exists(revoked_at)";

#[derive(Serialize, Deserialize)]
struct LinkItem {
    token_hash: String,
    workspace: WorkspaceId,
    scopes: Vec<Scope>,
    created_at: i64,
    /// Of the token.
    expires_at: i64,
    link_expires_at: i64,
    kept_until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
}

impl Store {
    /// Adds a link.
    ///
    /// # Errors
    /// The call failed.
    pub async fn put_link(&self, link: &TokenHash, granted: &LinkGrant, now: Timestamp) -> Result<(), Error> {
        self.put(&self.tables.tokens, to_item(link, granted, now)?).await
    }

    /// What a link grants, and whether it was used or revoked, as of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn link(&self, link: &TokenHash) -> Result<LinkGrant, Error> {
        let item = self.item(&self.tables.tokens, token_key(link)).await?;
        from_item(item.ok_or(Error::NotFound)?)
    }

    /// Exchanges a link for a token. If an answer is lost on the way, the SDK asks again with the same idempotency token and
    /// is told of the success
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-apis-txwriteitems>).
    ///
    /// # Errors
    /// [`Error::NotFound`] if the link was used or revoked, or went, since it was read; or the call failed.
    pub async fn exchange_link(
        &self,
        link: &TokenHash,
        granted: &LinkGrant,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<(), Error> {
        let use_up = Update::builder()
            .table_name(&*self.tables.tokens)
            .set_key(Some(token_key(link)))
            .condition_expression(IS_UNUSED)
            .update_expression("SET used_by = :token, used_at = :now")
            .expression_attribute_values(":token", text(&token.as_str()))
            .expression_attribute_values(":now", time(now))
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let put = Put::builder()
            .table_name(&*self.tables.tokens)
            .set_item(Some(tokens::to_item(token, &granted.of_token(), now)?))
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let writes = vec![
            TransactWriteItem::builder().update(use_up).build(),
            TransactWriteItem::builder().put(put).build(),
        ];
        match self.transact(writes).await? {
            None => Ok(()),
            Some(_) => Err(Error::NotFound),
        }
    }
}

/// Writes a link.
pub(super) fn to_item(link: &TokenHash, granted: &LinkGrant, created_at: Timestamp) -> Result<Item, Error> {
    let item = LinkItem {
        token_hash: link.as_str().to_owned(),
        workspace: granted.workspace.clone(),
        scopes: granted.scopes.clone(),
        created_at: created_at.as_millisecond(),
        expires_at: granted.token_expires_at.as_millisecond(),
        link_expires_at: granted.expires_at.as_millisecond(),
        kept_until: kept_until(granted.token_expires_at),
        return_url: granted.return_url.clone(),
        used_at: granted.used_at.map(Timestamp::as_millisecond),
        revoked_at: granted.revoked_at.map(Timestamp::as_millisecond),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// Reads a link.
pub(super) fn from_item(item: Item) -> Result<LinkGrant, Error> {
    let item: LinkItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    instant(TABLE, item.created_at)?;
    Ok(LinkGrant {
        workspace: item.workspace,
        scopes: item.scopes,
        token_expires_at: instant(TABLE, item.expires_at)?,
        expires_at: instant(TABLE, item.link_expires_at)?,
        return_url: item.return_url,
        used_at: optional_instant(TABLE, item.used_at)?,
        revoked_at: optional_instant(TABLE, item.revoked_at)?,
    })
}
