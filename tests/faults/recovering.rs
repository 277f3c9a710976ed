//! Recoveries while functions are killed, and while each call of a turn goes wrong: everything comes back, and is counted
//! once.
//!
//! `FAULTS_RECOVERED=25000` sets how many deliveries come back; `FAULTS_TURNS_PART=1` plays all scenarios of a turn.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, stream};
use http::StatusCode;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::records::{self, Record};
use tests::settings::setting;
use tests::{Workspace, receivers};

use crate::faults::STACK;
use crate::faults::chance::Chance;
use crate::faults::proxy;
use crate::faults::steps::{self, HIDDEN_SECONDS, Step};
use crate::faults::turns::alone;

/// When the first of the deliveries was accepted.
const FIRST: &str = "2026-11-01T10:00:00Z";

/// Who is killed.
const VICTIMS: [&str; 3] = ["RecoverFunction", "DeliverFunction", "RetryFunction"];

/// Kills at most, so many milliseconds apart at most, and those without which it would show little.
const KILLS: usize = 60;
const FEWEST_KILLS: usize = 8;
const LONGEST_PAUSE_MS: u64 = 800;

const LONGEST: Duration = Duration::from_mins(15);

/// Deliveries of a recovery whose calls go wrong.
const FEW: u32 = 3;

/// Recoveries whose calls go wrong at the same time.
const TELLERS: usize = 24;

/// How often a recovery is made for its fault to meet a call: how often a turn looks is a matter of time.
const TELLINGS: usize = 3;

/// An endpoint with so many deliveries that are to come back.
struct Stage {
    workspace: Workspace,
    endpoint: String,
    receiver: Receiver,
}

impl Stage {
    async fn of(count: u32) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let receiver = receivers::healthy().await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let failed: Vec<_> = (0..count)
            .map(|number| Record::new(&endpoint, number, FIRST, "failed"))
            .collect();
        records::write(&STACK, &failed).await;
        records::write_events(&STACK, &workspace.id, 0..count, FIRST).await;
        Self {
            workspace,
            endpoint,
            receiver,
        }
    }

    /// Starts the recovery. An answer may be lost, and then it runs all the same.
    async fn start(&self) {
        let path = format!("/{}/recoveries", self.endpoint);
        let wanted = json!({ "since": FIRST, "per_second": 200 });
        for _ in 0..5 {
            let answer = self.workspace.post(&path, &wanted).await;
            if [StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(&answer.status) {
                return;
            }
        }
        panic!("no recovery starts");
    }

    /// The recovery when it has ended, read past the proxy; the latest if there are several.
    async fn ended(&self, longest: Duration) -> HashMap<String, AttributeValue> {
        let start = Instant::now();
        loop {
            let query = STACK
                .dynamodb()
                .query()
                .table_name(&STACK.tables["DeliveriesTable"])
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("endpoint = :recoveries")
                .expression_attribute_values(
                    ":recoveries",
                    AttributeValue::S(format!("{}#recoveries", self.endpoint)),
                );
            let items = query.send().await.expect("the table answers").items;
            let latest = items.unwrap_or_default().into_iter().next();
            let ended = latest.filter(|item| item.contains_key("finished_at"));
            if let Some(ended) = ended {
                return ended;
            }
            assert!(start.elapsed() < longest, "a recovery has not ended");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Panics unless each delivery has come back with one attempt, and was counted once.
    async fn assert_recovered(&self, ended: &HashMap<String, AttributeValue>, count: u32) {
        let number = |name: &str| ended[name].as_n().expect("a number").parse::<u32>();
        assert_eq!(ended["status"], AttributeValue::S("finished".to_owned()));
        for name in ["total", "retried", "delivered"] {
            assert_eq!(number(name), Ok(count), "{name}");
        }
        assert_eq!(number("failed"), Ok(0));
        let (mut shown, mut page) = (0, 1);
        loop {
            let path = format!(
                "/{}/deliveries?status=delivered&per_page=100&page={page}",
                self.endpoint
            );
            let answer = self.workspace.get(&path).await;
            let data = answer.body["data"].as_array().cloned();
            let data = data.unwrap_or_else(|| panic!("a page, not {}", answer.body));
            if data.is_empty() {
                break;
            }
            assert!(
                data.iter().all(|delivery: &Value| delivery["attempt_count"] == 1),
                "one more attempt is counted for each"
            );
            shown += data.len();
            page += 1;
        }
        assert_eq!(shown, count as usize, "all are delivered");
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.receiver.received() {
            *times.entry(request.header("webhook-id").to_owned()).or_default() += 1;
        }
        assert_eq!(times.len(), count as usize, "each arrived at least once");
    }
}

#[tokio::test]
async fn everything_comes_back_although_functions_are_killed_at_random() {
    let _turn = alone().await;
    let count = setting("FAULTS_RECOVERED", 2_500);
    STACK
        .queue("RecoveriesQueue")
        .hide_received_for(HIDDEN_SECONDS)
        .await;
    STACK
        .queue("FailedAttemptsQueue")
        .hide_received_for(HIDDEN_SECONDS)
        .await;
    let stage = Stage::of(count).await;
    let (start, ended) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    stage.start().await;
    let killer = tokio::spawn(kill_at_random(Arc::clone(&ended)));

    let recovery = stage.ended(LONGEST).await;

    ended.store(true, Ordering::SeqCst);
    let kills = killer.await.expect("the killer survives");
    println!("{count} came back in {:.0?}; kills: {kills:?}", start.elapsed());
    assert!(kills.iter().sum::<usize>() >= FEWEST_KILLS, "{kills:?}");
    stage.assert_recovered(&recovery, count).await;
    let duplicates = stage.receiver.received().len() - count as usize;
    println!("{duplicates} duplicates");
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

async fn kill_at_random(ended: Arc<AtomicBool>) -> [usize; 3] {
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

#[tokio::test]
async fn a_recovery_ends_the_same_whichever_call_of_a_turn_fails() {
    let _turn = alone().await;
    STACK
        .queue("RecoveriesQueue")
        .hide_received_for(HIDDEN_SECONDS)
        .await;
    let steps = rehearse().await;
    println!("{steps:?}");
    let part = setting("FAULTS_TURNS_PART", 11);
    let scenarios = steps.iter().flat_map(steps::faults).step_by(part);
    let scenarios: Vec<_> = scenarios.collect();
    println!("{} scenarios", scenarios.len());

    stream::iter(scenarios)
        .for_each_concurrent(TELLERS, async |(name, fault)| {
            for _ in 0..TELLINGS {
                let stage = Stage::of(FEW).await;
                let injected = proxy::inject(fault(std::slice::from_ref(&stage.endpoint)));
                stage.start().await;
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
    let stage = Stage::of(FEW).await;
    let recording = proxy::record(std::slice::from_ref(&stage.endpoint));
    stage.start().await;
    let recovery = stage.ended(LONGEST).await;
    let calls = recording.calls();
    drop(recording);
    stage.assert_recovered(&recovery, FEW).await;
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
