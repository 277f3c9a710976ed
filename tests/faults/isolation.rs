//! One endpoint that hangs and one that always fails do not slow a healthy one down.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use local::receiver::{Answer, Receiver};

use crate::lanes;
use crate::queues;
use crate::support::Workspace;
use crate::turns::alone;
use crate::variables;

/// The template's own settings of `retry`. Those of this stack make a hundred times as many retries, which would
/// measure this machine.
const SETTINGS: [(&str, &str); 2] = [
    ("RETRY_SCHEDULE", "5,300,1800,7200,18000,36000,36000"),
    ("SCHEDULER_THRESHOLD_SECONDS", "900"),
];

/// Events for each of the bad endpoints, queued before the healthy one's. All functions wait for the emulator's one
/// processor, which is busy for up to five seconds with fanning these out, whatever becomes of the deliveries.
const BAD_EVENTS: usize = 500;

/// The pace at which the events are sent of which the times are measured.
const PACE: Duration = Duration::from_millis(100);

/// How many of them without the bad endpoints, and beside them: two minutes, which the bad endpoints' events outlast.
const EVENTS_WITHOUT: usize = 200;
const EVENTS_BESIDE: usize = 1200;

/// What the bad endpoints subscribe to.
const BAD: &str = "survey.response.created";

/// What fans out, and what the bad endpoints' failures lead to, runs in as few batches at once as AWS allows. With the
/// template's numbers the functions would share the emulator's one processor with the healthy endpoint's, where Lambda
/// gives each its own.
const LANES: [(&str, &str); 3] = [
    ("FanOutFunction", "EventsQueue"),
    ("RetryFunction", "FailedAttemptsQueue"),
    ("DeliverFunction", "RetriesQueue"),
];
const BATCHES_AT_ONCE: i32 = 2;

/// How much slower the 95th percentile may be beside the bad endpoints.
const FACTOR: f64 = 2.0;

const LONGEST: Duration = Duration::from_mins(2);

/// What was measured.
struct Measured {
    without: Vec<Duration>,
    beside: Vec<Duration>,
    /// Requests at the bad endpoints until the last event beside them had arrived.
    hanging: usize,
    failing: usize,
}

#[tokio::test]
async fn a_healthy_endpoint_is_as_fast_beside_one_that_hangs_and_one_that_fails() {
    let _turn = alone().await;
    let other = Workspace::new().await;
    let hanging = Receiver::start(|_| Answer::hang()).await.expect("a receiver");
    let failing = Receiver::start(|_| Answer::status(500))
        .await
        .expect("a receiver");
    let bad_endpoints = [&hanging, &failing].map(async |receiver| {
        let endpoint = other.create_endpoint(&receiver.url("/"), &[BAD]).await;
        format!("/{}", endpoint.id)
    });
    let bad_endpoints = join_all(bad_endpoints).await;
    let (mut batches, mut usual) = (Vec::new(), Vec::new());

    let measured = AssertUnwindSafe(async {
        for (function, queue) in LANES {
            batches.push(lanes::set(function, queue, BATCHES_AT_ONCE).await);
        }
        for (name, value) in SETTINGS {
            usual.push((name, variables::set("RetryFunction", name, value).await));
        }
        measure(&other, &hanging, &failing).await
    });
    let measured = measured.catch_unwind().await;

    // What still waits for the bad endpoints shall not keep later tests waiting.
    for endpoint in bad_endpoints {
        other.delete(&endpoint).await;
    }
    for (name, value) in usual {
        variables::set("RetryFunction", name, &value).await;
    }
    for ((function, queue), batches) in LANES.into_iter().zip(batches) {
        lanes::set(function, queue, batches).await;
    }
    for queue in ["RetriesQueue", "FailedAttemptsQueue"] {
        queues::purge(queue).await;
    }
    let measured = measured.unwrap_or_else(|panic| resume_unwind(panic));
    for (name, times) in [("without", &measured.without), ("beside", &measured.beside)] {
        let [p50, p95, longest] = [0.5, 0.95, 1.0].map(|part| percentile(times, part));
        println!("{name}: p50 {p50:.0?}, p95 {p95:.0?}, longest {longest:.0?}");
    }
    println!(
        "requests meanwhile: {} hanging, {} failing",
        measured.hanging, measured.failing
    );
    assert!(
        measured.failing >= BAD_EVENTS,
        "the failing endpoint has its turn"
    );
    let [without, beside] =
        [&measured.without, &measured.beside].map(|times| percentile(times, 0.95).as_secs_f64());
    let factor = beside / without;
    assert!(
        factor <= FACTOR,
        "the 95th percentile is {factor:.2} times as long"
    );
}

async fn measure(other: &Workspace, hanging: &Receiver, failing: &Receiver) -> Measured {
    let workspace = Workspace::new().await;
    let healthy = Receiver::start_ok().await.expect("a receiver");
    workspace
        .create_endpoint(&healthy.url("/"), &["poster.scanned"])
        .await;
    // As many events at once start as many processes of the functions as are needed later.
    queue_many(&workspace, "poster.scanned").await;
    let warm = healthy.wait_for(BAD_EVENTS, LONGEST).await;
    warm.expect("the healthy endpoint receives everything");
    let without = times(&workspace, &healthy, EVENTS_WITHOUT).await;
    queue_many(other, BAD).await;
    let beside = times(&workspace, &healthy, EVENTS_BESIDE).await;
    let so_far = [hanging, failing].map(|receiver| receiver.received().len());
    let more = hanging.wait_for(so_far[0] + 1, LONGEST).await;
    more.expect("the hanging endpoint's events outlast those of the healthy one");
    Measured {
        without,
        beside,
        hanging: so_far[0],
        failing: so_far[1],
    }
}

async fn queue_many(workspace: &Workspace, name: &str) {
    let bodies: Vec<_> = (0..BAD_EVENTS).map(|_| workspace.event(name).body).collect();
    queues::send_all("EventsQueue", Some(&workspace.id), &bodies).await;
}

/// The times from queue to receipt of events sent at an even pace, in order of length.
async fn times(workspace: &Workspace, receiver: &Receiver, events: usize) -> Vec<Duration> {
    let already = receiver.received().len();
    let mut sent = Vec::with_capacity(events);
    let mut due = tokio::time::interval(PACE);
    for _ in 0..events {
        due.tick().await;
        let event = workspace.event("poster.scanned");
        let at = Instant::now();
        workspace.send(&event.body).await;
        sent.push((event.id, at));
    }
    let received = receiver.wait_for(already + events, LONGEST).await;
    let received = received.expect("the healthy endpoint receives everything");
    let mut times: Vec<_> = sent
        .iter()
        .map(|(id, at)| {
            let arrival = received.iter().find(|request| request.header("webhook-id") == id);
            arrival.expect("the event arrives").at.duration_since(*at)
        })
        .collect();
    times.sort();
    times
}

fn percentile(sorted: &[Duration], part: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a short list"
    )]
    let index = ((sorted.len() - 1) as f64 * part).round() as usize;
    sorted[index]
}
