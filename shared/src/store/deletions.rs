//! Deletions of endpoints that are not over. Each is written in the transaction that deletes the endpoint, next to the
//! workspace's endpoints, and forgotten when nothing of the endpoint is left and nothing can come back. Until then it says
//! of which history and secret to ask.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Store;
use super::attribute::{Item, instant, key};
use crate::Error;
use crate::domain::erasure::Deletion;
use crate::domain::id::{EndpointId, WorkspaceId};

const TABLE: &str = "endpoints";

/// What the sort key begins with, before the endpoint's id; no endpoint's id begins like that.
const PREFIX: &str = "#deleted#";

#[derive(Serialize, Deserialize)]
struct DeletionItem {
    workspace: WorkspaceId,
    endpoint: String,
    settled_at: i64,
}

impl Store {
    /// The deletion of an endpoint, if it is not over, as of this moment.
    ///
    /// # Errors
    /// The call failed.
    pub async fn deletion(
        &self,
        workspace: &WorkspaceId,
        endpoint: &EndpointId,
    ) -> Result<Option<Deletion>, Error> {
        let key = deletion_key(workspace, endpoint);
        let item = self.item(&self.tables.endpoints, key).await?;
        item.map(from_item).transpose()
    }

    /// The endpoints of a workspace whose deletion is not over, as of this moment.
    ///
    /// # Errors
    /// The call failed.
    pub async fn deleted_endpoints(&self, workspace: &WorkspaceId) -> Result<Vec<EndpointId>, Error> {
        self.endpoint_ids_after(workspace, PREFIX).await
    }

    /// Forgets a deletion that is over.
    ///
    /// # Errors
    /// The call failed.
    pub async fn forget_deletion(&self, workspace: &WorkspaceId, endpoint: &EndpointId) -> Result<(), Error> {
        let call = self.client.delete_item().table_name(&*self.tables.endpoints);
        let call = call.set_key(Some(deletion_key(workspace, endpoint)));
        call.send().await.map(|_| ()).map_err(Error::aws("DeleteItem"))
    }
}

/// Writes a deletion.
pub(super) fn to_item(
    workspace: &WorkspaceId,
    endpoint: &EndpointId,
    deletion: Deletion,
) -> Result<Item, Error> {
    let item = DeletionItem {
        workspace: workspace.clone(),
        endpoint: sort_key(endpoint),
        settled_at: deletion.settled_at.as_millisecond(),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("TransactWriteItems"))
}

/// Reads a deletion.
pub(super) fn from_item(item: Item) -> Result<Deletion, Error> {
    let item: DeletionItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let settled_at: Timestamp = instant(TABLE, item.settled_at)?;
    Ok(Deletion { settled_at })
}

fn deletion_key(workspace: &WorkspaceId, endpoint: &EndpointId) -> Item {
    key([
        ("workspace", workspace.as_str()),
        ("endpoint", &sort_key(endpoint)),
    ])
}

fn sort_key(endpoint: &EndpointId) -> String {
    format!("{PREFIX}{endpoint}")
}
