//! Each call of a recovery's turn goes wrong, in every way.
//!
//! `FAULTS_TURNS_PART=1` plays all scenarios of a turn.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use tests::receivers;
use tests::settings::setting;

use crate::faults::STACK;
use crate::faults::proxy;
use crate::faults::steps::{self, Step};
use crate::survival::recovering::{KEPT_FROM, LONGEST, Stage};

/// Deliveries of a recovery whose calls go wrong, and their pace.
const FEW: u32 = 3;
const PER_SECOND: u32 = 200;

/// Recoveries whose calls go wrong at the same time.
const TELLERS: usize = 12;

/// How often a recovery is made for its fault to meet a call: how often a turn looks is a matter of time.
const TELLINGS: usize = 3;

#[tokio::test]
async fn a_recovery_ends_the_same_whichever_call_of_a_turn_fails() {
    let turn = STACK.alone().await;
    turn.hide_briefly(KEPT_FROM).await;
    let steps = rehearse().await;
    println!("{steps:?}");
    let part = setting("FAULTS_TURNS_PART", 11);
    let scenarios = steps.iter().flat_map(steps::faults).step_by(part);
    let scenarios: Vec<_> = scenarios.collect();
    println!("{} scenarios", scenarios.len());

    stream::iter(scenarios)
        .for_each_concurrent(TELLERS, async |(name, fault)| {
            for _ in 0..TELLINGS {
                let stage = Stage::of(&STACK, receivers::healthy().await, FEW).await;
                let injected = proxy::inject(fault(std::slice::from_ref(&stage.endpoint)));
                stage.start(PER_SECOND).await;
                let recovery = stage.ended(Duration::from_mins(4)).await;
                let hits = injected.hits();
                // A recovery that looked less often than the rehearsed one leaves the fault to the requests that look now.
                drop(injected);
                stage.assert_recovered(&recovery, FEW).await;
                if hits > 0 {
                    println!("{name}");
                    return;
                }
            }
            println!("{name}: met no call");
        })
        .await;

    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

/// The calls of `recover` in a recovery without a fault, counted with those of the request that starts it.
async fn rehearse() -> Vec<Step> {
    let stage = Stage::of(&STACK, receivers::healthy().await, FEW).await;
    let recording = proxy::record(std::slice::from_ref(&stage.endpoint));
    stage.start(PER_SECOND).await;
    let recovery = stage.ended(LONGEST).await;
    let calls = recording.calls();
    drop(recording);
    stage.assert_recovered(&recovery, FEW).await;
    let are_sent_to = |queue: &str| {
        calls
            .iter()
            .any(|call| call.name == format!("SendMessageBatch {queue}"))
    };
    assert!(
        are_sent_to("RetriesQueue") && !are_sent_to("DeliveriesQueue"),
        "fresh events keep their lane"
    );
    let processes = STACK.processes_of("RecoverFunction");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = Vec::new();
    for call in calls {
        let count = counts.entry(call.name.clone()).or_default();
        if processes
            .iter()
            .any(|process| process.access_key == call.access_key)
        {
            steps.push((call.name, *count));
        }
        *count += 1;
    }
    steps
}
