//! Isolation: how much longer the deliveries to a healthy endpoint take while another endpoint gets back what it missed,
//! and while one hangs and one fails.
//!
//! It has a stack of its own, so that what the bad endpoints leave on the queues delays no other section. How much is
//! measured does not depend on the sizes: with fewer events the bad endpoints would finish too early.

mod lanes;
mod recovery;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local::receiver::{Answer, Receiver};
use local::{Stack, StackState};

use crate::progress::Bar as Progress;
use crate::report::{Bar, Report, percentile};
use crate::stack::{self, Client, latencies};

use recovery::{Crowded, Recovery};

/// The section's name.
const SECTION: &str = "isolation";

/// How this stack differs from the template. With time-outs of seconds a hanging endpoint has many turns within the
/// measurement. Retries run in as few batches at once as AWS allows, for the reason given at `LANES`.
const PARAMETERS: [(&str, &str); 4] = [
    ("PostDeadlineSeconds", "2"),
    ("DeliverTimeoutSeconds", "7"),
    ("DeliverVisibilitySeconds", "8"),
    ("RetriesMaximumConcurrency", "2"),
];

/// Fan-out and retry also run in as few batches at once as AWS allows, which the template has no parameters for. With
/// the template's numbers they would share the emulator's one processor with the deliveries to the healthy endpoint,
/// where Lambda gives each its own.
const LANES: [(&str, &str); 2] = [
    ("FanOutFunction", "EventsQueue"),
    ("RetryFunction", "FailedAttemptsQueue"),
];
const BATCHES_AT_ONCE: i32 = 2;

/// Events for each of the bad endpoints, queued before those of the healthy one. Fanning them out keeps the emulator's
/// one processor busy for up to five seconds, whatever becomes of the deliveries.
const BAD_EVENTS: usize = 500;
/// The interval between the events whose times are measured.
const PACE: Duration = Duration::from_millis(100);
/// How many of them are sent while the healthy endpoint is alone, once before the recovery and once after it, and how many
/// while the bad ones are busy: two minutes, within which the bad endpoints' events do not run out.
const EVENTS_ALONE: usize = 200;
const EVENTS_CROWDED: usize = 1200;
const PAYLOAD_BYTES: usize = 512;

/// How many times as long the 95th percentile may be while the bad endpoints are busy.
const MOST_LONGER: f64 = 2.0;
/// And while deliveries are recovered.
const MOST_LONGER_WITH_RECOVERY: f64 = 1.3;
const PATIENCE: Duration = Duration::from_mins(2);

/// An endpoint or two in a workspace of their own, and who receives for them.
struct Side {
    client: Client,
    receivers: Vec<Receiver>,
}

/// What was measured; times in milliseconds.
struct Measured {
    alone: Vec<f64>,
    with_recovery: Crowded,
    crowded: Vec<f64>,
    /// Requests to the bad endpoints until the last of the healthy one had arrived.
    hanging: usize,
    failing: usize,
}

/// Starts the stack.
pub(crate) async fn start() -> Result<Stack> {
    stack::start(&PARAMETERS).await
}

/// Measures on a stack that `start` started.
pub(crate) async fn measure(state: &StackState, report: &mut Report, progress: &Progress) -> Result<()> {
    for (function, queue) in LANES {
        lanes::set(state, function, queue, BATCHES_AT_ONCE).await?;
    }
    progress.expect(5);
    progress.note("warming up");
    let (healthy, _) = Side::new(state, vec![Receiver::start_ok().await?]).await?;
    let hanging = Receiver::start(|_| Answer::hang()).await?;
    let failing = Receiver::start(|_| Answer::status(500)).await?;
    let (bad, _) = Side::new(state, vec![hanging, failing]).await?;
    // As many events at once start as many processes of the functions as are needed later.
    healthy.client.send(BAD_EVENTS, PAYLOAD_BYTES).await?;
    healthy.receivers[0].wait_for(BAD_EVENTS, PATIENCE).await?;
    let recovery = Recovery::prepare(state).await?;
    let measured = compare(&healthy, &recovery, &bad, progress).await?;
    tell(report, &measured);
    Ok(())
}

impl Side {
    /// With the ids of its endpoints.
    async fn new(state: &StackState, receivers: Vec<Receiver>) -> Result<(Self, Vec<String>)> {
        let client = Client::of_new_workspace(state).await?;
        let urls: Vec<_> = receivers.iter().map(|receiver| receiver.url("/")).collect();
        let ids = client.create_endpoints(&urls).await?;
        Ok((Self { client, receivers }, ids))
    }

    /// How long events took that were sent at an even pace, from the queue to the first receiver.
    async fn times(&self, events: usize) -> Result<Vec<f64>> {
        let receiver = &self.receivers[0];
        let before = receiver.received().len();
        let sent = self.client.send_steadily(events, PAYLOAD_BYTES, PACE).await?;
        let received = receiver.wait_for(before + events, PATIENCE).await?;
        Ok(latencies(&sent, &received))
    }
}

async fn compare(healthy: &Side, recovery: &Recovery, bad: &Side, progress: &Progress) -> Result<Measured> {
    progress.step();
    progress.note("alone");
    let mut alone = healthy.times(EVENTS_ALONE).await?;
    progress.step();
    progress.note("with a recovery at another endpoint");
    let with_recovery = recovery.measure(healthy).await?;
    progress.step();
    progress.note("alone");
    alone.extend(healthy.times(EVENTS_ALONE).await?);
    progress.step();
    progress.note("with one that hangs and one that fails");
    bad.client.send(BAD_EVENTS, PAYLOAD_BYTES).await?;
    let crowded = healthy.times(EVENTS_CROWDED).await?;
    let counts: Vec<_> = bad
        .receivers
        .iter()
        .map(|receiver| receiver.received().len())
        .collect();
    let (hanging, failing) = (counts[0], counts[1]);
    let more = bad.receivers[0].wait_for(hanging + 1, PATIENCE).await;
    more.context("the hanging endpoint's events ran out before the measurement ended")?;
    ensure!(
        failing >= BAD_EVENTS,
        "the failing endpoint got {failing} requests, fewer than its {BAD_EVENTS} events"
    );
    progress.step();
    Ok(Measured {
        alone,
        with_recovery,
        crowded,
        hanging,
        failing,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn tell(report: &mut Report, measured: &Measured) {
    for (name, times) in [
        ("alone", &measured.alone),
        ("with a recovery", &measured.with_recovery.times),
        ("with bad endpoints", &measured.crowded),
    ] {
        for (what, percent) in [("p50", 50.0), ("p95", 95.0), ("longest", 100.0)] {
            let time = percentile(times.iter().copied(), percent);
            report.add(SECTION, format!("{name}: {what}"), time, "ms");
        }
    }
    let p95 = |times: &[f64]| percentile(times.iter().copied(), 95.0);
    let alone = p95(&measured.alone);
    let mut judge = |name: &str, times: &[f64], most: f64| {
        let name = format!("p95 with {name} against alone");
        report.judge(SECTION, name, p95(times) / alone, "×", Bar::AtMost(most));
    };
    judge(
        "a recovery",
        &measured.with_recovery.times,
        MOST_LONGER_WITH_RECOVERY,
    );
    judge("bad endpoints", &measured.crowded, MOST_LONGER);
    let name = format!("meanwhile, recovered of {} wanted", recovery::PER_SECOND);
    report.add(SECTION, name, measured.with_recovery.rate, "deliveries/s");
    let mut count = |name: &str, requests: usize| report.add(SECTION, name, requests as f64, "requests");
    count("meanwhile, to the hanging endpoint", measured.hanging);
    count("meanwhile, to the failing endpoint", measured.failing);
}
