//! A call of `erase-workspace` that fails or is killed half-way, wherever it does, is followed by one that goes on.
//!
//! `FAULTS_ERASURES_PART=1` plays all scenarios, 23 every twenty-third.
//!
//! It takes no turn: it waits most of the time, and what goes wrong concerns its own workspaces.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join;
use futures::{StreamExt, stream};
use tests::Workspace;
use tests::erasure::ask_until_erased;
use tests::records::{self, Record};
use tests::settings::setting;

use crate::faults::STACK;
use crate::faults::proxy;
use crate::faults::steps::{self, Step};

/// When the first record was accepted.
const FIRST: &str = "2026-06-01T00:00:00Z";

/// Records of a history, more than one `BatchWriteItem` deletes.
const RECORDS: u32 = 30;

/// Erasures at the same time.
const TELLERS: usize = 24;

/// How many calls of a name go wrong; those of the first two times that it is asked, more or less.
const FIRST_CALLS: usize = 6;

/// How often a process of the function is killed, and how far apart.
const KILLS: usize = 10;
const BETWEEN_KILLS: Duration = Duration::from_secs(2);

#[tokio::test]
async fn an_erasure_that_dies_at_any_of_its_calls_goes_on_when_it_is_asked_for_again() {
    let steps = rehearse().await;
    println!("{steps:?}");
    let part = setting("FAULTS_ERASURES_PART", 23);
    let scenarios: Vec<_> = steps.iter().flat_map(steps::faults).step_by(part).collect();
    println!("{} scenarios", scenarios.len());

    let told = stream::iter(scenarios).map(async |(name, fault)| {
        let scene = Scene::set().await;
        let injected = proxy::inject(fault(&scene.keys()));
        let failures = ask_until_erased(&STACK, &scene.workspace.id).await;
        let left = scene.left().await;
        println!("{name}: {} hits, {failures} calls failed", injected.hits());
        (!left.is_empty()).then(|| format!("{name}: {left:?} are left"))
    });
    let told = told.buffer_unordered(TELLERS).collect::<Vec<_>>();
    let (told, kills) = join(told, kill()).await;

    println!("{kills} kills");
    let failures: Vec<_> = told.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(kills > 0, "nothing was killed");
}

/// Kills a process of the function every now and then.
async fn kill() -> usize {
    let mut kills = 0;
    for _ in 0..KILLS {
        tokio::time::sleep(BETWEEN_KILLS).await;
        if let Some(process) = STACK.processes_of("EraseWorkspaceFunction").first() {
            process.kill();
            kills += 1;
        }
    }
    kills
}

/// The calls of an erasure without a fault, each with how many of its name came before.
async fn rehearse() -> Vec<Step> {
    let scene = Scene::set().await;
    let recording = proxy::record(&scene.keys());
    ask_until_erased(&STACK, &scene.workspace.id).await;
    let processes = STACK.processes_of("EraseWorkspaceFunction");
    assert_eq!(scene.left().await, Vec::<&str>::new());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = Vec::new();
    for call in recording.calls() {
        let count = counts.entry(call.name.clone()).or_default();
        if processes
            .iter()
            .any(|process| process.access_key == call.access_key)
        {
            steps.push((call.name, *count));
        }
        *count += 1;
    }
    let is_write = |(name, _): &&Step| !name.starts_with("Query") && !name.starts_with("GetItem");
    let first = steps.iter().find(is_write).expect("it writes");
    assert_eq!(
        first.0, "PutItem EndpointsTable",
        "what is found is noted before anything is removed"
    );
    // Those that wait until everything is settled differ in nothing, and their number is a matter of time.
    steps.retain(|(_, count)| *count < FIRST_CALLS);
    steps
}

/// A workspace with an endpoint, a short history and events.
struct Scene {
    workspace: Workspace,
    endpoint: String,
}

impl Scene {
    async fn set() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace
            .create_endpoint("https://example.com/hooks", &["*"])
            .await
            .id;
        let record = |number| Record::new(&endpoint, number, FIRST, "failed");
        records::write(&STACK, &(0..RECORDS).map(record).collect::<Vec<_>>()).await;
        records::write_events(&STACK, &workspace.id, 0..RECORDS, FIRST).await;
        Self { workspace, endpoint }
    }

    fn keys(&self) -> [String; 3] {
        [
            self.workspace.id.clone(),
            self.endpoint.clone(),
            self.workspace.token_id.clone(),
        ]
    }

    /// What should be gone and is not.
    async fn left(&self) -> Vec<&'static str> {
        let mut left = Vec::new();
        if records::count(&STACK, &self.endpoint).await > 0 {
            left.push("records");
        }
        let events = STACK
            .dynamodb()
            .query()
            .table_name(&STACK.tables["EventsTable"])
            .consistent_read(true)
            .key_condition_expression("workspace = :workspace")
            .expression_attribute_values(":workspace", AttributeValue::S(self.workspace.id.clone()));
        if events.send().await.expect("the table answers").count() > 0 {
            left.push("events");
        }
        if STACK.has_secret(&self.endpoint).await {
            left.push("a secret");
        }
        if self.workspace.get("").await.status != http::StatusCode::UNAUTHORIZED {
            left.push("a token");
        }
        left
    }
}
