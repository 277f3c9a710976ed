//! Grants of API tokens, keyed by the token's hash. Each request reads its grant anew, so that a revoked token
//! stops at once. Links are in the same table.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant, text, time};
use super::{Found, Store, condition_failed};
use crate::Error;
use crate::domain::id::WorkspaceId;
use crate::domain::token::{Grant, Scope, TokenHash};

pub(super) const TABLE: &str = "tokens";

/// How long a token, or a link, is remembered after the token has expired: its owner is told that it has expired, and not that
/// nobody knows it, and an operator can look it up.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The index of the table by workspace and time of creation.
pub(super) const BY_WORKSPACE: &str = "workspace";

#[derive(Serialize, Deserialize)]
struct GrantItem {
    token_hash: String,
    workspace: WorkspaceId,
    scopes: Vec<Scope>,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept_until: Option<i64>,
}

impl Store {
    /// Whose a token is and what it allows, as of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn grant(&self, token: &TokenHash) -> Result<Grant, Error> {
        let item = self.item(&self.tables.tokens, token_key(token)).await?;
        from_item(item.ok_or(Error::NotFound)?)
    }

    /// Adds a token.
    ///
    /// # Errors
    /// The call failed.
    pub async fn put_grant(&self, token: &TokenHash, grant: &Grant, now: Timestamp) -> Result<(), Error> {
        self.put(&self.tables.tokens, to_item(token, grant, now)?).await
    }

    /// About `limit` tokens and links of a workspace, as they were a moment ago, for their deletion. An index knows them,
    /// which [lags behind the table](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes),
    /// for well below a second as a rule.
    ///
    /// # Errors
    /// The call failed.
    pub async fn find_tokens(&self, workspace: &WorkspaceId, limit: usize) -> Result<Found, Error> {
        let query = self
            .client
            .query()
            .index_name(BY_WORKSPACE)
            .key_condition_expression("workspace = :workspace")
            .expression_attribute_values(":workspace", text(workspace))
            .projection_expression("token_hash");
        self.find(&self.tables.tokens, query, limit).await
    }

    /// Revokes a token, or a link with the token that came of it. A second time changes nothing, so whoever dies in between
    /// asks again. A link that is being exchanged at that moment is revoked before, and then not exchanged, or says which token
    /// it was exchanged for.
    ///
    /// # Errors
    /// [`Error::NotFound`], or a call failed.
    pub async fn revoke_grant(&self, id: &TokenHash, now: Timestamp) -> Result<(), Error> {
        let revoked = self.revoke_one(id, now).await?;
        let token = revoked.get("used_by").and_then(|token| token.as_s().ok());
        let Some(token) = token.and_then(|token| TokenHash::parse(token)) else {
            return Ok(());
        };
        match self.revoke_one(&token, now).await {
            // It is forgotten, and lets nobody in.
            Err(Error::NotFound) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Revokes a token or a link, and returns its item.
    async fn revoke_one(&self, id: &TokenHash, now: Timestamp) -> Result<Item, Error> {
        let call = self
            .client
            .update_item()
            .table_name(&*self.tables.tokens)
            .set_key(Some(token_key(id)))
            .condition_expression("attribute_exists(token_hash)")
            .update_expression("SET revoked_at = if_not_exists(revoked_at, :now)")
            .expression_attribute_values(":now", time(now))
            .return_values(ReturnValue::AllNew);
        match call.send().await {
            Err(error) if condition_failed(&error) => Err(Error::NotFound),
            other => {
                let answer = other.map_err(Error::aws("UpdateItem"))?;
                Ok(answer.attributes.unwrap_or_default())
            }
        }
    }
}

/// Writes a grant.
pub(super) fn to_item(token: &TokenHash, grant: &Grant, created_at: Timestamp) -> Result<Item, Error> {
    let item = GrantItem {
        token_hash: token.as_str().to_owned(),
        workspace: grant.workspace.clone(),
        scopes: grant.scopes.clone(),
        created_at: created_at.as_millisecond(),
        expires_at: grant.expires_at.map(Timestamp::as_millisecond),
        revoked_at: grant.revoked_at.map(Timestamp::as_millisecond),
        kept_until: grant.expires_at.map(kept_until),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// Reads a grant.
pub(super) fn from_item(item: Item) -> Result<Grant, Error> {
    let item: GrantItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    instant(TABLE, item.created_at)?;
    Ok(Grant {
        workspace: item.workspace,
        scopes: item.scopes,
        expires_at: optional_instant(TABLE, item.expires_at)?,
        revoked_at: optional_instant(TABLE, item.revoked_at)?,
    })
}

/// Until when a token, or a link, is kept that expires at this time, in seconds since 1970 as DynamoDB's TTL takes it.
pub(super) fn kept_until(expires_at: Timestamp) -> i64 {
    let until = expires_at.saturating_add(KEPT_AFTER_EXPIRY);
    until.unwrap_or(Timestamp::MAX).as_second()
}

/// The key of a token or of a link.
pub(super) fn token_key(token: &TokenHash) -> Item {
    key([("token_hash", token.as_str())])
}
