//! The statistics of a long history, by days, over the 30 days that it is kept: the first look counts it, the second uses
//! what was kept.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::time;

use super::SECTION;
use crate::pipeline::Pipeline;
use crate::report::Report;
use crate::sample;
use crate::stack::Client;

const LOOKS: [&str; 2] = ["first", "second"];

/// The query of the last 30 days.
fn query() -> String {
    let from = Timestamp::now() - SignedDuration::from_hours(30 * 24 - 1);
    format!("bucket=day&from={}", time::format(from))
}

/// Measures both looks on the local stack.
pub(super) async fn on_stack(
    client: &Client,
    endpoint: &str,
    length: usize,
    report: &mut Report,
) -> Result<()> {
    for look in LOOKS {
        let start = Instant::now();
        let mut requests = 1;
        while client.statistics(endpoint, &query()).await?["meta"]["complete"] != true {
            requests += 1;
        }
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let name = format!("{length} in the history: statistics, {look} look");
        report.add(SECTION, format!("{name}, requests"), f64::from(requests), "");
        report.add(SECTION, name, milliseconds, "ms");
    }
    Ok(())
}

/// Counts what both looks cost, by the stand-in, which answers at once; so the time is the function's own.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) async fn count(pipeline: &Pipeline, length: usize, report: &mut Report) -> Result<()> {
    let function = pipeline.function("get-stats").await?;
    let mut request = sample::request("get-stats", &pipeline.token)?;
    request["pathParameters"]["id"] = json!(pipeline.endpoints[0]);
    request["rawQueryString"] = json!(query());
    if let Some(request) = request.as_object_mut() {
        request.remove("queryStringParameters");
    }
    for look in LOOKS {
        pipeline.aws.take_bill();
        let (mut requests, mut time) = (0, Duration::ZERO);
        let counted = loop {
            let start = Instant::now();
            let answer = body(&function.invoke(&request).await?)?;
            time += start.elapsed();
            requests += 1;
            if answer["meta"]["complete"] == true {
                break sum(&answer);
            }
        };
        ensure!(counted == length as u64, "{counted} of {length} were counted");
        let bill = pipeline.aws.take_bill();
        let peak = function.usage()?.peak_kib as f64 / 1024.0;
        let mut add = |what: &str, figure: f64, unit: &'static str| {
            let name = format!("{length} in the history: statistics, {look} look: {what}");
            report.add(SECTION, name, figure, unit);
        };
        add("requests", f64::from(requests), "");
        add("AWS calls", bill.calls_of("") as f64, "");
        add("read units", bill.read_units, "");
        add("write units", bill.write_units, "");
        add("time of the function", time.as_secs_f64() * 1e3, "ms");
        add("peak memory", peak, "MiB");
    }
    Ok(())
}

fn body(answer: &Value) -> Result<Value> {
    ensure!(answer["statusCode"] == 200, "{answer}");
    let body = answer["body"].as_str().context("an answer has a body")?;
    Ok(serde_json::from_str(body)?)
}

fn sum(answer: &Value) -> u64 {
    let days = answer["data"].as_array().into_iter().flatten();
    days.filter_map(|day| day["deliveries"].as_u64()).sum()
}
