//! An endpoint as the table's stream shows it. Only what an operator is told of is read, and words are left as texts, so
//! that the item of a later release is no reason to tell nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::attribute::{instant, optional_instant};
use crate::Error;
use crate::domain::id::{EndpointId, WorkspaceId};
use crate::domain::operational::{EndedRecovery, Exhausted, Image, LastAttempt};

const TABLE: &str = "endpoints";

#[derive(Deserialize)]
struct ImageItem {
    workspace: WorkspaceId,
    endpoint: EndpointId,
    url: String,
    events: Vec<String>,
    description: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    enabled: bool,
    disabled_reason: Option<String>,
    secret_version: String,
    updated_at: i64,
    failing_since: Option<i64>,
    failing_attempt: Option<AttemptItem>,
    exhausted: Option<ExhaustedItem>,
    last_recovery: Option<RecoveryItem>,
}

#[derive(Deserialize)]
struct AttemptItem {
    at: i64,
    http_status: Option<u16>,
    duration_ms: u64,
    failure: Option<String>,
}

#[derive(Deserialize)]
struct ExhaustedItem {
    delivery: String,
    event_id: String,
    event: String,
    #[serde(flatten)]
    last_attempt: AttemptItem,
}

#[derive(Deserialize)]
struct RecoveryItem {
    id: String,
    status: String,
    include: String,
    since: i64,
    until: i64,
    total: Option<u64>,
    retried: u64,
    delivered: u64,
    failed: u64,
    started_at: i64,
    finished_at: i64,
}

/// Reads an image of the stream, in DynamoDB's JSON.
///
/// # Errors
/// [`Error::Corrupt`].
pub fn endpoint_image(image: Value) -> Result<Image, Error> {
    let item: serde_dynamo::Item = serde_json::from_value(image).map_err(Error::corrupt(TABLE))?;
    let item: ImageItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    Ok(Image {
        workspace: item.workspace,
        endpoint: item.endpoint,
        url: item.url,
        events: item.events,
        description: item.description,
        metadata: item.metadata,
        enabled: item.enabled,
        disabled_reason: item.disabled_reason,
        secret_version: item.secret_version,
        updated_at: at(item.updated_at)?,
        failing_since: optional_instant(TABLE, item.failing_since)?,
        failing: item.failing_attempt.map(attempt).transpose()?,
        exhausted: item.exhausted.map(exhausted).transpose()?,
        last_recovery: item.last_recovery.map(recovery).transpose()?,
    })
}

fn at(millis: i64) -> Result<Timestamp, Error> {
    instant(TABLE, millis)
}

fn attempt(item: AttemptItem) -> Result<LastAttempt, Error> {
    Ok(LastAttempt {
        at: at(item.at)?,
        http_status: item.http_status,
        duration_ms: item.duration_ms,
        error: item.failure,
    })
}

fn exhausted(item: ExhaustedItem) -> Result<Exhausted, Error> {
    Ok(Exhausted {
        delivery: item.delivery,
        event_id: item.event_id,
        event: item.event,
        last_attempt: attempt(item.last_attempt)?,
    })
}

fn recovery(item: RecoveryItem) -> Result<EndedRecovery, Error> {
    Ok(EndedRecovery {
        id: item.id,
        status: item.status,
        include: item.include,
        since: at(item.since)?,
        until: at(item.until)?,
        total: item.total,
        retried: item.retried,
        delivered: item.delivered,
        failed: item.failed,
        started_at: at(item.started_at)?,
        finished_at: at(item.finished_at)?,
    })
}
