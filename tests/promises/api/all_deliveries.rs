//! The deliveries of all endpoints, page by page behind a cursor: each delivery once and newest first, while new ones arrive.
//!
//! `ALL_DELIVERIES_ENDPOINTS=100 ALL_DELIVERIES_EACH=1000` reads a workspace at its limit.

use std::collections::BTreeSet;
use std::time::Instant;

use http::StatusCode;
use serde_json::Value;
use tests::records::{self, Record};
use tests::settings::setting;
use tests::{Workspace, event_types};

use super::assert_problem;
use crate::promises::STACK;

const FIRST: &str = "2026-06-01T00:00:00Z";

/// Every tenth has failed, every hundredth is pending, and every seventh is of another event.
fn record(endpoint: &str, number: u32) -> Record {
    let status = match number {
        number if number % 100 == 7 => "pending",
        number if number % 10 == 3 => "failed",
        _ => "delivered",
    };
    let event = if number % 7 == 3 { OTHER } else { "poster.scanned" };
    records::of_event(Record::new(endpoint, number, FIRST, status), event)
}

/// An event that is in no catalogue.
const OTHER: &str = "poster.removed";

/// A workspace whose endpoints have histories of these lengths, the first one's of the latest events.
struct Histories {
    workspace: Workspace,
    endpoints: Vec<String>,
    records: Vec<(String, Record)>,
}

impl Histories {
    async fn of(lengths: &[u32]) -> Self {
        let workspace = Workspace::new(&STACK).await;
        let (mut endpoints, mut written) = (Vec::new(), Vec::new());
        let longest = lengths.iter().max().copied().unwrap_or_default();
        for length in lengths {
            let endpoint = workspace
                .create_endpoint("https://hooks.example.com/", &["*"])
                .await
                .id;
            let records = (longest - length..longest).map(|number| record(&endpoint, number));
            let records: Vec<_> = records.collect();
            records::write(&STACK, &records).await;
            written.extend(records.into_iter().map(|record| (endpoint.clone(), record)));
            endpoints.push(endpoint);
        }
        Self {
            workspace,
            endpoints,
            records: written,
        }
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self.workspace.get(&format!("/deliveries?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
        answer.body
    }

    /// The deliveries on all pages, each as its endpoint and its id, in their order.
    async fn walk(
        &self,
        filter: &str,
        per_page: usize,
        mut meanwhile: impl AsyncFnMut(u32),
    ) -> Vec<(String, String)> {
        let (mut listed, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = self.page(&format!("{filter}&per_page={per_page}{cursor}")).await;
            assert_eq!(page["meta"]["per_page"], per_page);
            let data = page["data"].as_array().expect("a list");
            assert!(data.len() <= per_page);
            let text = |delivery: &Value, name: &str| delivery[name].as_str().expect("a text").to_owned();
            listed.extend(
                data.iter()
                    .map(|each| (text(each, "endpoint_id"), text(each, "id"))),
            );
            let Some(next) = page["meta"]["next"].as_str() else {
                return listed;
            };
            cursor = format!("&cursor={next}");
            pages += 1;
            meanwhile(pages).await;
        }
    }

    /// The same, while nothing happens.
    async fn list(&self, filter: &str, per_page: usize) -> Vec<(String, String)> {
        self.walk(filter, per_page, async |_| {}).await
    }

    /// The wanted deliveries, newest first.
    fn newest_first(&self, wanted: impl Fn(&str, &Record) -> bool) -> Vec<(String, String)> {
        let wanted = self
            .records
            .iter()
            .filter(|(endpoint, record)| wanted(endpoint, record));
        let mut found: Vec<_> = wanted
            .map(|(endpoint, record)| (endpoint.clone(), record.id.clone()))
            .collect();
        found.sort_unstable_by(|(_, one), (_, other)| other.cmp(one));
        found
    }
}

#[tokio::test]
async fn every_delivery_is_listed_once_and_newest_first_while_new_ones_arrive() {
    let (endpoints, each) = (
        setting("ALL_DELIVERIES_ENDPOINTS", 6),
        setting("ALL_DELIVERIES_EACH", 60),
    );
    let histories = Histories::of(&vec![each; endpoints]).await;
    let expected = histories.newest_first(|_, _| true);
    let (start, mut pages) = (Instant::now(), 0);

    let listed = histories
        .walk("", 100.min(expected.len() / 4), async |page| {
            let endpoint = &histories.endpoints[page as usize % endpoints];
            records::write(&STACK, &[record(endpoint, each + page)]).await;
            pages = page + 1;
        })
        .await;

    println!(
        "{} deliveries on {pages} pages in {:?}",
        listed.len(),
        start.elapsed()
    );
    assert_eq!(listed, expected);
    let newest = histories.page("per_page=1").await;
    assert_ne!(
        newest["data"][0]["id"], expected[0].1,
        "new ones are on the first page"
    );
}

#[tokio::test]
async fn each_filter_shows_what_it_lets_through_and_nothing_else() {
    let histories = Histories::of(&[150, 40, 3, 0]).await;
    let endpoint = histories.endpoints[1].clone();
    let (from, to) = ("2026-06-01T00:01:59Z", "2026-06-01T00:02:10Z");
    let within = |record: &Record| from <= record.created_at.as_str() && record.created_at.as_str() <= to;
    let of_other = |record: &Record| record.event() == OTHER;

    for status in ["delivered", "failed", "pending"] {
        let expected = histories.newest_first(|_, record| record.status == status);
        assert_eq!(
            histories.list(&format!("status={status}"), 7).await,
            expected,
            "{status}"
        );
        let expected = histories.newest_first(|_, record| record.status == status && of_other(record));
        let filter = format!("status={status}&event={OTHER}");
        assert_eq!(histories.list(&filter, 7).await, expected, "{filter}");
    }
    let expected = histories.newest_first(|_, record| of_other(record));
    assert_eq!(histories.list(&format!("event={OTHER}"), 20).await, expected);
    let expected = histories.newest_first(|_, record| within(record));
    assert_eq!(histories.list(&format!("from={from}&to={to}"), 7).await, expected);
    let expected = histories.newest_first(|of, record| of == endpoint && record.status == "failed");
    let filter = format!("endpoint_id={endpoint}&status=failed");
    assert_eq!(histories.list(&filter, 2).await, expected);
    for nothing_fits in [
        "from=2030-01-01T00:00:00Z".to_owned(),
        "to=1969-12-31T00:00:00Z".to_owned(),
        "from=2026-06-01T00:01:59.5Z&to=2026-06-01T00:01:59.5Z".to_owned(),
        format!("event={}", event_types::one().replace('.', "_and_no_other.")),
    ] {
        assert!(
            histories.list(&nothing_fits, 20).await.is_empty(),
            "{nothing_fits}"
        );
    }
}

#[tokio::test]
async fn a_cursor_is_of_one_list_of_one_workspace() {
    let histories = Histories::of(&[3]).await;
    let stranger = Histories::of(&[3]).await;
    let first = histories.page("per_page=1").await;
    let cursor = first["meta"]["next"].as_str().expect("a cursor").to_owned();

    let on = histories.page(&format!("per_page=2&cursor={cursor}")).await;

    assert_eq!(
        on["data"].as_array().map(Vec::len),
        Some(2),
        "the size of a page may change"
    );
    for other in [
        format!("status=failed&cursor={cursor}"),
        format!("endpoint_id={}&cursor={cursor}", histories.endpoints[0]),
        format!("cursor={}", &cursor[1..]),
        "cursor=nonsense".to_owned(),
    ] {
        let answer = histories.workspace.get(&format!("/deliveries?{other}")).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, &other);
    }
    let answer = stranger
        .workspace
        .get(&format!("/deliveries?cursor={cursor}"))
        .await;
    assert_problem(&answer, StatusCode::BAD_REQUEST, "another workspace's cursor");
}

#[tokio::test]
async fn an_endpoint_that_is_deleted_between_two_pages_is_gone_and_the_others_go_on() {
    let histories = Histories::of(&[10, 10]).await;
    let deleted = histories.endpoints[0].clone();
    let first = histories.page("per_page=4").await;
    let shown: BTreeSet<_> = first["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|each| each["id"].to_string())
        .collect();
    let cursor = first["meta"]["next"].as_str().expect("a cursor");

    histories.workspace.delete(&format!("/{deleted}")).await;

    let rest = histories.page(&format!("per_page=100&cursor={cursor}")).await;
    let rest = rest["data"].as_array().expect("a list");
    assert!(rest.iter().all(|each| each["endpoint_id"] != *deleted));
    let others = histories
        .newest_first(|endpoint, _| endpoint != deleted)
        .into_iter();
    let left = others
        .filter(|(_, id)| !shown.contains(&format!("{id:?}")))
        .count();
    assert_eq!(rest.len(), left);
}

#[tokio::test]
async fn a_workspace_without_endpoints_has_no_deliveries() {
    let workspace = Workspace::new(&STACK).await;

    let body = workspace.get("/deliveries").await.body;

    assert_eq!(body["data"], Value::Array(Vec::new()));
    assert_eq!(body["meta"]["next"], Value::Null);
}
