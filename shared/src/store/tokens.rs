//! Grants of API tokens, keyed by the token's hash. Each request reads its grant anew, so that a revoked token
//! stops at once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant, text, time};
use super::{Found, Store, condition_failed};
use crate::Error;
use crate::domain::id::WorkspaceId;
use crate::domain::token::{Grant, Scope, TokenHash};

const TABLE: &str = "tokens";

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

    /// Revokes a token. A second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn revoke_grant(&self, token: &TokenHash, now: Timestamp) -> Result<(), Error> {
        let call = self
            .client
            .update_item()
            .table_name(&*self.tables.tokens)
            .set_key(Some(token_key(token)))
            .condition_expression("attribute_exists(token_hash)")
            .update_expression("SET revoked_at = if_not_exists(revoked_at, :now)")
            .expression_attribute_values(":now", time(now));
        match call.send().await {
            Err(error) if condition_failed(&error) => Err(Error::NotFound),
            other => other.map(|_| ()).map_err(Error::aws("UpdateItem")),
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

fn token_key(token: &TokenHash) -> Item {
    key([("token_hash", token.as_str())])
}
