//! `fan-out`: stores each event once and queues one delivery per subscribed endpoint.
//!
//! Invariants: a message is deleted only when its event is stored and all its deliveries are on their queue, or when
//! it is on the rejected-events queue with the reason. The message that brought an event first answers for its
//! fan-out, however often it comes back; any other message with the same event does nothing. What comes back is
//! queued with a delay, so that a delivery already under way is recorded by then and is not made twice.

use std::collections::HashMap;

use futures::future::LocalBoxFuture;
use futures::future::join_all;
use jiff::Timestamp;
use shared::Error;
use shared::domain::endpoint::Endpoint;
use shared::domain::event::Event;
use shared::domain::id::{DeliveryId, WorkspaceId};
use shared::domain::task::{self, Kind, Task};
use shared::queue::{MAX_DELAY_SECONDS, Outgoing};
use shared::store::{Insertion, NewEvent};

use super::hand_back;
use crate::app::App;
use crate::serve::{Deadline, Message};

/// An event and the message that brought it.
struct Arrival<'a> {
    message: &'a Message,
    event: Event,
}

/// A stored event that is to be queued for its endpoints.
struct Stored<'a> {
    arrival: Arrival<'a>,
    accepted_at: Timestamp,
    delay_seconds: u16,
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
    let arrivals = unique(parse(&messages, &mut outcome), &mut outcome);
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
    hand_back(app, outcome.failed).await
}

fn parse<'a>(messages: &'a [Message], outcome: &mut Outcome<'a>) -> Vec<Arrival<'a>> {
    let arrivals = messages
        .iter()
        .filter_map(|message| match Event::parse(message.body.clone()) {
            Ok(event) => Some(Arrival { message, event }),
            Err(reason) => {
                outcome.rejected.push((message, reason.to_string()));
                None
            }
        });
    arrivals.collect()
}

/// The first message of each event of the batch. The others add nothing, or contradict it.
fn unique<'a>(arrivals: Vec<Arrival<'a>>, outcome: &mut Outcome<'a>) -> Vec<Arrival<'a>> {
    let mut first: Vec<Arrival<'a>> = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let (workspace, id) = (&arrival.event.workspace, &arrival.event.id);
        match first
            .iter()
            .find(|other| other.event.workspace == *workspace && other.event.id == *id)
        {
            None => first.push(arrival),
            Some(other) if other.event.body == arrival.event.body => {}
            Some(_) => outcome
                .rejected
                .push((arrival.message, contradiction(&arrival.event))),
        }
    }
    first
}

/// Stores the events and returns those whose deliveries are to be queued.
async fn store<'a>(app: &App, arrivals: Vec<Arrival<'a>>, outcome: &mut Outcome<'a>) -> Vec<Stored<'a>> {
    if arrivals.is_empty() {
        return Vec::new();
    }
    let now = app.clock.now();
    let new: Vec<_> = arrivals
        .iter()
        .map(|arrival| NewEvent {
            event: &arrival.event,
            message_id: &arrival.message.id,
        })
        .collect();
    let insertions = match app.store.insert_events(&new, now).await {
        Ok(insertions) => insertions,
        Err(error) => {
            tracing::warn!(error = error.chain(), "events were not stored");
            outcome
                .failed
                .extend(arrivals.iter().map(|arrival| arrival.message));
            return Vec::new();
        }
    };
    let mut stored = Vec::with_capacity(arrivals.len());
    for (arrival, insertion) in arrivals.into_iter().zip(insertions) {
        match insertion {
            Insertion::Stored => stored.push(Stored {
                arrival,
                accepted_at: now,
                delay_seconds: 0,
            }),
            Insertion::Existing(existing) if existing.body != arrival.event.body => {
                outcome
                    .rejected
                    .push((arrival.message, contradiction(&arrival.event)));
            }
            Insertion::Existing(existing) if existing.message_id == arrival.message.id => {
                let accepted_at = existing.accepted_at;
                stored.push(Stored {
                    arrival,
                    accepted_at,
                    delay_seconds: again_after_seconds(app),
                });
            }
            Insertion::Existing(_) => {}
            Insertion::Failed(error) => {
                tracing::warn!(error = error.chain(), event.id = %arrival.event.id, "an event was not stored");
                outcome.failed.push(arrival.message);
            }
        }
    }
    stored
}

/// Queues the deliveries of the stored events and says how many there were.
async fn queue<'a>(app: &App, stored: Vec<Stored<'a>>, outcome: &mut Outcome<'a>) -> usize {
    let endpoints = endpoints(app, &stored).await;
    let mut first_lane = Lane::default();
    let mut slow_lane = Lane::default();
    for event in &stored {
        let subscribed = match &endpoints[&event.arrival.event.workspace] {
            Ok(endpoints) => endpoints
                .iter()
                .filter(|endpoint| receives(endpoint, &event.arrival.event)),
            Err(error) => {
                tracing::warn!(error = error.chain(), "endpoints could not be read");
                outcome.failed.push(event.arrival.message);
                continue;
            }
        };
        for endpoint in subscribed {
            let task = task(event, endpoint);
            // An endpoint that is failing waits beside the retries, where it holds up no healthy one.
            let lane = if endpoint.failing_since.is_some() {
                &mut slow_lane
            } else {
                &mut first_lane
            };
            match Outgoing::task(&task, event.delay_seconds) {
                Ok(message) => lane.add(event.arrival.message, message),
                Err(_) => outcome.failed.push(event.arrival.message),
            }
        }
    }
    let queues = &app.config.queues;
    let sent = [
        first_lane.send(app, &queues.deliveries).await,
        slow_lane.send(app, &queues.retries).await,
    ];
    for message in sent.iter().flat_map(|(_, failed)| failed) {
        if !outcome.failed.contains(message) {
            outcome.failed.push(message);
        }
    }
    sent.iter().map(|(count, _)| count).sum()
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

/// Messages for one queue, each with the event's message that it is for.
#[derive(Default)]
struct Lane<'a> {
    sources: Vec<&'a Message>,
    messages: Vec<Outgoing>,
}

impl<'a> Lane<'a> {
    fn add(&mut self, source: &'a Message, message: Outgoing) {
        self.sources.push(source);
        self.messages.push(message);
    }

    /// Sends them and returns how many there were, and the sources of those that were not taken.
    async fn send(self, app: &App, url: &str) -> (usize, Vec<&'a Message>) {
        let results = app.queues.send(url, &self.messages).await;
        let failed = self
            .sources
            .into_iter()
            .zip(results)
            .filter(|(_, result)| result.is_err());
        (self.messages.len(), failed.map(|(source, _)| source).collect())
    }
}

/// Puts what is no event on the rejected-events queue.
async fn reject(app: &App, outcome: &mut Outcome<'_>) {
    let messages: Vec<_> = outcome
        .rejected
        .iter()
        .map(|(message, reason)| Outgoing::refused(message.body.clone(), reason))
        .collect();
    let results = app
        .queues
        .send(&app.config.queues.rejected_events, &messages)
        .await;
    for ((message, reason), result) in outcome.rejected.iter().zip(results) {
        match result {
            Ok(()) => tracing::warn!(message.id, reason, outcome = "rejected", "a message is no event"),
            Err(_) => outcome.failed.push(message),
        }
    }
}

fn receives(endpoint: &Endpoint, event: &Event) -> bool {
    endpoint.enabled && endpoint.events.include(&event.name)
}

fn task(stored: &Stored<'_>, endpoint: &Endpoint) -> Task {
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
        body: task::inline_body(&event.body),
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
