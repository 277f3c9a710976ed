//! `fan-out`: stores each event once and queues one delivery per subscribed endpoint.
//!
//! Invariants: a message is acknowledged only when its event is stored and all its deliveries are on their queue, or when
//! it is on the rejected-events queue with the reason. Who answers for the fan-out of an event, and who receives it, is
//! decided in `shared::domain::fan_out`. What comes back is queued with a delay, so that a delivery already under way is
//! usually recorded by then and is not made twice.

use std::collections::{HashMap, HashSet};

use futures::future::{join, join_all};
use jiff::Timestamp;
use shared::Error;
use shared::domain::endpoint::Endpoint;
use shared::domain::event::Event;
use shared::domain::fan_out::{FanOut, StoredBefore, fits_into_memory};
use shared::domain::id::{DeliveryId, WorkspaceId};
use shared::domain::lane::Lane;
use shared::domain::task::{self, Kind, Task};
use shared::domain::wait::MAX_DELAY_SECONDS;
use shared::queues::Outgoing;
use shared::store::{Insertion, NewEvent};

use super::{WRITES, pass_on};
use crate::app::App;
use crate::serve::{Batch, ComeBack, Consumer, Message};

/// The consumer of the events queue.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_QUEUE_URL",
        "ENDPOINTS_TABLE",
        "EVENTS_QUEUE_URL",
        "EVENTS_TABLE",
        "POST_DEADLINE_SECONDS",
        "REJECTED_EVENTS_QUEUE_URL",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_URL",
    ],
    on_messages: |app, batch| Box::pin(fan_out(app, batch)),
    come_back: ComeBack::AfterBackoff,
    on_records: None,
};

/// The messages of one batch that carry one event id, the first of them as an event.
struct Arrival<'a> {
    event: Event,
    messages: Vec<&'a Message>,
}

/// A stored event that is to be queued for its endpoints.
struct Stored<'a> {
    arrival: Arrival<'a>,
    accepted_at: Timestamp,
    fan_out: FanOut,
}

/// A message that is not a valid event, and why.
type Rejected<'a> = (&'a Message, String);

/// Fans a batch of events out. What can't be stored yet, because its workspace is throttled, holds up no other event.
async fn fan_out(app: &App, batch: &Batch) {
    let (mut arrivals, malformed) = parse(batch);
    let (mut events, mut deliveries, mut rejected) = (0, 0, malformed.len());
    let rejecting = reject(app, batch, malformed);
    let storing = async {
        let mut waits = WRITES;
        while !arrivals.is_empty() {
            let round = store(app, batch, arrivals).await;
            events += round.stored.len();
            rejected += round.rejected.len();
            reject(app, batch, round.rejected).await;
            deliveries += send_deliveries(app, batch, round.stored).await;
            arrivals = round.open;
            if !arrivals.is_empty() && !waits.wait().await {
                break;
            }
        }
    };
    join(rejecting, storing).await;
    let coming_back = batch.unacknowledged();
    tracing::info!(
        events,
        deliveries,
        rejected,
        handed_back = coming_back.len(),
        "batch of events"
    );
    for message in coming_back {
        tracing::warn!(message.id, "an event comes back");
    }
}

/// The events of a batch, and the messages that are none.
fn parse(batch: &Batch) -> (Vec<Arrival<'_>>, Vec<Rejected<'_>>) {
    let mut arrivals: Vec<Arrival<'_>> = Vec::with_capacity(batch.messages.len());
    let mut rejected = Vec::new();
    for message in &batch.messages {
        let event = match Event::parse(message.body.clone()) {
            Ok(event) => event,
            Err(reason) => {
                rejected.push((message, reason.to_string()));
                continue;
            }
        };
        let same =
            |other: &&mut Arrival<'_>| other.event.workspace == event.workspace && other.event.id == event.id;
        match arrivals.iter_mut().find(same) {
            Some(arrival) => arrival.messages.push(message),
            None => arrivals.push(Arrival {
                event,
                messages: vec![message],
            }),
        }
    }
    (arrivals, rejected)
}

/// What became of events when they were tried to be stored once.
#[derive(Default)]
struct Round<'a> {
    /// Their deliveries are to be queued.
    stored: Vec<Stored<'a>>,
    /// They are not stored yet.
    open: Vec<Arrival<'a>>,
    /// Their id belongs to another event.
    rejected: Vec<Rejected<'a>>,
}

/// Tries to store the events.
async fn store<'a>(app: &App, batch: &Batch, arrivals: Vec<Arrival<'a>>) -> Round<'a> {
    let now = app.clock.now();
    let new = arrivals.iter().map(|arrival| NewEvent {
        event: &arrival.event,
        message_id: &arrival.messages[0].id,
    });
    let mut round = Round::default();
    let insertions = match app.store.insert_events(&new.collect::<Vec<_>>(), now).await {
        Ok(insertions) => insertions,
        Err(error) => {
            tracing::warn!(error = error.chain(), "events were not stored");
            return round;
        }
    };
    for (arrival, insertion) in arrivals.into_iter().zip(insertions) {
        let (body, accepted_at, first_message) = match insertion {
            Insertion::Stored => (arrival.event.body.clone(), now, None),
            Insertion::Existing(existing) => (existing.body, existing.accepted_at, Some(existing.message_id)),
            Insertion::Open(error) => {
                tracing::debug!(error = error.chain(), event.id = %arrival.event.id, "an event is not stored yet");
                round.open.push(arrival);
                continue;
            }
            Insertion::Failed(error) => {
                tracing::error!(error = error.chain(), event.id = %arrival.event.id, "an event can't be stored");
                continue;
            }
        };
        let arrival = without_contradictions(arrival, body, &mut round.rejected);
        let fan_out = first_message.map_or(FanOut::First, |message_id| {
            let before = StoredBefore {
                message_id: &message_id,
                accepted_at,
            };
            let ids = arrival.messages.iter().map(|message| message.id.as_str());
            FanOut::of_known(before, ids, now)
        });
        if fan_out == FanOut::Elsewhere {
            arrival.acknowledge(batch);
            continue;
        }
        round.stored.push(Stored {
            arrival,
            accepted_at,
            fan_out,
        });
    }
    round
}

impl Arrival<'_> {
    fn acknowledge(&self, batch: &Batch) {
        self.messages
            .iter()
            .for_each(|message| batch.acknowledge(message));
    }
}

/// The arrival as it is stored, with the messages that agree; the others are rejected.
fn without_contradictions<'a>(
    arrival: Arrival<'a>,
    body: String,
    rejected: &mut Vec<Rejected<'a>>,
) -> Arrival<'a> {
    let Arrival { event, messages } = arrival;
    let (agreeing, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.body == body);
    let reason = |message| {
        (
            message,
            format!("the id {} already belongs to another event", event.id),
        )
    };
    rejected.extend(others.into_iter().map(reason));
    Arrival {
        event: Event { body, ..event },
        messages: agreeing,
    }
}

/// Queues the deliveries of the stored events and says how many there were.
async fn send_deliveries(app: &App, batch: &Batch, stored: Vec<Stored<'_>>) -> usize {
    let endpoints = endpoints(app, &stored).await;
    // Messages, each with the number of the event that it is for.
    let (mut first_lane, mut retries) = (Vec::new(), Vec::new());
    let mut failed = HashSet::new();
    for (index, event) in stored.iter().enumerate() {
        let endpoints = match &endpoints[&event.arrival.event.workspace] {
            Ok(endpoints) => endpoints,
            Err(error) => {
                tracing::warn!(error = error.chain(), "endpoints could not be read");
                failed.insert(index);
                continue;
            }
        };
        let receives = |endpoint: &&Endpoint| {
            event
                .fan_out
                .includes(endpoint, &event.arrival.event.name, event.accepted_at)
        };
        let receiving: Vec<_> = endpoints.iter().filter(receives).collect();
        let delay_seconds = delay_seconds(app, event.fan_out);
        let body = body_for(&event.arrival.event, receiving.len(), stored.len());
        for endpoint in receiving {
            let task = task(event, endpoint, body.clone());
            let lane = match Lane::of(&task, endpoint) {
                Lane::First => &mut first_lane,
                Lane::Retries => &mut retries,
            };
            match Outgoing::task(&task, delay_seconds) {
                Ok(message) => lane.push((index, message)),
                Err(_) => drop(failed.insert(index)),
            }
        }
    }
    let mut deliveries = 0;
    for (messages, lane) in [(first_lane, Lane::First), (retries, Lane::Retries)] {
        deliveries += messages.len();
        let results = app
            .queues
            .send_each(app.config.queues.of_lane(lane), messages)
            .await;
        let unsent = results.into_iter().filter(|(_, result)| result.is_err());
        failed.extend(unsent.map(|(index, _)| index));
    }
    let stored = stored.iter().enumerate();
    stored
        .filter(|(index, _)| !failed.contains(index))
        .for_each(|(_, event)| event.arrival.acknowledge(batch));
    deliveries
}

/// The endpoints of the events' workspaces, each workspace read once.
async fn endpoints(app: &App, stored: &[Stored<'_>]) -> HashMap<WorkspaceId, Result<Vec<Endpoint>, Error>> {
    let mut workspaces: Vec<&WorkspaceId> = stored
        .iter()
        .map(|event| &event.arrival.event.workspace)
        .collect();
    workspaces.sort();
    workspaces.dedup();
    let reads = workspaces
        .into_iter()
        .map(async |workspace| (workspace.clone(), app.store.endpoints(workspace).await));
    join_all(reads).await.into_iter().collect()
}

/// Puts what is not a valid event on the rejected-events queue.
async fn reject(app: &App, batch: &Batch, rejected: Vec<Rejected<'_>>) {
    let messages = rejected.into_iter().map(|(message, reason)| {
        tracing::warn!(
            message.id,
            reason,
            outcome = "rejected",
            "a message is not a valid event"
        );
        (message, Outgoing::set_aside(message.body.clone(), &reason))
    });
    pass_on(app, batch, &app.config.queues.rejected_events, messages.collect()).await;
}

/// The event's bytes as its messages carry them; none if that would be too much for one message, or for this function's
/// memory.
fn body_for(event: &Event, endpoints: usize, events: usize) -> Option<String> {
    task::inline_body(&event.body).filter(|body| fits_into_memory(body.len(), endpoints, events))
}

fn task(stored: &Stored<'_>, endpoint: &Endpoint, body: Option<String>) -> Task {
    let event = &stored.arrival.event;
    Task {
        workspace: event.workspace.clone(),
        endpoint: endpoint.id.clone(),
        delivery: DeliveryId::derive(stored.accepted_at, &event.id, &endpoint.id),
        event_id: event.id.clone(),
        event: event.name.clone(),
        attempt: 1,
        kind: Kind::Automatic,
        manual_retry: None,
        body,
    }
}

/// What is queued again waits until the deliveries that are under way must have been recorded.
fn delay_seconds(app: &App, fan_out: FanOut) -> u16 {
    if fan_out != FanOut::Again {
        return 0;
    }
    u16::try_from(app.config.post_deadline.as_secs() * 2)
        .unwrap_or(MAX_DELAY_SECONDS)
        .min(MAX_DELAY_SECONDS)
}
