//! Everything comes back while functions are killed at random. Fresh events whose first attempt fails keep `retry` at work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join3;
use local::receiver::{Answer, Receiver};
use serde_json::json;
use tests::settings::setting;
use tests::{Workspace, eventually_within};

use super::{KEPT_FROM, LONGEST, Stage, is_written};
use crate::survival::STACK;
use crate::survival::chance::Chance;

/// Who is killed.
const VICTIMS: [&str; 3] = ["RecoverFunction", "DeliverFunction", "RetryFunction"];

/// Kills at most, so many milliseconds apart at most, and those without which it would show little.
const KILLS: usize = 60;
const FEWEST_KILLS: usize = 8;
const LONGEST_PAUSE_MS: u64 = 800;

/// The time between two fresh events.
const FRESH_PAUSE: Duration = Duration::from_millis(500);

/// How often each fresh event was received.
type Fresh = Arc<Mutex<BTreeMap<String, usize>>>;

#[tokio::test]
async fn everything_comes_back_although_functions_are_killed_at_random() {
    let turn = STACK.alone().await;
    let count = setting("SURVIVAL_RECOVERED", 2_500);
    turn.hide_briefly(KEPT_FROM).await;
    let fresh = Fresh::default();
    let stage = Stage::of(&STACK, receiver(&fresh).await, count).await;
    let (start, ended) = (Instant::now(), AtomicBool::new(false));
    stage.start(200).await;

    let recovering = async {
        let recovery = stage.ended(LONGEST).await;
        ended.store(true, Ordering::SeqCst);
        recovery
    };
    let sending = send_fresh(&stage.workspace, &ended);
    let (recovery, sent, kills) = join3(recovering, sending, kill_at_random(&ended)).await;

    println!("{count} came back in {:.0?}; kills: {kills:?}", start.elapsed());
    assert!(kills.iter().sum::<usize>() >= FEWEST_KILLS, "{kills:?}");
    assert!(kills.iter().all(|kills| *kills > 0), "{kills:?}");
    stage.assert_recovered(&recovery, count).await;
    let duplicates = stage.times().values().sum::<usize>() - count as usize;
    println!("{duplicates} duplicates");
    eventually_within(LONGEST, "each fresh event is accepted", async || {
        let times = fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let is_accepted = |id| times.get(id).is_some_and(|times| *times > 1);
        sent.iter().all(is_accepted).then_some(())
    })
    .await;
    println!("{} fresh events were retried", sent.len());
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

/// A receiver that refuses each fresh event once.
async fn receiver(fresh: &Fresh) -> Receiver {
    let seen = Arc::clone(fresh);
    let answer = move |request: &local::receiver::Received| {
        let id = request.header("webhook-id");
        if is_written(&json!(id)) {
            return Answer::status(200);
        }
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let times = seen.entry(id.to_owned()).or_default();
        *times += 1;
        Answer::status(if *times == 1 { 500 } else { 200 })
    };
    Receiver::start(answer).await.expect("a receiver")
}

async fn send_fresh(workspace: &Workspace, ended: &AtomicBool) -> Vec<String> {
    let mut clock = tokio::time::interval(FRESH_PAUSE);
    let mut sent = Vec::new();
    while !ended.load(Ordering::SeqCst) {
        clock.tick().await;
        sent.push(workspace.send_event("poster.scanned").await.id);
    }
    sent
}

async fn kill_at_random(ended: &AtomicBool) -> [usize; 3] {
    let mut chance = Chance::seeded(1);
    let mut kills = [0; 3];
    while kills.iter().sum::<usize>() < KILLS && !ended.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(chance.below(LONGEST_PAUSE_MS))).await;
        let victim = usize::try_from(chance.below(3)).expect("0 to 2");
        let alive = STACK.processes_of(VICTIMS[victim]);
        if let Some(process) = alive.first() {
            process.kill();
            kills[victim] += 1;
        }
    }
    kills
}
