//! Functions are killed at random while events flow; every event arrives everywhere all the same.
//!
//! `SURVIVAL_SEEDS=1,2,3` and `SURVIVAL_KILL_EVENTS=2000` set the runs.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use local::receiver::{Answer, Receiver};
use tests::Workspace;
use tests::settings::setting;

use crate::survival::STACK;
use crate::survival::chance::Chance;

const ENDPOINTS: usize = 5;

/// Who is killed.
const VICTIMS: [&str; 3] = ["FanOutFunction", "DeliverFunction", "RetryFunction"];

/// Kills in each run at most, so many milliseconds apart at most, and those without which it would show little.
const KILLS: usize = 60;
const FEWEST_KILLS: usize = 8;
const LONGEST_PAUSE_MS: u64 = 800;

const LONGEST: Duration = Duration::from_mins(8);

#[tokio::test]
async fn every_event_arrives_everywhere_although_functions_are_killed_at_random() {
    let turn = STACK.alone().await;
    turn.hide_briefly(["EventsQueue", "FailedAttemptsQueue"]).await;
    let seeds = setting("SURVIVAL_SEEDS", "1".to_owned());
    for seed in seeds.split(',') {
        run(seed.parse().expect("a seed is a number")).await;
    }
}

async fn run(seed: u64) {
    println!("seed {seed}");
    let count = setting("SURVIVAL_KILL_EVENTS", 300);
    let workspace = Workspace::new(&STACK).await;
    let mut endpoints = Vec::new();
    for number in 0..ENDPOINTS {
        endpoints.push(Target::create(&workspace, number).await);
    }
    let events: Vec<_> = (0..count).map(|_| workspace.event("poster.scanned")).collect();
    let bodies: Vec<_> = events.iter().map(|event| event.body.clone()).collect();

    let start = Instant::now();
    let delivered = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn(kill_at_random(seed, Arc::clone(&delivered)));
    STACK.queue("EventsQueue").send_all(&bodies).await;
    println!("  sent after {:.1?}", start.elapsed());
    for endpoint in &endpoints {
        endpoint.wait_until_delivered(&workspace, count, start).await;
    }
    println!("  delivered after {:.1?}", start.elapsed());
    delivered.store(true, Ordering::SeqCst);
    let kills = killer.await.expect("the killer survives");

    println!("  {} kills: {kills:?}", kills.iter().sum::<usize>());
    assert!(kills.iter().sum::<usize>() >= FEWEST_KILLS, "{kills:?}");
    for (number, endpoint) in endpoints.iter().enumerate() {
        let received = endpoint.receiver.received();
        let arrived: HashSet<&str> = received
            .iter()
            .map(|request| request.header("webhook-id"))
            .collect();
        let missing = events
            .iter()
            .filter(|event| !arrived.contains(event.id.as_str()))
            .count();
        assert_eq!(missing, 0, "endpoint {number}");
        let refused = endpoint.refused.load(Ordering::SeqCst);
        let duplicates = received.len() - refused - count;
        println!(
            "  endpoint {number}: {} requests, {refused} refused, {duplicates} duplicates",
            received.len()
        );
    }
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

/// An endpoint and its receiver: the first answers 500 to every third request, the second hangs up on every fourth.
struct Target {
    id: String,
    receiver: Receiver,
    refused: Arc<AtomicUsize>,
}

impl Target {
    async fn create(workspace: &Workspace, number: usize) -> Self {
        let refused = Arc::new(AtomicUsize::new(0));
        let (counter, requests) = (Arc::clone(&refused), AtomicUsize::new(1));
        let receiver = Receiver::start(move |_| {
            let request = requests.fetch_add(1, Ordering::SeqCst);
            let (bad, answer) = match number {
                0 => (request.is_multiple_of(3), Answer::status(500)),
                1 => (request.is_multiple_of(4), Answer::hang_up_after("{")),
                _ => (false, Answer::status(200)),
            };
            if !bad {
                return Answer::status(200);
            }
            counter.fetch_add(1, Ordering::SeqCst);
            answer
        });
        let receiver = receiver.await.expect("a receiver");
        let id = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        Self {
            id,
            receiver,
            refused,
        }
    }

    async fn wait_until_delivered(&self, workspace: &Workspace, count: usize, start: Instant) {
        loop {
            let counts = self.counts(workspace).await;
            if counts == [count, 0, 0] {
                return;
            }
            assert!(
                start.elapsed() < LONGEST,
                "of {count} deliveries: delivered, pending, failed = {counts:?}"
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn counts(&self, workspace: &Workspace) -> [usize; 3] {
        let mut counts = [0; 3];
        for (status, count) in ["delivered", "pending", "failed"].iter().zip(&mut counts) {
            let path = format!("/{}/deliveries?status={status}&per_page=1", self.id);
            let total = workspace.get(&path).await.body["meta"]["total"].as_u64();
            *count = usize::try_from(total.unwrap_or_default()).expect("a count");
        }
        counts
    }
}

/// Kills processes until everything is delivered, and says how many of each function.
async fn kill_at_random(seed: u64, delivered: Arc<AtomicBool>) -> [usize; 3] {
    let mut chance = Chance::seeded(seed);
    let mut kills = [0; 3];
    while kills.iter().sum::<usize>() < KILLS && !delivered.load(Ordering::SeqCst) {
        let pause = Duration::from_millis(chance.below(LONGEST_PAUSE_MS));
        tokio::time::sleep(pause).await;
        let victim = usize::try_from(chance.below(3)).expect("0 to 2");
        let alive = STACK.processes_of(VICTIMS[victim]);
        let number = chance.below(1000);
        if alive.is_empty() {
            continue;
        }
        let index = usize::try_from(number).expect("a small number") % alive.len();
        alive[index].kill();
        kills[victim] += 1;
    }
    kills
}
