//! An endpoint as it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant};
use crate::Error;
use crate::domain::annotations::{Description, Metadata};
use crate::domain::endpoint::{DisabledReason, Endpoint, Subscriptions};
use crate::domain::failure_record::FailureRecord;
use crate::domain::id::{EndpointId, RecoveryId, WorkspaceId};

const TABLE: &str = "endpoints";

#[derive(Serialize, Deserialize)]
struct EndpointItem {
    workspace: WorkspaceId,
    endpoint: EndpointId,
    url: String,
    events: Subscriptions,
    #[serde(default, skip_serializing_if = "Description::is_none")]
    description: Description,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    enabled: bool,
    /// Only while it is enabled; `disabled_at` only while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    secret_version: String,
    created_at: i64,
    updated_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slow_since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exhausted_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_noted_at: Option<i64>,
    /// Only while no attempt has failed since the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    healthy_since: Option<i64>,
    /// The recovery that runs or is paused. Beside it is `last_recovery`, which only the table's stream is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recovery: Option<RecoveryId>,
}

/// The key of an endpoint.
pub(super) fn endpoint_key(workspace: &WorkspaceId, id: &EndpointId) -> Item {
    key([("workspace", workspace.as_str()), ("endpoint", id.as_str())])
}

/// Writes an endpoint.
pub(super) fn to_item(endpoint: &Endpoint) -> Result<Item, Error> {
    let switched_at = endpoint.switched_at.map(Timestamp::as_millisecond);
    let item = EndpointItem {
        workspace: endpoint.workspace.clone(),
        endpoint: endpoint.id.clone(),
        url: endpoint.url.clone(),
        events: endpoint.events.clone(),
        description: endpoint.description.clone(),
        metadata: endpoint.metadata.clone(),
        enabled: endpoint.enabled,
        enabled_at: switched_at.filter(|_| endpoint.enabled),
        disabled_at: switched_at.filter(|_| !endpoint.enabled),
        disabled_reason: endpoint.disabled_reason,
        secret_version: endpoint.secret_version.clone(),
        created_at: endpoint.created_at.as_millisecond(),
        updated_at: endpoint.updated_at.as_millisecond(),
        failing_since: endpoint.failures.failing_since.map(Timestamp::as_millisecond),
        slow_since: endpoint.failures.slow_since.map(Timestamp::as_millisecond),
        exhausted_at: endpoint.failures.exhausted_at.map(Timestamp::as_millisecond),
        failing_noted_at: endpoint.failures.noted_at.map(Timestamp::as_millisecond),
        healthy_since: endpoint.failures.healthy_since.map(Timestamp::as_millisecond),
        recovery: endpoint.recovery.clone(),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// Reads an endpoint.
pub(super) fn from_item(item: Item) -> Result<Endpoint, Error> {
    let item: EndpointItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let switched_at = if item.enabled {
        item.enabled_at
    } else {
        item.disabled_at
    };
    Ok(Endpoint {
        workspace: item.workspace,
        id: item.endpoint,
        url: item.url,
        events: item.events,
        description: item.description,
        metadata: item.metadata,
        enabled: item.enabled,
        switched_at: optional_instant(TABLE, switched_at)?,
        disabled_reason: item.disabled_reason,
        secret_version: item.secret_version,
        created_at: instant(TABLE, item.created_at)?,
        updated_at: instant(TABLE, item.updated_at)?,
        failures: FailureRecord {
            failing_since: optional_instant(TABLE, item.failing_since)?,
            slow_since: optional_instant(TABLE, item.slow_since)?,
            exhausted_at: optional_instant(TABLE, item.exhausted_at)?,
            noted_at: optional_instant(TABLE, item.failing_noted_at)?,
            healthy_since: optional_instant(TABLE, item.healthy_since)?,
        },
        recovery: item.recovery,
    })
}
