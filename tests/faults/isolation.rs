//! One endpoint that hangs and one that always fails do not slow a healthy one down.

use std::time::{Duration, Instant};

use local::receiver::{Answer, Receiver};

use crate::queues;
use crate::support::Workspace;
use crate::turns::alone;
use crate::variables;

/// The template's own schedule. That of this stack makes a hundred times as many retries, which would measure this
/// machine.
const SCHEDULE: &str = "5,300,1800,7200,18000,36000,36000";

/// Events for each of the bad endpoints, queued before the healthy one's.
const BAD_EVENTS: usize = 500;

/// Events of which the times are measured, and the pace at which they are sent.
const EVENTS: usize = 200;
const PACE: Duration = Duration::from_millis(50);

/// How much slower the 95th percentile may be beside the bad endpoints.
const FACTOR: f64 = 2.0;

const LONGEST: Duration = Duration::from_mins(2);

#[tokio::test]
#[ignore = "the emulator's one core is busy for seconds with a thousand deliveries that fail, whoever waits behind them"]
async fn a_healthy_endpoint_is_as_fast_beside_one_that_hangs_and_one_that_fails() {
    let _turn = alone().await;
    let workspace = Workspace::new().await;
    let healthy = Receiver::start_ok().await.expect("a receiver");
    let hanging = Receiver::start(|_| Answer::hang()).await.expect("a receiver");
    let failing = Receiver::start(|_| Answer::status(500))
        .await
        .expect("a receiver");
    workspace
        .create_endpoint(&healthy.url("/"), &["poster.scanned"])
        .await;
    let usual = variables::set("RetryFunction", "RETRY_SCHEDULE", SCHEDULE).await;
    let bad = "survey.response.created";
    // The first run warms the functions up.
    times(&workspace, &healthy).await;
    let without = times(&workspace, &healthy).await;

    let bad_endpoints = [&hanging, &failing].map(async |receiver| {
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &[bad]).await;
        format!("/{}", endpoint.id)
    });
    let bad_endpoints = futures::future::join_all(bad_endpoints).await;
    let bodies: Vec<_> = (0..BAD_EVENTS).map(|_| workspace.event(bad).body).collect();
    queues::send_all("EventsQueue", &bodies).await;
    let beside = times(&workspace, &healthy).await;

    for endpoint in bad_endpoints {
        // What still waits for them shall not keep later tests waiting.
        workspace.delete(&endpoint).await;
    }
    variables::set("RetryFunction", "RETRY_SCHEDULE", &usual).await;
    let (hung, failed) = (hanging.received().len(), failing.received().len());
    for (name, times) in [("without", &without), ("beside", &beside)] {
        let [p50, p95, longest] = [0.5, 0.95, 1.0].map(|part| percentile(times, part));
        println!("{name}: p50 {p50:.0?}, p95 {p95:.0?}, longest {longest:.0?}");
    }
    println!("requests meanwhile: {hung} hanging, {failed} failing");
    let factor = percentile(&beside, 0.95).as_secs_f64() / percentile(&without, 0.95).as_secs_f64();
    assert!(
        factor <= FACTOR,
        "the 95th percentile is {factor:.2} times as long"
    );
}

/// The times from queue to receipt of events sent at an even pace, in order of length.
async fn times(workspace: &Workspace, receiver: &Receiver) -> Vec<Duration> {
    let already = receiver.received().len();
    let mut sent = Vec::with_capacity(EVENTS);
    let mut due = tokio::time::interval(PACE);
    for _ in 0..EVENTS {
        due.tick().await;
        let event = workspace.event("poster.scanned");
        let at = Instant::now();
        workspace.send(&event.body).await;
        sent.push((event.id, at));
    }
    let received = receiver.wait_for(already + EVENTS, LONGEST).await;
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
