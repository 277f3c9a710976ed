//! How statistics look in answers.

use std::collections::BTreeMap;

use lambda_http::Body;
use lambda_http::http::{Response, StatusCode};
use serde::Serialize;
use shared::domain::statistics::{Statistics, Tally};
use shared::domain::time;
use shared::store::Counted;

use crate::answer::json;

#[derive(Serialize)]
struct StatisticsListView {
    data: Vec<StatisticsView>,
    meta: CompletenessView,
}

#[derive(Serialize)]
struct CompletenessView {
    complete: bool,
}

#[derive(Serialize)]
struct StatisticsView {
    from: String,
    deliveries: u64,
    delivered: u64,
    failed: u64,
    pending: u64,
    first_attempt: FirstAttemptView,
}

#[derive(Serialize)]
struct FirstAttemptView {
    succeeded: u64,
    failures: BTreeMap<&'static str, u64>,
    p50_ms: Option<u64>,
    p95_ms: Option<u64>,
    p99_ms: Option<u64>,
}

/// Hours or days of an endpoint's history, and whether all have been counted.
#[must_use]
pub fn statistics(counted: &Counted) -> Response<Body> {
    let data = counted.statistics.iter().map(statistics_view).collect();
    let meta = CompletenessView {
        complete: counted.is_complete,
    };
    json(StatusCode::OK, &StatisticsListView { data, meta })
}

fn statistics_view(statistics: &Statistics) -> StatisticsView {
    StatisticsView {
        from: time::format(statistics.from),
        deliveries: statistics.tally.deliveries,
        delivered: statistics.delivered(),
        failed: statistics.failed,
        pending: statistics.pending,
        first_attempt: first_attempt_view(&statistics.tally),
    }
}

fn first_attempt_view(tally: &Tally) -> FirstAttemptView {
    let failures = tally.failures.iter();
    FirstAttemptView {
        succeeded: tally.succeeded,
        failures: failures
            .map(|(failure, count)| (failure.as_str(), *count))
            .collect(),
        p50_ms: tally.answered.percentile(50),
        p95_ms: tally.answered.percentile(95),
        p99_ms: tally.answered.percentile(99),
    }
}
