//! Every AWS call on the path of an event goes wrong, one at a time and in every way; the event ends as it would have.
//!
//! The calls are not written down here: each story is told once without a fault while the proxy records, and then
//! again for each recorded call and each way of failing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};

use crate::proxy::{self, Effect, Fault};
use crate::queues;
use crate::stories::{Outcome, Story};
use crate::turns::alone;

/// Stories told at the same time.
const TELLERS: usize = 24;

/// More than the tries of the SDK, so that the function has to hand its message back.
const ALL_TRIES: usize = 8;

/// For how long a service throttles: the first the SDK's tries outlast, the second they do not.
const THROTTLING: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(9)];

/// For how long a function that died keeps its messages, instead of three minutes.
const HIDDEN_SECONDS: u32 = 10;

/// Calls of a story's opening, which is no part of the event's path.
const OPENING: [&str; 2] = ["TokensTable", "PurgesQueue"];

/// The n-th call of this name, counted from 0.
type Step = (String, usize);

#[tokio::test]
async fn an_event_ends_the_same_whichever_call_on_its_path_fails() {
    let _turn = alone().await;
    crate::support::stack();
    for queue in ["EventsQueue", "FailedAttemptsQueue"] {
        queues::hide_received_for(queue, HIDDEN_SECONDS).await;
    }

    let told = Story::ALL.map(async |story| (story, rehearse(story).await));
    let told = futures::future::join_all(told).await;
    let mut scenarios = Vec::new();
    for (story, (steps, outcome)) in &told {
        println!("{story:?}: {outcome:?}");
        for step in steps {
            println!("  {} #{}", step.0, step.1);
            scenarios.extend(
                faults(step)
                    .into_iter()
                    .map(|(name, fault)| (*story, outcome, name, fault)),
            );
        }
    }
    println!("{} scenarios", scenarios.len());
    let failures: Vec<String> = stream::iter(scenarios)
        .map(async |(story, expected, name, fault)| tell(story, expected, &name, fault).await)
        .buffer_unordered(TELLERS)
        .filter_map(async |failure| failure)
        .collect()
        .await;

    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(queues::depth("ParkedQueue").await, 0, "nothing is parked");
}

/// Tells a story without faults, and returns the calls on its path and how it ends.
async fn rehearse(story: Story) -> (Vec<Step>, Outcome) {
    let scene = story.open().await;
    let recording = proxy::record(&scene.workspace.id);
    let outcome = scene.play().await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = Vec::new();
    for call in recording.calls() {
        let count = counts.entry(call.name.clone()).or_default();
        if !OPENING.iter().any(|resource| call.name.contains(resource)) && story.is_about(&call, *count) {
            steps.push((call.name, *count));
        }
        *count += 1;
    }
    // It holds no text by which it could be recognised.
    if story == Story::Retried {
        steps.push(("ChangeMessageVisibilityBatch DeliveriesQueue".to_owned(), 0));
        steps.push(("ChangeMessageVisibilityBatch RetriesQueue".to_owned(), 0));
    }
    (steps, outcome)
}

/// Every way in which a call can fail.
fn faults(step: &Step) -> Vec<(String, Box<dyn Fn(&str) -> Fault>)> {
    let (call, count) = step.clone();
    let fault = move |effect| {
        let call = call.clone();
        move |key: &str| Fault::once(&call, key, effect).after(count)
    };
    let mut faults: Vec<(String, Box<dyn Fn(&str) -> Fault>)> = Vec::new();
    for effect in [
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::FailBefore,
        Effect::FailAfter,
    ] {
        let once = fault(effect);
        faults.push((format!("{step:?}: {effect:?}"), Box::new(once)));
        let often = fault(effect);
        if matches!(effect, Effect::FailBefore | Effect::FailAfter) {
            let often = move |key: &str| often(key).times(ALL_TRIES);
            faults.push((format!("{step:?}: {effect:?} {ALL_TRIES} times"), Box::new(often)));
        }
    }
    for effect in [Effect::Throttle, Effect::RefuseItems] {
        for time in THROTTLING {
            let once = fault(effect);
            let during = move |key: &str| once(key).during(time);
            faults.push((format!("{step:?}: {effect:?} during {time:?}"), Box::new(during)));
        }
    }
    let late = fault(Effect::Delay(Duration::from_secs(4)));
    faults.push((format!("{step:?}: late"), Box::new(late)));
    faults
}

/// Tells a story with a fault, and says what is wrong with how it ends.
async fn tell(
    story: Story,
    expected: &Outcome,
    name: &str,
    fault: Box<dyn Fn(&str) -> Fault>,
) -> Option<String> {
    let scene = story.open().await;
    let injected = proxy::inject(fault(&scene.workspace.id));
    let outcome = scene.play().await;
    if injected.hits() == 0 {
        return Some(format!("{story:?}, {name}: the fault met no call"));
    }
    (outcome != *expected).then(|| format!("{story:?}, {name}: {outcome:?} instead of {expected:?}"))
}
