//! A page over all endpoints that can't read as much as it would: it is short, and the next one goes on where it stopped.

use http::StatusCode;
use serde_json::Value;
use tests::Workspace;
use tests::records::{self, Record};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

/// More than are read first.
const RECORDS: u32 = 50;

/// More than the tries of the SDK.
const ALL_TRIES: usize = 8;

#[tokio::test]
async fn a_page_is_short_if_more_can_not_be_read_and_the_next_one_goes_on() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace.create_endpoint("https://example.com/", &["*"]).await.id;
    let records =
        (0..RECORDS).map(|number| Record::new(&endpoint, number, "2026-06-01T00:00:00Z", "delivered"));
    let mut records: Vec<_> = records.collect();
    // The oldest is the only one that is asked for.
    records[0] = records::of_event(records[0].clone(), "poster.removed");
    records::write(&STACK, &records).await;
    let keys = [endpoint];
    let hanging = Fault::once("Query DeliveriesTable", &keys, Effect::HangBefore)
        .after(1)
        .times(ALL_TRIES);
    let injected = proxy::inject(hanging);

    let short = workspace.get("/deliveries?event=poster.removed").await;

    assert_eq!(short.status, StatusCode::OK, "{}", short.body);
    assert!(injected.hits() > 0, "the fault met no call");
    assert_eq!(short.body["data"], Value::Array(Vec::new()));
    let cursor = short.body["meta"]["next"].as_str().expect("more follow");
    drop(injected);
    let rest = workspace
        .get(&format!("/deliveries?event=poster.removed&cursor={cursor}"))
        .await;
    assert_eq!(rest.body["data"][0]["id"], records[0].id);
}
