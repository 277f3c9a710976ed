//! The statistics of a long history, by days: what the first look reads and keeps, and what the second reads. The stand-in
//! answers at once, so the time is the function's own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local::Binaries;
use local::receiver::Receiver;
use serde_json::{Value, json};

use super::SECTION;
use crate::growth::statistics::{LOOKS, query};
use crate::history;
use crate::pipeline::Pipeline;
use crate::report::Report;
use crate::sample;

const PAYLOAD_BYTES: usize = 512;

/// Counts for an endpoint with a history of this length.
pub(super) async fn measure(binaries: &Binaries, length: usize, report: &mut Report) -> Result<()> {
    let receiver = Receiver::start_ok().await?;
    let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/history")]).await?;
    let first = pipeline.events(1, PAYLOAD_BYTES);
    pipeline.run(&first, 1).await?;
    pipeline
        .aws
        .lengthen_history(&pipeline.endpoints[0], length - 1, history::MONTH);
    count(&pipeline, length, report).await
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn count(pipeline: &Pipeline, length: usize, report: &mut Report) -> Result<()> {
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
