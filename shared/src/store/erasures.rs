//! Erasures that are under way: one item beside a workspace's endpoints. The rest of what an erasure has to know is what it
//! finds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant, time};
use super::{Store, condition_failed};
use crate::Error;
use crate::domain::erasure::Erasure;
use crate::domain::id::WorkspaceId;

const TABLE: &str = "endpoints";

/// The sort key of the item; no endpoint's id can be that.
const ERASURE_KEY: &str = "#erasure";

#[derive(Serialize, Deserialize)]
struct ErasureItem {
    workspace: WorkspaceId,
    endpoint: String,
    found_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled_at: Option<i64>,
}

impl Store {
    /// How far an erasure of a workspace is, as of this moment; `None` if none is under way.
    ///
    /// # Errors
    /// The call failed.
    pub async fn erasure(&self, workspace: &WorkspaceId) -> Result<Option<Erasure>, Error> {
        let key = erasure_key(workspace);
        let item = self.item(&self.tables.endpoints, key).await?;
        item.map(from_item).transpose()
    }

    /// Remembers that something of a workspace is found and will be removed.
    ///
    /// # Errors
    /// The call failed.
    pub async fn put_erasure(&self, workspace: &WorkspaceId, erasure: Erasure) -> Result<(), Error> {
        self.put(&self.tables.endpoints, to_item(workspace, erasure)?)
            .await
    }

    /// Remembers when an erasure is settled, unless another call has found something since it was read.
    ///
    /// # Errors
    /// The call failed.
    pub async fn settle_erasure(
        &self,
        workspace: &WorkspaceId,
        read: Erasure,
        settled_at: Timestamp,
    ) -> Result<(), Error> {
        let call = self
            .client
            .update_item()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(erasure_key(workspace)))
            .condition_expression("found_at = :found")
            .update_expression("SET settled_at = :settled")
            .expression_attribute_values(":found", time(read.found_at))
            .expression_attribute_values(":settled", time(settled_at));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(()),
            other => other.map(|_| ()).map_err(Error::aws("UpdateItem")),
        }
    }

    /// Forgets an erasure that is over, unless another call has found something since it was read. Says whether it is gone.
    ///
    /// # Errors
    /// The call failed.
    pub async fn forget_erasure(&self, workspace: &WorkspaceId, read: Erasure) -> Result<bool, Error> {
        let call = self
            .client
            .delete_item()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(erasure_key(workspace)))
            .condition_expression("attribute_not_exists(endpoint) OR found_at = :found")
            .expression_attribute_values(":found", time(read.found_at));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(false),
            other => other.map(|_| true).map_err(Error::aws("DeleteItem")),
        }
    }
}

/// Writes how far an erasure is.
pub(super) fn to_item(workspace: &WorkspaceId, erasure: Erasure) -> Result<Item, Error> {
    let item = ErasureItem {
        workspace: workspace.clone(),
        endpoint: ERASURE_KEY.to_owned(),
        found_at: erasure.found_at.as_millisecond(),
        settled_at: erasure.settled_at.map(Timestamp::as_millisecond),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// Reads how far an erasure is.
pub(super) fn from_item(item: Item) -> Result<Erasure, Error> {
    let item: ErasureItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    Ok(Erasure {
        found_at: instant(TABLE, item.found_at)?,
        settled_at: optional_instant(TABLE, item.settled_at)?,
    })
}

fn erasure_key(workspace: &WorkspaceId) -> Item {
    key([("workspace", workspace.as_str()), ("endpoint", ERASURE_KEY)])
}
