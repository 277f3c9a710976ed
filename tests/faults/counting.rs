//! Statistics of a history that takes longer to count than a request may: what was counted is kept, and the next request
//! goes on.

use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::time;
use tests::Workspace;
use tests::records::{self, Record};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

const QUERY: &str = "Query DeliveriesTable";

/// What only a query has that reads records for statistics, and how long each takes: seven fill the ten seconds of a request.
const FIRST_ATTEMPT: &str = "attempts[0]";
const SLOW: Duration = Duration::from_millis(1_500);

/// Three records an hour, and three fill the megabyte of a query: there are twelve.
const RECORDS: u32 = 36;
const APART_SECONDS: u32 = 20 * 60;
const BYTES: usize = 350_000;
const HOURS: usize = 12;

/// Two are enough, unless the machine is too busy for one of them to keep what it counted.
const MOST_REQUESTS: usize = 10;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn what_a_request_could_not_count_is_absent_and_counted_by_the_next() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let second = (Timestamp::now() - HOUR * 48).as_second();
    let first = Timestamp::from_second(second - second % 3_600).expect("a time");
    let (from, to) = (time::format(first), time::format(first + HOUR * 12));
    let record = |number| {
        let record = Record::new(&endpoint, number * APART_SECONDS, &from, "delivered");
        records::padded(record, BYTES)
    };
    let records: Vec<_> = (0..RECORDS).map(record).collect();
    records::write(&STACK, &records).await;
    let slow = Fault::once(QUERY, &[FIRST_ATTEMPT.to_owned()], Effect::Delay(SLOW));
    let _slow = proxy::inject(slow.during(Duration::from_hours(1)));

    let path = format!("/{endpoint}/stats?from={from}&to={to}&bucket=hour");
    let mut answers: Vec<Value> = Vec::new();
    while answers
        .last()
        .is_none_or(|last| last["meta"]["complete"] == false)
    {
        let answer = workspace.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answers.push(answer.body);
        assert!(
            answers.len() < MOST_REQUESTS,
            "no request goes on where another ended"
        );
    }

    let hours = |answer: &Value| answer["data"].as_array().expect("a list").clone();
    let all = hours(&answers[answers.len() - 1]);
    assert!(answers.len() > 1, "the first was not complete");
    assert_eq!(all.len(), HOURS);
    assert!(
        all.iter()
            .all(|hour| hour["deliveries"] == RECORDS as usize / HOURS)
    );
    for answer in &answers {
        assert!(all.starts_with(&hours(answer)), "an hour is right or absent");
    }
    assert!(hours(&answers[0]).len() < HOURS);
}
