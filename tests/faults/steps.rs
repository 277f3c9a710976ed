//! Every AWS call on the path of an event goes wrong, one at a time and in every way; the event ends as it would have.
//!
//! `FAULTS_STEPS_PART=1` plays all scenarios, 7 every seventh.
//!
//! The calls are not written down here: each story is told once without a fault while the proxy records, and then
//! again for each recorded call and each way of failing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use tests::settings::setting;

use crate::faults::STACK;
use crate::faults::proxy::{self, Call, Effect, Fault};
use crate::faults::stories::{Outcome, Story};

/// Makes the fault of a call that concerns these ids.
pub(crate) type MakeFault = Box<dyn Fn(&[String]) -> Fault>;

/// Stories told at the same time.
const TELLERS: usize = 24;

/// How often a story is told for its fault to meet a call.
const TELLINGS: usize = 5;

/// More than the tries of the SDK, so that the function has to hand its message back.
const ALL_TRIES: usize = 8;

/// For how long a service throttles, which is longer than the SDK tries.
const THROTTLING: Duration = Duration::from_secs(9);

/// For how long a call hangs, which is longer than it is waited for.
const HANGING: Duration = Duration::from_secs(8);

/// Who is on the path of an event. The others are asked by this test, for how the event stands.
const ON_THE_PATH: [&str; 3] = ["FanOutFunction", "DeliverFunction", "RetryFunction"];

/// The n-th call of this name, counted from 0.
pub(crate) type Step = (String, usize);

#[tokio::test]
async fn an_event_ends_the_same_whichever_call_on_its_path_fails() {
    let turn = STACK.alone().await;
    turn.hide_briefly(["EventsQueue", "FailedAttemptsQueue"]).await;

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
    // Nine faults follow one another for each step, so a part that is no multiple of three holds all faults.
    let part = setting("FAULTS_STEPS_PART", 7);
    let scenarios: Vec<_> = scenarios.into_iter().step_by(part).collect();
    println!("{} scenarios", scenarios.len());
    let failures: Vec<String> = stream::iter(scenarios)
        .map(async |(story, expected, name, fault)| tell(story, expected, &name, fault).await)
        .buffer_unordered(TELLERS)
        .filter_map(async |failure| failure)
        .collect()
        .await;

    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

/// Tells a story without faults, and returns the calls on its path and how it ends.
async fn rehearse(story: Story) -> (Vec<Step>, Outcome) {
    let scene = story.open().await;
    let recording = proxy::record(&scene.keys());
    let outcome = scene.play().await;
    assert!(story.ends_in(&outcome), "{story:?} without a fault: {outcome:?}");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = Vec::new();
    let processes = STACK.processes();
    let on_the_path = |call: &Call| {
        let mut callers = processes
            .iter()
            .filter(|process| process.access_key == call.access_key);
        callers.any(|process| ON_THE_PATH.contains(&process.function.as_str()))
    };
    for call in recording.calls().into_iter().filter(on_the_path) {
        let count = counts.entry(call.name.clone()).or_default();
        if story.is_about(&call, *count) {
            steps.push((call.name, *count));
        }
        *count += 1;
    }
    (steps, outcome)
}

/// Every way in which a call can fail.
pub(crate) fn faults(step: &Step) -> Vec<(String, MakeFault)> {
    let (call, count) = step.clone();
    let fault = move |effect| {
        let call = call.clone();
        move |keys: &[String]| Fault::once(&call, keys, effect).after(count)
    };
    let mut faults: Vec<(String, MakeFault)> = Vec::new();
    for effect in [Effect::DropBefore, Effect::DropAfter] {
        faults.push((format!("{step:?}: {effect:?}"), Box::new(fault(effect))));
    }
    for effect in [Effect::FailBefore, Effect::FailAfter] {
        let often = fault(effect);
        let often = move |keys: &[String]| often(keys).times(ALL_TRIES);
        faults.push((format!("{step:?}: {effect:?} {ALL_TRIES} times"), Box::new(often)));
    }
    for effect in [Effect::Throttle, Effect::RefuseItems] {
        let once = fault(effect);
        let during = move |keys: &[String]| once(keys).during(THROTTLING);
        faults.push((
            format!("{step:?}: {effect:?} during {THROTTLING:?}"),
            Box::new(during),
        ));
    }
    for effect in [Effect::HangBefore, Effect::HangAfter] {
        let hanging = fault(effect);
        let hanging = move |keys: &[String]| hanging(keys).during(HANGING);
        faults.push((
            format!("{step:?}: {effect:?} during {HANGING:?}"),
            Box::new(hanging),
        ));
    }
    let late = fault(Effect::Delay(Duration::from_secs(4)));
    faults.push((format!("{step:?}: late"), Box::new(late)));
    faults
}

/// Tells a story with a fault, and says what is wrong with how it ends. The fault may meet no call: a secret is at
/// hand in one process and not in another, and a call for several stories may meet the fault of another. Then the
/// story is told again.
async fn tell(story: Story, expected: &Outcome, name: &str, fault: MakeFault) -> Option<String> {
    let start = Instant::now();
    for _ in 0..TELLINGS {
        let scene = story.open().await;
        let injected = proxy::inject(fault(&scene.keys()));
        let outcome = scene.play().await;
        if outcome != *expected {
            return Some(format!("{story:?}, {name}: {outcome:?} instead of {expected:?}"));
        }
        if injected.hits() > 0 {
            println!("{story:?}, {name}: {:.0?}", start.elapsed());
            return None;
        }
    }
    Some(format!("{story:?}, {name}: the fault met no call"))
}
