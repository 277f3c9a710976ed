//! `fan-out`: stores each event once and queues one delivery per subscribed endpoint.
//!
//! Invariants: a message is deleted only when its event is stored and all its deliveries are on their queue, or when
//! it is on the rejected-events queue with the reason. The message that brought an event first answers for its
//! fan-out, however often it comes back; any other message with the same event does nothing, unless so much time has
//! passed that the first may have been parked and redriven, which gives it another id. What comes back is queued with
//! a delay, so that a delivery already under way is recorded by then and is not made twice.

use std::collections::{HashMap, HashSet};

use futures::future::LocalBoxFuture;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::Error;
use shared::domain::endpoint::Endpoint;
use shared::domain::event::Event;
use shared::domain::id::{DeliveryId, WorkspaceId};
use shared::domain::task::{self, Kind, Task};
use shared::queue::{MAX_DELAY_SECONDS, Outgoing};
use shared::store::{Insertion, NewEvent, StoredEvent};

use super::hand_back;
use crate::app::App;
use crate::serve::{Deadline, Message};

/// For how long the message that brought an event first is on its queue for certain, if its fan-out has not been
/// completed: its first hundred receives take longer, because each waits up to three minutes for the next.
const FIRST_MESSAGE_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// Bytes of an event that all its messages may carry together; ten such events fit into the memory of this function.
const MAX_INLINE_BYTES_PER_EVENT: usize = 4 * 1024 * 1024;

/// The messages of one batch that carry one event id, the first of them as an event.
struct Arrival<'a> {
    event: Event,
    messages: Vec<&'a Message>,
}

/// A stored event that is to be queued for its endpoints.
struct Stored<'a> {
    arrival: Arrival<'a>,
    accepted_at: Timestamp,
    /// Whether it may have been queued before: then it is nothing for an endpoint that was created since.
    again: bool,
}

/// What became of the messages of a batch; those named nowhere are done.
#[derive(Default)]
struct Outcome<'a> {
    rejected: Vec<(&'a Message, String)>,
    failed: Vec<&'a Message>,
}

/// Fans a batch of events out.
pub fn handle(app: &App, messages: Vec<Message>, deadline: Deadline) -> LocalBoxFuture<'_, Vec<String>> {
    Box::pin(handle_batch(app, messages, deadline))
}

async fn handle_batch(app: &App, messages: Vec<Message>, _deadline: Deadline) -> Vec<String> {
    let mut outcome = Outcome::default();
    let arrivals = parse(&messages, &mut outcome);
    let stored = store(app, arrivals, &mut outcome).await;
    let events = stored.len();
    let deliveries = queue(app, stored, &mut outcome).await;
    reject(app, &mut outcome).await;
    tracing::info!(
        events,
        deliveries,
        rejected = outcome.rejected.len(),
        handed_back = outcome.failed.len(),
        "batch of events"
    );
    for message in &outcome.failed {
        tracing::warn!(message.id, "an event comes back");
    }
    hand_back(app, outcome.failed).await
}

fn parse<'a>(messages: &'a [Message], outcome: &mut Outcome<'a>) -> Vec<Arrival<'a>> {
    let mut arrivals: Vec<Arrival<'a>> = Vec::with_capacity(messages.len());
    for message in messages {
        let event = match Event::parse(message.body.clone()) {
            Ok(event) => event,
            Err(reason) => {
                outcome.rejected.push((message, reason.to_string()));
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
    arrivals
}

/// Stores the events and returns those whose deliveries are to be queued.
async fn store<'a>(app: &App, arrivals: Vec<Arrival<'a>>, outcome: &mut Outcome<'a>) -> Vec<Stored<'a>> {
    if arrivals.is_empty() {
        return Vec::new();
    }
    let now = app.clock.now();
    let new = arrivals.iter().map(|arrival| NewEvent {
        event: &arrival.event,
        message_id: &arrival.messages[0].id,
    });
    let insertions = match app.store.insert_events(&new.collect::<Vec<_>>(), now).await {
        Ok(insertions) => insertions,
        Err(error) => {
            tracing::warn!(error = error.chain(), "events were not stored");
            outcome
                .failed
                .extend(arrivals.into_iter().flat_map(|arrival| arrival.messages));
            return Vec::new();
        }
    };
    let mut stored = Vec::with_capacity(arrivals.len());
    for (arrival, insertion) in arrivals.into_iter().zip(insertions) {
        match insertion {
            Insertion::Stored => {
                let body = arrival.event.body.clone();
                let arrival = without_contradictions(arrival, &body, outcome);
                stored.push(Stored {
                    arrival,
                    accepted_at: now,
                    again: false,
                });
            }
            Insertion::Existing(existing) => {
                let arrival = without_contradictions(arrival, &existing.body, outcome);
                if answers_for_fan_out(&arrival, &existing, now) {
                    stored.push(Stored {
                        arrival,
                        accepted_at: existing.accepted_at,
                        again: true,
                    });
                }
            }
            Insertion::Failed(error) => {
                tracing::warn!(error = error.chain(), event.id = %arrival.event.id, "an event was not stored");
                outcome.failed.extend(arrival.messages);
            }
        }
    }
    stored
}

/// The arrival as it is stored, with the messages that agree; the others are rejected.
fn without_contradictions<'a>(
    mut arrival: Arrival<'a>,
    body: &str,
    outcome: &mut Outcome<'a>,
) -> Arrival<'a> {
    let (agreeing, others) = arrival
        .messages
        .into_iter()
        .partition(|message| message.body == body);
    arrival.messages = agreeing;
    body.clone_into(&mut arrival.event.body);
    let others: Vec<&Message> = others;
    outcome.rejected.extend(
        others
            .into_iter()
            .map(|message| (message, contradiction(&arrival.event))),
    );
    arrival
}

/// Whether one of the messages has to see to it that the event is fanned out.
fn answers_for_fan_out(arrival: &Arrival<'_>, existing: &StoredEvent, now: Timestamp) -> bool {
    let first = arrival
        .messages
        .iter()
        .any(|message| message.id == existing.message_id);
    let late = now.duration_since(existing.accepted_at) > FIRST_MESSAGE_LIVES;
    first || (late && !arrival.messages.is_empty())
}

/// Queues the deliveries of the stored events and says how many there were.
async fn queue<'a>(app: &App, stored: Vec<Stored<'a>>, outcome: &mut Outcome<'a>) -> usize {
    let endpoints = endpoints(app, &stored).await;
    // Messages, each with the number of the event that it is for.
    let (mut first_lane, mut slow_lane) = (Vec::new(), Vec::new());
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
        let subscribed: Vec<_> = endpoints
            .iter()
            .filter(|endpoint| receives(endpoint, event))
            .collect();
        let delay_seconds = if event.again { again_after_seconds(app) } else { 0 };
        let body = body_for(&event.arrival.event, subscribed.len());
        for endpoint in subscribed {
            // An endpoint that is failing waits beside the retries, where it holds up no healthy one.
            let lane = if endpoint.failing_since.is_some() {
                &mut slow_lane
            } else {
                &mut first_lane
            };
            match Outgoing::task(&task(event, endpoint, body.clone()), delay_seconds) {
                Ok(message) => lane.push((index, message)),
                Err(_) => drop(failed.insert(index)),
            }
        }
    }
    let queues = &app.config.queues;
    let mut deliveries = 0;
    for (lane, url) in [(first_lane, &queues.deliveries), (slow_lane, &queues.retries)] {
        deliveries += lane.len();
        let results = app.queues.send_each(url, lane).await;
        let unsent = results.into_iter().filter(|(_, result)| result.is_err());
        failed.extend(unsent.map(|(index, _)| index));
    }
    let unqueued = stored
        .into_iter()
        .enumerate()
        .filter(|(index, _)| failed.contains(index));
    outcome
        .failed
        .extend(unqueued.flat_map(|(_, event)| event.arrival.messages));
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

/// Puts what is no event on the rejected-events queue.
async fn reject(app: &App, outcome: &mut Outcome<'_>) {
    let messages = outcome.rejected.iter().map(|rejected| {
        let (message, reason) = rejected;
        (rejected, Outgoing::refused(message.body.clone(), reason))
    });
    let queue = &app.config.queues.rejected_events;
    let results = app.queues.send_each(queue, messages.collect()).await;
    for ((message, reason), result) in results {
        match result {
            Ok(()) => tracing::warn!(message.id, reason, outcome = "rejected", "a message is no event"),
            Err(_) => outcome.failed.push(message),
        }
    }
}

fn receives(endpoint: &Endpoint, stored: &Stored<'_>) -> bool {
    let there = !stored.again || endpoint.created_at <= stored.accepted_at;
    there && endpoint.enabled && endpoint.events.include(&stored.arrival.event.name)
}

/// The event's bytes as its messages carry them; none if all together would be too much for this function's memory.
fn body_for(event: &Event, endpoints: usize) -> Option<String> {
    task::inline_body(&event.body).filter(|body| body.len() * endpoints <= MAX_INLINE_BYTES_PER_EVENT)
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

/// Long enough for a delivery that is under way to be recorded, with the deadline of its attempt.
fn again_after_seconds(app: &App) -> u16 {
    u16::try_from(app.config.post_deadline.as_secs() * 2)
        .unwrap_or(MAX_DELAY_SECONDS)
        .min(MAX_DELAY_SECONDS)
}

fn contradiction(event: &Event) -> String {
    format!("the id {} stands for another event already", event.id)
}
