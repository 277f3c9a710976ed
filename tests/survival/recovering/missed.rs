//! An endpoint was disabled for a while, and the first attempts of later events still wait when it asks for what it missed:
//! it gets exactly that, nothing twice, no test, and nothing from before it existed.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tests::settings::setting;
use tests::{PATIENCE, Workspace, event_types, eventually_within, receivers, records};

use super::{LONGEST, Stage, assert_all_delivered};
use crate::survival::STACK;

/// Before everything.
const LONG_AGO: &str = "2026-10-01T00:00:00Z";

/// Events that are accepted before the endpoint exists, those that arrive in time, and those of another event type.
const FEW: usize = 5;

/// How long it may take to accept all events.
const ACCEPTING: Duration = Duration::from_mins(5);

#[tokio::test]
async fn an_endpoint_gets_exactly_what_it_missed_while_first_attempts_wait() {
    let _turn = STACK.alone().await;
    let count: usize = setting("SURVIVAL_MISSED", 300);
    let (wanted, unwanted) = (event_types::one(), event_types::other());
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let mut accepted = Accepted::default();
    let early = accepted.events(&workspace, FEW, wanted).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &[wanted]).await.id;
    let in_time = accepted.events(&workspace, FEW, wanted).await;
    receiver.wait_for(FEW, PATIENCE).await.expect("they arrive");
    enable(&workspace, &endpoint, false).await;
    let missed = accepted.events(&workspace, count, wanted).await;
    let others = accepted.events(&workspace, FEW, unwanted).await;
    test(&workspace, &endpoint, wanted).await;
    receiver
        .wait_for(FEW + 1, PATIENCE)
        .await
        .expect("the test arrives");
    accepted.count += 1;
    enable(&workspace, &endpoint, true).await;
    let stage = Stage {
        workspace,
        endpoint,
        receiver,
    };
    let first_lane = STACK.queue("DeliveriesQueue");
    let recover = async || {
        let waiting = accepted.events(&stage.workspace, count / 10, wanted).await;
        eventually_within(ACCEPTING, "first attempts that wait", async || {
            (first_lane.messages(&stage.endpoint).await.len() == waiting.len()).then_some(())
        })
        .await;

        let missing = json!({ "since": LONG_AGO, "include": "missing", "per_second": 200 });
        stage.start_of(&missing).await;
        (waiting, stage.ended(LONGEST).await)
    };
    let (waiting, recovery) = first_lane.while_paused(recover).await;
    first_lane.wait_until_none(&stage.endpoint).await;

    let expected = missed.len() + waiting.len();
    assert_all_delivered(&recovery, u32::try_from(expected).expect("a small number"));
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for request in stage.receiver.received() {
        *times.entry(request.header("webhook-id").to_owned()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "nothing comes twice");
    let arrived = |ids: &[String]| ids.iter().filter(|id| times.contains_key(*id)).count();
    assert_eq!([arrived(&early), arrived(&others)], [0, 0]);
    assert_eq!(
        [arrived(&missed), arrived(&waiting), arrived(&in_time)],
        [missed.len(), waiting.len(), FEW]
    );
    assert_eq!(times.len(), expected + FEW + 1, "with the test, which came once");
    println!(
        "{} events were missed, {} first attempts waited",
        missed.len(),
        waiting.len()
    );
}

/// Events that were sent and are accepted.
#[derive(Default)]
struct Accepted {
    /// How many the workspace has.
    count: usize,
}

impl Accepted {
    /// So many more of a type; their ids, once they are accepted.
    async fn events(&mut self, workspace: &Workspace, count: usize, name: &str) -> Vec<String> {
        let events: Vec<_> = (0..count).map(|_| workspace.event(name)).collect();
        let (ids, bodies): (Vec<_>, Vec<_>) = events.into_iter().map(|event| (event.id, event.body)).unzip();
        STACK.queue("EventsQueue").send_all(&bodies).await;
        self.count += count;
        eventually_within(ACCEPTING, "events that are accepted", async || {
            (records::count_events(&STACK, &workspace.id).await == self.count).then_some(())
        })
        .await;
        ids
    }
}

async fn enable(workspace: &Workspace, endpoint: &str, enabled: bool) {
    let answer = workspace
        .patch(&format!("/{endpoint}"), &json!({ "enabled": enabled }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

async fn test(workspace: &Workspace, endpoint: &str, name: &str) {
    let answer = workspace
        .post(&format!("/{endpoint}/test"), &json!({ "event": name }))
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
}
