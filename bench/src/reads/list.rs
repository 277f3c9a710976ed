//! Page 1 of a long history, twice: what the first look counts and keeps, and what the second reads, when one more delivery
//! has been made. The total must be right each time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use local::Binaries;
use local::receiver::Receiver;
use serde_json::{Value, json};

use super::SECTION;
use crate::aws::Bill;
use crate::growth::statistics::LOOKS;
use crate::history;
use crate::pipeline::Pipeline;
use crate::report::{Bar, Report};
use crate::sample;

const PAYLOAD_BYTES: usize = 512;

/// Over what the deliveries were made: so that all are younger than an hour, and as long as they are kept.
const SPREADS: [(&str, SignedDuration); 2] = [
    ("55 minutes", SignedDuration::from_mins(55)),
    ("30 days", history::MONTH),
];

/// Queries that the second look at a busy hour may make.
const MOST_QUERIES: f64 = 5.0;

/// Lists histories of this length.
pub(super) async fn measure(binaries: &Binaries, length: usize, report: &mut Report) -> Result<()> {
    for (name, spread) in SPREADS {
        let receiver = Receiver::start_ok().await?;
        let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/history")]).await?;
        deliver_one(&mut pipeline).await?;
        pipeline
            .aws
            .lengthen_history(&pipeline.endpoints[0], length - 1, spread);
        let what = format!("{length} deliveries over {name}: page 1");
        look_twice(&mut pipeline, length as u64, &what, report).await?;
    }
    Ok(())
}

async fn deliver_one(pipeline: &mut Pipeline) -> Result<()> {
    let event = pipeline.events(1, PAYLOAD_BYTES);
    pipeline.run(&event, 1).await?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn look_twice(pipeline: &mut Pipeline, length: u64, what: &str, report: &mut Report) -> Result<()> {
    let function = pipeline.function("list-deliveries").await?;
    let request = request(pipeline)?;
    for (more, look) in (0..).zip(LOOKS) {
        pipeline.aws.take_bill();
        let start = Instant::now();
        let total = total(&function.invoke(&request).await?)?;
        let time = start.elapsed();
        let bill = pipeline.aws.take_bill();
        ensure!(
            total == length + more,
            "{total} of {} were counted",
            length + more
        );
        let name = |what_of_it: &str| format!("{what}, {look} look: {what_of_it}");
        let queries = bill.calls_of(QUERY) as f64;
        if look == LOOKS[1] {
            report.judge(SECTION, name("queries"), queries, "", Bar::AtMost(MOST_QUERIES));
        } else {
            report.add(SECTION, name("queries"), queries, "");
        }
        add(&bill, time, &name, report);
        deliver_one(pipeline).await?;
    }
    Ok(())
}

/// What the bill calls a query.
const QUERY: &str = "DynamoDB Query";

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn add(bill: &Bill, time: Duration, name: &impl Fn(&str) -> String, report: &mut Report) {
    let mut add = |what: &str, figure: f64, unit: &'static str| report.add(SECTION, name(what), figure, unit);
    add("AWS calls", bill.calls_of("") as f64, "");
    add("read units", bill.read_units, "");
    add("write units", bill.write_units, "");
    add("time of the function", time.as_secs_f64() * 1e3, "ms");
}

/// Asks for page 1 without a filter.
fn request(pipeline: &Pipeline) -> Result<Value> {
    let mut request = sample::request("list-deliveries", &pipeline.token)?;
    request["pathParameters"]["id"] = json!(pipeline.endpoints[0]);
    request["rawQueryString"] = json!("");
    if let Some(request) = request.as_object_mut() {
        request.remove("queryStringParameters");
    }
    Ok(request)
}

fn total(answer: &Value) -> Result<u64> {
    ensure!(answer["statusCode"] == 200, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().context("an answer has a body")?)?;
    body["meta"]["total"].as_u64().context("a list has a total")
}
