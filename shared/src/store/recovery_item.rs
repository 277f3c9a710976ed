//! A recovery as it is stored, in a partition of the deliveries table beside its endpoint's history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, instant, key, optional_instant};
use crate::Error;
use crate::domain::endpoint::Subscriptions;
use crate::domain::id::{EndpointId, RecoveryId};
use crate::domain::recovery::{Counts, Include, Progress, Recovery, Stage, Status, Taken, Wanted};

const TABLE: &str = "deliveries";

/// What comes after the endpoint's id in the key of its recoveries' partition.
const SUFFIX: &str = "#recoveries";

#[derive(Serialize, Deserialize)]
struct RecoveryItem {
    endpoint: String,
    #[serde(rename = "delivery")]
    id: RecoveryId,
    status: Status,
    include: Include,
    since: i64,
    until: i64,
    events: Subscriptions,
    per_second: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    retried: u64,
    delivered: u64,
    failed: u64,
    started_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<i64>,
    turn: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_by: Option<String>,
    due: i64,
    stage: Stage,
    counted: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    round: u64,
    /// Each is a delivery's id, followed by the event's id and name if it has no record yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    page: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unsure: Vec<String>,
    looks: u32,
    pauses: u32,
    probes: u32,
    expires_at: i64,
}

/// What an endpoint's item says of its last recovery.
#[derive(Serialize)]
struct LastRecovery<'a> {
    id: &'a RecoveryId,
    status: Status,
    include: Include,
    since: i64,
    until: i64,
    total: Option<u64>,
    retried: u64,
    delivered: u64,
    failed: u64,
    started_at: i64,
    finished_at: Option<i64>,
}

/// Attributes that a recovery may have or not; an update removes those that it does not have.
pub(super) const OPTIONAL: [&str; 6] = ["total", "finished_at", "made_by", "cursor", "page", "unsure"];

/// The partition of an endpoint's recoveries. No history has this key.
pub(super) fn partition(endpoint: &EndpointId) -> String {
    format!("{endpoint}{SUFFIX}")
}

/// The key of a recovery.
pub(super) fn recovery_key(endpoint: &EndpointId, id: &RecoveryId) -> Item {
    key([("endpoint", &partition(endpoint)), ("delivery", id.as_str())])
}

/// Writes a recovery.
pub(super) fn to_item(recovery: &Recovery, expires_at: i64) -> Result<Item, Error> {
    let (wanted, counts, progress) = (&recovery.wanted, recovery.counts, &recovery.progress);
    let item = RecoveryItem {
        endpoint: partition(&recovery.endpoint),
        id: recovery.id.clone(),
        status: recovery.status,
        include: wanted.include,
        since: wanted.since.as_millisecond(),
        until: wanted.until.as_millisecond(),
        events: wanted.events.clone(),
        per_second: wanted.per_second,
        total: counts.total,
        retried: counts.retried,
        delivered: counts.delivered,
        failed: counts.failed,
        started_at: recovery.started_at.as_millisecond(),
        finished_at: recovery.finished_at.map(Timestamp::as_millisecond),
        turn: progress.turn,
        made_by: progress.made_by.clone(),
        due: progress.due.as_millisecond(),
        stage: progress.stage,
        counted: progress.counted,
        cursor: progress.cursor.clone(),
        round: progress.round,
        page: progress.page.iter().map(written).collect(),
        unsure: progress.unsure.iter().map(written).collect(),
        looks: progress.looks,
        pauses: progress.pauses,
        probes: progress.probes,
        expires_at,
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("PutItem"))
}

/// What the endpoint's item says of a recovery that has ended.
pub(super) fn to_summary(recovery: &Recovery) -> Result<Item, Error> {
    let summary = LastRecovery {
        id: &recovery.id,
        status: recovery.status,
        include: recovery.wanted.include,
        since: recovery.wanted.since.as_millisecond(),
        until: recovery.wanted.until.as_millisecond(),
        total: recovery.counts.total,
        retried: recovery.counts.retried,
        delivered: recovery.counts.delivered,
        failed: recovery.counts.failed,
        started_at: recovery.started_at.as_millisecond(),
        finished_at: recovery.finished_at.map(Timestamp::as_millisecond),
    };
    serde_dynamo::to_item(summary).map_err(Error::unsendable("TransactWriteItems"))
}

/// Reads a recovery.
pub(super) fn from_item(item: Item) -> Result<Recovery, Error> {
    let item: RecoveryItem = serde_dynamo::from_item(item).map_err(Error::corrupt(TABLE))?;
    let endpoint = item.endpoint.strip_suffix(SUFFIX).unwrap_or_default();
    let taken = |texts: Vec<String>| texts.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>();
    Ok(Recovery {
        endpoint: endpoint.parse().map_err(Error::corrupt(TABLE))?,
        id: item.id,
        wanted: Wanted {
            include: item.include,
            since: instant(TABLE, item.since)?,
            until: instant(TABLE, item.until)?,
            events: item.events,
            per_second: item.per_second,
        },
        status: item.status,
        counts: Counts {
            total: item.total,
            retried: item.retried,
            delivered: item.delivered,
            failed: item.failed,
        },
        started_at: instant(TABLE, item.started_at)?,
        finished_at: optional_instant(TABLE, item.finished_at)?,
        progress: Progress {
            turn: item.turn,
            made_by: item.made_by,
            due: instant(TABLE, item.due)?,
            stage: item.stage,
            counted: item.counted,
            cursor: item.cursor,
            round: item.round,
            page: taken(item.page)?,
            unsure: taken(item.unsure)?,
            looks: item.looks,
            pauses: item.pauses,
            probes: item.probes,
        },
    })
}

fn written(taken: &Taken) -> String {
    match &taken.missing {
        None => taken.delivery.to_string(),
        Some((event, name)) => format!("{} {event} {name}", taken.delivery),
    }
}

fn read(text: &str) -> Result<Taken, Error> {
    let mut words = text.split(' ');
    let delivery = words.next().unwrap_or_default();
    let missing = match (words.next(), words.next()) {
        (Some(event), Some(name)) => Some((
            event.parse().map_err(Error::corrupt(TABLE))?,
            name.to_owned().try_into().map_err(Error::corrupt(TABLE))?,
        )),
        _ => None,
    };
    Ok(Taken {
        delivery: delivery.parse().map_err(Error::corrupt(TABLE))?,
        missing,
    })
}
