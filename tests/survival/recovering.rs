//! Recoveries while functions are killed and replaced, and of what is missing: everything comes back, and is counted once.
//!
//! `SURVIVAL_RECOVERED=25000` sets how many deliveries come back, `SURVIVAL_MISSED=10000` how many events were missed.

mod deployed;
mod killed;
mod missed;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::records::{self, Record};
use tests::{SuiteStack, Workspace};

/// When the first of the deliveries was accepted.
const FIRST: &str = "2026-11-01T10:00:00Z";

/// Longer than any recovery takes.
pub(crate) const LONGEST: Duration = Duration::from_mins(15);

/// The queues whose messages a function that dies keeps.
pub(crate) const KEPT_FROM: [&str; 2] = ["RecoveriesQueue", "FailedAttemptsQueue"];

/// An endpoint with so many deliveries that are to come back.
pub(crate) struct Stage {
    pub(crate) workspace: Workspace,
    pub(crate) endpoint: String,
    pub(crate) receiver: Receiver,
}

impl Stage {
    /// A stage with deliveries that have failed, straight from the table.
    pub(crate) async fn of(stack: &'static SuiteStack, receiver: Receiver, count: u32) -> Self {
        let workspace = Workspace::new(stack).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        let failed: Vec<_> = (0..count)
            .map(|number| Record::new(&endpoint, number, FIRST, "failed"))
            .collect();
        records::write(stack, &failed).await;
        records::write_events(stack, &workspace.id, 0..count, FIRST).await;
        Self {
            workspace,
            endpoint,
            receiver,
        }
    }

    /// Starts a recovery of what failed.
    pub(crate) async fn start(&self, per_second: u32) {
        self.start_of(&json!({ "since": FIRST, "per_second": per_second }))
            .await;
    }

    /// Starts a recovery. An answer may be lost, and then it runs all the same.
    pub(crate) async fn start_of(&self, wanted: &Value) {
        let path = format!("/{}/recoveries", self.endpoint);
        for _ in 0..5 {
            let answer = self.workspace.post(&path, wanted).await;
            if [StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(&answer.status) {
                return;
            }
        }
        panic!("no recovery starts");
    }

    /// The recovery when it has ended, read past the proxy; the latest if there are several.
    pub(crate) async fn ended(&self, longest: Duration) -> HashMap<String, AttributeValue> {
        let start = Instant::now();
        loop {
            let query = self
                .workspace
                .stack
                .dynamodb()
                .query()
                .table_name(&self.workspace.stack.tables["DeliveriesTable"])
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
    pub(crate) async fn assert_recovered(&self, ended: &HashMap<String, AttributeValue>, count: u32) {
        assert_all_delivered(ended, count);
        let (mut shown, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let path = format!("/deliveries?status=delivered&per_page=100{cursor}");
            let page = self.workspace.get(&path).await.body;
            let data = page["data"].as_array();
            let data = data.unwrap_or_else(|| panic!("a page, not {page}"));
            for delivery in data.iter().filter(|delivery| is_written(&delivery["event_id"])) {
                assert_eq!(
                    delivery["attempt_count"], 1,
                    "one more attempt is counted for each"
                );
                shown.insert(delivery["id"].to_string());
            }
            let Some(next) = page["meta"]["next"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(shown.len(), count as usize, "all are delivered");
        assert_eq!(self.times().len(), count as usize, "each arrived at least once");
    }

    /// How often each event was received that was not sent by the test.
    fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for request in self.receiver.received() {
            let id = request.header("webhook-id");
            if is_written(&json!(id)) {
                *times.entry(id.to_owned()).or_default() += 1;
            }
        }
        times
    }
}

/// Panics unless a recovery has delivered so many, and these were all.
fn assert_all_delivered(ended: &HashMap<String, AttributeValue>, count: u32) {
    let number = |name: &str| ended[name].as_n().expect("a number").parse::<u32>();
    assert_eq!(ended["status"], AttributeValue::S("finished".to_owned()));
    for name in ["total", "retried", "delivered"] {
        assert_eq!(number(name), Ok(count), "{name}");
    }
    assert_eq!(number("failed"), Ok(0));
}

/// Whether an event was written straight into the table, which gives it a number for an id.
fn is_written(event: &Value) -> bool {
    let number = event.as_str().and_then(|id| id.strip_prefix("evt_"));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}
