//! The `data` of an operational event. Six fields are in each; the samples in `event-types/operational` show the others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::time;
use super::{EndedRecovery, Exhausted, Happening, Image, LastAttempt};

/// The data of an event.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    workspace_id: &'a str,
    endpoint_id: &'a str,
    url: &'a str,
    /// Why, where there is a reason.
    reason: Option<&'a str>,
    /// Since when the endpoint has been failing, or had been.
    since: Option<String>,
    /// The last failed attempt that is known.
    last_attempt: Option<AttemptView<'a>>,
    #[serde(flatten)]
    more: More<'a>,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    at: String,
    http_status: Option<u16>,
    duration_ms: u64,
    error: Option<&'a str>,
}

/// What only some events have.
#[derive(Serialize)]
#[serde(untagged)]
enum More<'a> {
    Nothing {},
    Settings {
        #[serde(skip_serializing_if = "Option::is_none")]
        changed: Option<Vec<&'static str>>,
        events: &'a [String],
        enabled: bool,
        description: Option<&'a str>,
        metadata: &'a BTreeMap<String, String>,
    },
    Delivery {
        delivery_id: &'a str,
        event_id: &'a str,
        event: &'a str,
    },
    Recovery {
        recovery: RecoveryView<'a>,
    },
}

#[derive(Serialize)]
struct RecoveryView<'a> {
    id: &'a str,
    status: &'a str,
    include: &'a str,
    since: String,
    until: String,
    total: Option<u64>,
    retried: u64,
    delivered: u64,
    failed: u64,
    started_at: String,
    finished_at: String,
}

impl<'a> Data<'a> {
    /// What is told of a change, by which the endpoint became as `image` shows it, or which deleted it as it was.
    pub(super) fn of(happening: Happening, old: Option<&'a Image>, image: &'a Image) -> Self {
        // A success has removed what is known of the spell that it ended.
        let spell = match happening {
            Happening::Recovered => old.unwrap_or(image),
            _ => image,
        };
        Self {
            workspace_id: image.workspace.as_str(),
            endpoint_id: image.endpoint.as_str(),
            url: &image.url,
            reason: reason(happening, image),
            since: spell.failing_since.map(time::format),
            last_attempt: last_attempt(happening, spell).map(AttemptView::of),
            more: more(happening, old, image),
        }
    }
}

/// Which of the things that its owner sets differ.
pub(super) fn changed(old: &Image, new: &Image) -> Vec<&'static str> {
    let all = [
        ("url", old.url != new.url),
        ("events", old.events != new.events),
        ("description", old.description != new.description),
        ("metadata", old.metadata != new.metadata),
    ];
    let changed = all.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(name, _)| name).collect()
}

fn reason(happening: Happening, image: &Image) -> Option<&str> {
    match happening {
        Happening::Disabled => image.disabled_reason.as_deref(),
        Happening::Failing | Happening::Exhausted => last_attempt(happening, image)?.error.as_deref(),
        _ => None,
    }
}

fn last_attempt(happening: Happening, image: &Image) -> Option<&LastAttempt> {
    let of_exhausted = image.exhausted.as_ref().map(|exhausted| &exhausted.last_attempt);
    if happening == Happening::Failing {
        return image.failing.as_ref();
    }
    of_exhausted.or(image.failing.as_ref())
}

fn more<'a>(happening: Happening, old: Option<&'a Image>, image: &'a Image) -> More<'a> {
    match happening {
        Happening::Created | Happening::Updated => More::Settings {
            changed: old.map(|old| changed(old, image)),
            events: &image.events,
            enabled: image.enabled,
            description: image.description.as_deref(),
            metadata: &image.metadata,
        },
        Happening::Exhausted => image.exhausted.as_ref().map_or(More::Nothing {}, More::delivery),
        Happening::RecoveryFinished => image
            .last_recovery
            .as_ref()
            .map_or(More::Nothing {}, More::recovery),
        _ => More::Nothing {},
    }
}

impl<'a> More<'a> {
    fn delivery(exhausted: &'a Exhausted) -> Self {
        Self::Delivery {
            delivery_id: &exhausted.delivery,
            event_id: &exhausted.event_id,
            event: &exhausted.event,
        }
    }

    fn recovery(recovery: &'a EndedRecovery) -> Self {
        let at = |instant: Timestamp| time::format(instant);
        Self::Recovery {
            recovery: RecoveryView {
                id: &recovery.id,
                status: &recovery.status,
                include: &recovery.include,
                since: at(recovery.since),
                until: at(recovery.until),
                total: recovery.total,
                retried: recovery.retried,
                delivered: recovery.delivered,
                failed: recovery.failed,
                started_at: at(recovery.started_at),
                finished_at: at(recovery.finished_at),
            },
        }
    }
}

impl<'a> AttemptView<'a> {
    fn of(attempt: &'a LastAttempt) -> Self {
        Self {
            at: time::format(attempt.at),
            http_status: attempt.http_status,
            duration_ms: attempt.duration_ms,
            error: attempt.error.as_deref(),
        }
    }
}
