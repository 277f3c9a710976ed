//! Statistics: what the list shows, counted by hours and days, and right again after whatever comes late.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join3;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use local::{aws_config, new_id};
use serde_json::{Value, json};
use shared::Error;
use shared::config::Config;
use shared::domain::endpoint::Endpoint;
use shared::domain::statistics::{Bucket, Window};
use shared::domain::task::Task;
use shared::domain::time;
use shared::store::{HistoryFilter, Store};
use tests::records::{self, Record};
use tests::{PATIENCE, Workspace, eventually, receivers};
use tokio::sync::Notify;

use super::{assert_problem, late_delivery, wait_until_status};
use crate::promises::STACK;

const RECORDS: u32 = 1_200;

/// How far records are apart: they fill ten hours and a bit.
const APART_SECONDS: u32 = 31;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The start of an hour, two days ago.
fn first_hour() -> Timestamp {
    let second = (Timestamp::now() - HOUR * 48).as_second();
    Timestamp::from_second(second - second % 3_600).expect("a time")
}

/// Every tenth failed in the end; every fourth first attempt did. Of those that failed, every twentieth had none.
fn record(endpoint: &str, first: Timestamp, number: u32) -> Record {
    let status = if number % 10 == 3 { "failed" } else { "delivered" };
    let seconds = number * APART_SECONDS;
    let record = Record::new(endpoint, seconds, &time::format(first), status);
    let record = records::padded(record, records::LONG_ANSWERS);
    match number {
        number if number % 200 == 3 => record,
        number if number % 8 == 0 => records::attempted(record, Some("timeout"), 15_000),
        number if number % 8 == 4 => records::attempted(record, Some("status"), number.into()),
        number => records::attempted(record, None, number.into()),
    }
}

/// An endpoint with its history.
struct History {
    workspace: Workspace,
    endpoint: String,
    first: Timestamp,
    records: Vec<Record>,
}

impl History {
    async fn new(url: &str) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace.create_endpoint(url, &["*"]).await.id;
        let first = first_hour();
        let records: Vec<_> = (0..RECORDS)
            .map(|number| record(&endpoint, first, number))
            .collect();
        records::write(&STACK, &records).await;
        Self {
            workspace,
            endpoint,
            first,
            records,
        }
    }

    /// The statistics of all of it, once they are complete.
    async fn statistics(&self, bucket: &str) -> Vec<Value> {
        let (from, to) = (time::format(self.first), time::format(self.first + HOUR * 12));
        let path = format!("/{}/stats?from={from}&to={to}&bucket={bucket}", self.endpoint);
        eventually("the statistics are complete", async || {
            let answer = self.workspace.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            let is_complete = answer.body["meta"]["complete"] == true;
            is_complete.then(|| answer.body["data"].as_array().expect("a list").clone())
        })
        .await
    }

    /// The sum of a figure over hours or days.
    async fn sum(&self, pointer: &str) -> u64 {
        sum(&self.statistics("hour").await, pointer)
    }
}

fn sum(statistics: &[Value], pointer: &str) -> u64 {
    let figures = statistics
        .iter()
        .filter_map(|hour| hour.pointer(pointer)?.as_u64());
    figures.sum()
}

/// Whether this many milliseconds are the percentile of the durations within 12 %.
fn is_about(shown: &Value, durations: &[u64], percent: usize) -> bool {
    let exact = durations[(durations.len() * percent).div_ceil(100) - 1];
    let shown = shown.as_u64().expect("a number");
    100 * shown.abs_diff(exact) <= 12 * exact
}

#[tokio::test]
async fn statistics_are_what_the_list_shows_the_first_time_and_when_they_are_kept() {
    const SURPLUS: u32 = 7;
    let history = History::new("https://hooks.example.com/").await;
    let of_hour = |hour: i32| {
        let start = history.first + HOUR * hour;
        let of = move |record: &&Record| {
            let created_at = time::parse(&record.created_at).expect("a time");
            (start..start + HOUR).contains(&created_at)
        };
        (start, history.records.iter().filter(of).collect::<Vec<_>>())
    };

    for _ in 0..2 {
        let statistics = history.statistics("hour").await;
        assert_eq!(statistics.len(), 12);
        for (number, shown) in (0..).zip(&statistics) {
            let (start, records) = of_hour(number);
            let failed = records.iter().filter(|record| record.status == "failed").count();
            assert_eq!(shown["from"], time::format(start));
            assert_eq!(shown["deliveries"], records.len());
            assert_eq!((&shown["failed"], &shown["pending"]), (&json!(failed), &json!(0)));
            assert_eq!(shown["delivered"], records.len() - failed);
        }
        let end = time::format(history.first + HOUR * 12 - SignedDuration::from_secs(1));
        let query = format!("from={}&to={end}&per_page=1", time::format(history.first));
        let list = history
            .workspace
            .get(&format!("/{}/deliveries?{query}", history.endpoint))
            .await;
        assert_eq!(list.body["meta"]["total"], sum(&statistics, "/deliveries"));
        let none = json!({ "succeeded": 0, "failures": {}, "p50_ms": null, "p95_ms": null, "p99_ms": null });
        assert_eq!(statistics[11]["first_attempt"], none);
    }
    let days = history.statistics("day").await;
    assert_eq!(sum(&days, "/first_attempt/succeeded"), 900 - 6);
    assert_eq!(sum(&days, "/first_attempt/failures/timeout"), 150);
    assert_eq!(sum(&days, "/first_attempt/failures/status"), 150);

    let first: Vec<u64> = (0..117)
        .filter(|number| number % 8 != 0 && number % 200 != 3)
        .collect();
    let shown = history.statistics("hour").await[0]["first_attempt"].clone();
    for (percentile, percent) in [("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)] {
        assert!(
            is_about(&shown[percentile], &first, percent),
            "{percentile}: {shown}"
        );
    }

    let kept = records::falsify_hours(&STACK, &history.endpoint, SURPLUS).await;
    assert!(kept > 0, "what fills a call is kept");
    assert!(
        history.sum("/deliveries").await > u64::from(RECORDS),
        "what is kept is used"
    );
}

/// Stores the event of a task, as `fan-out` did when it was accepted.
async fn store_event(task: &Task) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = STACK
        .dynamodb()
        .put_item()
        .table_name(&STACK.tables["EventsTable"]);
    let put = put
        .item("workspace", text(task.workspace.as_str()))
        .item("event", text(task.event_id.as_str()))
        .item("body", text(task.body.as_deref().expect("a body")))
        .item("message_id", text("m"))
        .item("accepted_at", AttributeValue::N("1780000000000".to_owned()))
        .item("expires_at", AttributeValue::N("4102444800".to_owned()));
    put.send().await.expect("the event is stored");
}

#[tokio::test]
async fn what_comes_late_is_counted_in_its_hour() {
    let receiver = receivers::healthy().await;
    let history = History::new(&receiver.url("/")).await;
    let path = format!("/{}", history.endpoint);
    let succeeded = history.sum("/first_attempt/succeeded").await;
    assert_eq!(history.sum("/deliveries").await, u64::from(RECORDS));

    // A delivery that is recorded days after its event was accepted, and has no attempt.
    history.workspace.patch(&path, &json!({ "enabled": false })).await;
    let late = late_delivery(&history.workspace, &history.endpoint, history.first + HOUR * 3);
    let task: Task = serde_json::from_str(&late).expect("a task");
    store_event(&task).await;
    STACK.queue("DeliveriesQueue").send(&late).await;
    eventually("the late delivery is counted", async || {
        (history.sum("/deliveries").await == u64::from(RECORDS) + 1).then_some(())
    })
    .await;
    assert_eq!(history.sum("/failed").await, u64::from(RECORDS / 10) + 1);
    assert_eq!(history.sum("/first_attempt/succeeded").await, succeeded);

    // Its first attempt, asked for by hand.
    history.workspace.patch(&path, &json!({ "enabled": true })).await;
    let path = format!("{path}/deliveries/{}", task.delivery);
    let answer = history
        .workspace
        .api(Method::POST, &format!("{path}/retry"), None)
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    receiver.wait_for(1, PATIENCE).await.expect("the late delivery");
    wait_until_status(&history.workspace, &path, "delivered").await;
    assert_eq!(history.sum("/first_attempt/succeeded").await, succeeded + 1);
    assert_eq!(history.sum("/failed").await, u64::from(RECORDS / 10));
}

#[tokio::test]
async fn a_window_that_can_not_be_counted_is_a_bad_request() {
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;

    for query in [
        "bucket=week",
        "bucket=",
        "from=yesterday",
        "from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z",
        "from=2026-06-01T00:00:00Z&to=2026-07-02T00:00:01Z",
        "from=2026-06-01T12:00:00Z&to=2026-07-02T00:00:01Z&bucket=day",
        "to=9999-12-30T20:00:00Z&bucket=day",
        "status=failed",
    ] {
        let answer = workspace.get(&format!("/{endpoint}/stats?{query}")).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, query);
    }
    for (query, count) in [
        ("", 24),
        ("bucket=day", 7),
        ("from=2026-06-01T00:00:00Z&to=2026-07-02T00:00:00Z", 744),
        ("from=1960-01-01T00:00:00Z&to=1960-01-02T00:00:00Z", 24),
    ] {
        let body = workspace.get(&format!("/{endpoint}/stats?{query}")).await.body;
        assert_eq!(body["data"].as_array().map(Vec::len), Some(count), "{query}");
        assert_eq!(body["meta"]["complete"], true, "{query}");
        assert_eq!(body["data"][0]["deliveries"], 0, "{query}");
    }
}

#[tokio::test]
async fn nothing_is_kept_of_an_endpoint_that_is_deleted_while_its_history_is_counted() {
    let history = History::new("https://hooks.example.com/").await;
    let path = format!("/{}", history.endpoint);
    let answered = Notify::new();
    let ask = async |route: &str| {
        let mut answers = BTreeMap::new();
        loop {
            let status = history.workspace.get(&format!("{path}/{route}")).await.status;
            *answers.entry(status.as_u16()).or_insert(0) += 1;
            answered.notify_one();
            if status == StatusCode::NOT_FOUND {
                return answers;
            }
        }
    };
    let delete = async {
        answered.notified().await;
        history.workspace.delete(&path).await
    };

    let (stats, lists, deleted) = join3(ask("stats?bucket=day"), ask("deliveries"), delete).await;

    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    for answers in [stats, lists] {
        assert!(
            answers.keys().all(|status| [200, 404].contains(status)),
            "{answers:?}"
        );
    }
    eventually("nothing is left", async || {
        for partition in ["", "#counts", "#hours"] {
            let partition = format!("{}{partition}", history.endpoint);
            if records::count(&STACK, &partition).await > 0 {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// The tables as a function sees them.
fn store() -> Store {
    let wanted = ["DELIVERIES_TABLE", "ENDPOINTS_TABLE", "RETENTION_DAYS"];
    let config = Config::read(&wanted, |name| match name {
        "DELIVERIES_TABLE" => Some(STACK.tables["DeliveriesTable"].clone()),
        "ENDPOINTS_TABLE" => Some(STACK.tables["EndpointsTable"].clone()),
        _ => Some("30".to_owned()),
    });
    Store::new(&aws_config(&STACK), &config.expect("three variables"))
}

#[tokio::test]
async fn what_counts_a_history_whose_endpoint_is_gone_keeps_nothing() {
    let (store, now, first) = (store(), Timestamp::now(), first_hour());
    let workspace = Workspace::new(&STACK).await;
    let id = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let (workspace, id) = (workspace.id.parse().expect("an id"), id.parse().expect("an id"));
    // As if it had been read just before it was deleted; there is no purge, which would take what was kept.
    let endpoint = Endpoint {
        id: new_id("whe_").parse().expect("an id"),
        ..store.endpoint(&workspace, &id).await.expect("an endpoint")
    };
    let id = endpoint.id.to_string();
    let records: Vec<_> = (0..RECORDS).map(|number| record(&id, first, number)).collect();
    records::write(&STACK, &records).await;

    let window = Window::new(Some(first), None, Bucket::Hour, now).expect("a window");
    // Keeping takes half a second at most, and a machine that is busy may not get that far at first.
    eventually("a count that may not be kept", async || {
        let counted = store.statistics(&endpoint, window, now).await;
        matches!(counted, Err(Error::NotFound)).then_some(())
    })
    .await;
    let listed = store
        .history(&endpoint, HistoryFilter::default(), 0, 20, now)
        .await;

    assert_eq!(listed.expect("a list that keeps nothing").total, RECORDS as usize);
    for partition in ["#counts", "#hours"] {
        let partition = format!("{id}{partition}");
        assert_eq!(records::count(&STACK, &partition).await, 0, "{partition}");
    }
}
