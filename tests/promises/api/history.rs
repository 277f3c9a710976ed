//! The delivery history, page by page: each delivery once, newest first, and totals that are right.

use std::collections::BTreeSet;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::time;
use tests::records::{self, Record};
use tests::{PATIENCE, Workspace, eventually, receivers};

use super::late_delivery;
use crate::promises::STACK;

const FIRST: &str = "2026-06-01T00:00:00Z";
const RECORDS: u32 = 1_234;

/// Every tenth has failed, every hundredth is pending.
fn status_of(number: u32) -> &'static str {
    match number {
        number if number % 100 == 7 => "pending",
        number if number % 10 == 3 => "failed",
        _ => "delivered",
    }
}

/// An endpoint with its history, oldest first.
struct History {
    workspace: Workspace,
    endpoint: String,
    records: Vec<Record>,
}

impl History {
    async fn new() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace
            .create_endpoint("https://hooks.example.com/", &["*"])
            .await
            .id;
        let records: Vec<_> = (0..RECORDS)
            .map(|number| Record::new(&endpoint, number, FIRST, status_of(number)))
            .collect();
        records::write(&STACK, &records).await;
        Self {
            workspace,
            endpoint,
            records,
        }
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self
            .workspace
            .get(&format!("/{}/deliveries?{query}", self.endpoint))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
        answer.body
    }

    /// The ids on all pages under a filter, in their order; every page must say the same total.
    async fn walk(&self, filter: &str, per_page: usize, expected: usize) -> Vec<String> {
        let mut ids = Vec::new();
        let pages = expected.div_ceil(per_page);
        for page in 1..=pages {
            let body = self
                .page(&format!("{filter}&page={page}&per_page={per_page}"))
                .await;
            assert_eq!(body["meta"]["total"], expected, "{filter}, page {page}");
            assert_eq!(body["meta"]["pages"], pages, "{filter}");
            let data = body["data"].as_array().expect("a list");
            let full = if page == pages {
                expected - (pages - 1) * per_page
            } else {
                per_page
            };
            assert_eq!(data.len(), full, "{filter}, page {page}");
            ids.extend(
                data.iter()
                    .filter_map(|delivery| delivery["id"].as_str().map(str::to_owned)),
            );
        }
        ids
    }

    /// The ids of the wanted records, newest first.
    fn ids(&self, wanted: impl Fn(&Record) -> bool) -> Vec<String> {
        let wanted = self.records.iter().rev().filter(|record| wanted(record));
        wanted.map(|record| record.id.clone()).collect()
    }
}

#[tokio::test]
async fn paging_shows_every_delivery_once_and_newest_first() {
    let history = History::new().await;

    let walked = history.walk("", 100, RECORDS as usize).await;

    assert_eq!(walked, history.ids(|_| true));
    assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), RECORDS as usize);
    let behind = history.page("page=14&per_page=100").await;
    assert_eq!(behind["data"], Value::Array(Vec::new()));
    assert_eq!(behind["meta"]["total"], RECORDS);
    let usual = history.page("").await;
    assert_eq!(usual["data"].as_array().map(Vec::len), Some(20));
    assert_eq!(
        usual["data"][0]["created_at"],
        history.records[RECORDS as usize - 1].created_at
    );
}

#[tokio::test]
async fn totals_and_pages_are_right_under_each_filter() {
    let history = History::new().await;
    let (from, to) = (
        history.records[100].created_at.clone(),
        history.records[899].created_at.clone(),
    );
    let within = |record: &Record| from <= record.created_at && record.created_at <= to;

    for status in ["delivered", "failed", "pending"] {
        let expected = history.ids(|record| record.status == status);
        assert_eq!(
            history
                .walk(&format!("status={status}"), 100, expected.len())
                .await,
            expected
        );
        let expected = history.ids(|record| record.status == status && within(record));
        let filter = format!("status={status}&from={from}&to={to}");
        assert_eq!(
            history.walk(&filter, 7, expected.len()).await,
            expected,
            "{filter}"
        );
    }
    let expected = history.ids(within);
    assert_eq!(expected.len(), 800, "both bounds are inclusive");
    assert_eq!(
        history.walk(&format!("from={from}&to={to}"), 100, 800).await,
        expected
    );
    assert_eq!(
        history.walk(&format!("from={from}"), 100, 1_134).await.len(),
        1_134
    );
    assert_eq!(history.walk(&format!("to={to}"), 100, 900).await.len(), 900);
    // The same moment as `from`, written with another offset.
    let offset = from.replace("00:01:40Z", "02:01:40%2B02:00");
    assert_ne!(offset, from);
    assert_eq!(
        history.page(&format!("from={offset}")).await["meta"]["total"],
        1_134
    );
    assert_eq!(
        history.page(&format!("from={from}&to={from}")).await["meta"]["total"],
        1
    );
    assert_eq!(
        history.page("from=2030-01-01T00:00:00Z").await["meta"]["total"],
        0
    );
    assert_eq!(history.page("to=1969-12-31T00:00:00Z").await["meta"]["total"], 0);
    // Bounds between which no second lies.
    let within = from.replace('Z', ".5Z");
    for filter in [
        format!("from={within}&to={within}"),
        format!("from={within}&to={within}&status=delivered"),
        format!("from={within}&to={within}&status=failed"),
        "from=9999-12-30T21:00:00Z".to_owned(),
    ] {
        assert_eq!(history.page(&filter).await["meta"]["total"], 0, "{filter}");
    }
}

#[tokio::test]
async fn a_long_history_is_counted_once_until_a_late_delivery_joins_it() {
    const SURPLUS: u32 = 1_000;
    let receiver = receivers::healthy().await;
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
    let first = Timestamp::now() - SignedDuration::from_hours(24);
    let records: Vec<_> = (0..RECORDS)
        .map(|number| Record::new(&endpoint, number, &time::format(first), status_of(number)))
        .map(|record| records::padded(record, records::LONG_ANSWERS))
        .collect();
    records::write(&STACK, &records).await;
    let history = History {
        workspace,
        endpoint,
        records,
    };

    // Twice: what the first walk counts, the second uses.
    for _ in 0..2 {
        assert_eq!(
            history.walk("", 100, RECORDS as usize).await,
            history.ids(|_| true)
        );
    }
    let delivered = history.ids(|record| record.status == "delivered");
    assert_eq!(
        history.walk("status=delivered", 100, delivered.len()).await,
        delivered
    );
    let from = history.records[500].created_at.clone();
    assert_eq!(
        history.page(&format!("from={from}")).await["meta"]["total"],
        RECORDS - 500
    );

    let kept = records::falsify_counts(&STACK, &history.endpoint, SURPLUS).await;
    assert!(kept > 0, "counts are kept");
    let total = history.page("").await["meta"]["total"]
        .as_u64()
        .expect("a number");
    assert!(total > RECORDS.into(), "what is kept is used: {total}");

    let late = late_delivery(
        &history.workspace,
        &history.endpoint,
        first + SignedDuration::from_secs(i64::from(RECORDS / 2)),
    );
    STACK.queue("DeliveriesQueue").send(&late).await;
    receiver.wait_for(1, PATIENCE).await.expect("the late delivery");
    // The others are still used, with what was added to them.
    let expected = total - u64::from(SURPLUS) + 1;
    eventually("the part that it joined is counted again", async || {
        let total = history.page("").await["meta"]["total"].clone();
        (total == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_without_deliveries_has_no_pages() {
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;

    let body = workspace.get(&format!("/{endpoint}/deliveries")).await.body;

    assert_eq!(body["data"], Value::Array(Vec::new()));
    assert_eq!(body["meta"]["total"], 0);
    assert_eq!(body["meta"]["pages"], 0);
}

#[tokio::test]
async fn endpoints_are_paged_oldest_first() {
    let workspace = Workspace::new(&STACK).await;
    let mut created = Vec::new();
    for _ in 0..5 {
        created.push(
            workspace
                .create_endpoint("https://hooks.example.com/", &["*"])
                .await
                .id,
        );
    }

    let mut listed = Vec::new();
    for page in 1..=3 {
        let body = workspace.get(&format!("?page={page}&per_page=2")).await.body;
        assert_eq!(body["meta"]["total"], 5);
        assert_eq!(body["meta"]["pages"], 3);
        let data = body["data"].as_array().expect("a list").clone();
        listed.extend(
            data.into_iter()
                .filter_map(|endpoint| endpoint["id"].as_str().map(str::to_owned)),
        );
    }

    assert_eq!(listed, created);
}
