//! A flood of events drains, within the memory that the template gives each function.
//!
//! `SURVIVAL_DRAIN_EVENTS=100000` sets how many.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use local::receiver::Received;
use tests::settings::setting;
use tests::template::Template;
use tests::{Workspace, receivers};

use crate::survival::STACK;

const MEGABYTE: u64 = 1024 * 1024;

#[tokio::test]
async fn a_flood_of_events_drains_within_the_configured_memory() {
    let _turn = STACK.alone().await;
    let count = setting("SURVIVAL_DRAIN_EVENTS", 2000);
    let longest = Duration::from_secs(setting("SURVIVAL_DRAIN_SECONDS", 300));
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    workspace.create_endpoint(&receiver.url("/"), &["*"]).await;
    let events: Vec<_> = (0..count).map(|_| workspace.event("poster.scanned")).collect();
    let bodies: Vec<_> = events.iter().map(|event| event.body.clone()).collect();

    let start = Instant::now();
    STACK.queue("EventsQueue").send_all(&bodies).await;
    println!("{count} events queued after {:.1?}", start.elapsed());
    let mut peaks = BTreeMap::new();
    // What is slow is sent twice at times, so more requests than events may come before the last of them.
    let drained = receiver.wait_until(longest, |received| {
        received.len() >= count && ids(received).len() == count
    });
    tokio::pin!(drained);
    let received = loop {
        tokio::select! {
            received = &mut drained => break received.expect("all events arrive"),
            () = tokio::time::sleep(Duration::from_secs(1)) => measure(&mut peaks),
        }
    };
    measure(&mut peaks);
    let seconds = start.elapsed().as_secs_f64();

    let arrived = ids(&received);
    assert!(events.iter().all(|event| arrived.contains(event.id.as_str())));
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = count as f64 / seconds;
    println!("all received after {seconds:.1} s: {rate:.0} a second");
    let configured = configured_megabytes() * MEGABYTE;
    for (function, peak) in peaks {
        println!(
            "{function}: {} MB at most, of {} MB",
            peak / MEGABYTE,
            configured / MEGABYTE
        );
        assert!(peak < configured, "{function}");
    }
}

/// The events that have arrived.
fn ids(received: &[Received]) -> HashSet<&str> {
    received
        .iter()
        .map(|request| request.header("webhook-id"))
        .collect()
}

/// The most memory that any process of each function has had so far.
fn measure(peaks: &mut BTreeMap<String, u64>) {
    for process in STACK.processes() {
        let Some(bytes) = process.peak_bytes() else {
            continue;
        };
        let peak = peaks.entry(process.function).or_default();
        *peak = bytes.max(*peak);
    }
}

/// The template has one size for all functions.
fn configured_megabytes() -> u64 {
    let template = Template::read();
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        assert!(
            function.get("MemorySize").is_none(),
            "{name} has a size of its own"
        );
    }
    template.number(&template.globals()["MemorySize"])
}
