//! One endpoint gets more events than its partition key takes writes.
//!
//! `FAULTS_HOT_EVENTS=3000 FAULTS_HOT_WRITES=100` sets how many, and what the key takes.

use std::time::{Duration, Instant};

use tests::settings::setting;
use tests::{Workspace, eventually, eventually_within, receivers};

use crate::faults::STACK;
use crate::faults::proxy;

#[tokio::test]
async fn events_for_one_endpoint_beyond_its_write_limit_arrive_once() {
    let _turn = STACK.alone().await;
    let count = setting("FAULTS_HOT_EVENTS", 200);
    let writes_per_second = setting("FAULTS_HOT_WRITES", 20);
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let bodies: Vec<_> = (0..count)
        .map(|_| workspace.event("poster.scanned").body)
        .collect();
    // All deliveries wait before they begin, but for what was received before the pause, so that the key is asked for more
    // than it takes on any machine.
    let (events, deliveries) = (STACK.queue("EventsQueue"), STACK.queue("DeliveriesQueue"));
    let fan_out = async || {
        events.send_all(&bodies).await;
        eventually("all events are fanned out", async || {
            (events.depth().await == 0).then_some(())
        })
        .await;
        (proxy::limit_writes(&endpoint, writes_per_second), Instant::now())
    };
    let (limited, start) = deliveries.while_paused(fan_out).await;

    let path = format!("/{endpoint}/deliveries?status=delivered&per_page=1");
    let longest = Duration::from_mins(2)
        + Duration::from_secs(1) * u32::try_from(count).expect("a few") / writes_per_second;
    eventually_within(longest, "every delivery is recorded", async || {
        let total = workspace.get(&path).await.body["meta"]["total"].clone();
        (total == count).then_some(())
    })
    .await;

    println!(
        "{count} events after {:.1?}, {} writes refused",
        start.elapsed(),
        limited.refused()
    );
    assert!(limited.refused() > count / 10, "the limit is met");
    assert_eq!(receiver.received().len(), count, "no second POST");
    for status in ["pending", "failed"] {
        let path = format!("/{endpoint}/deliveries?status={status}&per_page=1");
        assert_eq!(
            workspace.get(&path).await.body["meta"]["total"],
            0,
            "none is {status}"
        );
    }
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}
