//! A list over all endpoints, page by page to its end, while new deliveries arrive: read units and calls, counted by the
//! stand-in for AWS, which answers at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local::Binaries;
use local::receiver::Receiver;
use serde_json::{Value, json};
use shared::domain::id::{DeliveryId, EndpointId, EventId};

use super::SECTION;
use crate::lambda::Function;
use crate::pipeline::Pipeline;
use crate::report::{Report, median};
use crate::sample;

/// Endpoints of the workspace: the template's limit.
const ENDPOINTS: usize = 100;
/// Deliveries on a page.
const PER_PAGE: usize = 100;
/// One delivery of this many has failed.
const ONE_FAILED_OF: usize = 100;
/// When the newest was accepted, in seconds since 1970.
const NEWEST: i64 = 1_780_000_000;
/// The time between two deliveries of an endpoint.
const APART: SignedDuration = SignedDuration::from_secs(1_700);

/// A workspace whose endpoints have histories.
struct Workspace {
    pipeline: Pipeline,
    function: Function,
    /// The deliveries that there were at the beginning.
    deliveries: BTreeSet<String>,
}

/// What a list took, page by page.
#[derive(Default)]
struct Taken {
    units: Vec<f64>,
    calls: Vec<f64>,
    milliseconds: Vec<f64>,
}

/// Measures lists of a workspace with so many deliveries in all.
pub(super) async fn measure(binaries: &Binaries, deliveries: usize, report: &mut Report) -> Result<()> {
    let each = (deliveries / ENDPOINTS).max(1);
    let workspace = Workspace::with(binaries, each).await?;
    let what = format!("{ENDPOINTS} endpoints with {each} each");
    let expected = workspace.deliveries.clone();
    let (listed, taken) = workspace.walk("").await?;
    ensure!(
        listed.windows(2).all(|two| two[0] > two[1]),
        "newest first, and each once"
    );
    let listed: BTreeSet<_> = listed.into_iter().collect();
    ensure!(listed == expected, "each that was there is listed");
    taken.add(&format!("{what}: list"), report);
    let (_, taken) = workspace.walk("status=failed").await?;
    taken.add(&format!("{what}: list of failed ones"), report);
    let (listed, taken) = workspace.walk("event=nothing.like_it").await?;
    ensure!(listed.is_empty(), "nothing is of that event");
    taken.add(&format!("{what}: list of an event that there is not"), report);
    Ok(())
}

impl Workspace {
    async fn with(binaries: &Binaries, each: usize) -> Result<Self> {
        // Nothing is sent to it.
        let receiver = Receiver::start_ok().await?;
        let urls: Vec<_> = (0..ENDPOINTS)
            .map(|number| receiver.url(&format!("/{number}")))
            .collect();
        let pipeline = Pipeline::start(binaries, Duration::ZERO, &urls).await?;
        let mut deliveries = BTreeSet::new();
        for (place, endpoint) in pipeline.endpoints.iter().enumerate() {
            for number in 0..each {
                let (id, record) = record(endpoint, place, i64::try_from(number)?)?;
                pipeline.aws.keep("DeliveriesTable", record);
                deliveries.insert(id);
            }
        }
        let function = pipeline.function("list-all-deliveries").await?;
        Ok(Self {
            pipeline,
            function,
            deliveries,
        })
    }

    /// Goes through all pages; one more delivery arrives before each but the first.
    async fn walk(&self, filter: &str) -> Result<(Vec<String>, Taken)> {
        let (mut listed, mut taken) = (Vec::new(), Taken::default());
        let mut cursor = String::new();
        loop {
            let body = self
                .page(&format!("{filter}&per_page={PER_PAGE}{cursor}"), &mut taken)
                .await?;
            let ids = body["data"].as_array().context("no data")?.iter();
            listed.extend(ids.filter_map(|delivery| delivery["id"].as_str().map(str::to_owned)));
            let Some(next) = body["meta"]["next"].as_str() else {
                return Ok((listed, taken));
            };
            cursor = format!("&cursor={next}");
            let number = taken.units.len();
            let endpoint = &self.pipeline.endpoints[number % ENDPOINTS];
            let (_, arriving) = record(endpoint, number % ENDPOINTS, -i64::try_from(number)?)?;
            self.pipeline.aws.keep("DeliveriesTable", arriving);
        }
    }

    async fn page(&self, query: &str, taken: &mut Taken) -> Result<Value> {
        let mut request = sample::request("list-all-deliveries", &self.pipeline.token)?;
        request["rawQueryString"] = json!(query.trim_start_matches('&'));
        request["queryStringParameters"] = json!({});
        self.pipeline.aws.take_bill();
        let start = Instant::now();
        let answer = self.function.invoke(&request).await?;
        taken.milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(
            answer["statusCode"] == 200,
            "list-all-deliveries answered {answer}"
        );
        let bill = self.pipeline.aws.take_bill();
        taken.units.push(bill.read_units);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        taken.calls.push(bill.calls_of("") as f64);
        Ok(serde_json::from_str(answer["body"].as_str().unwrap_or_default())?)
    }
}

impl Taken {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn add(self, what: &str, report: &mut Report) {
        let most = self.units.iter().copied().fold(0.0, f64::max);
        let all: f64 = self.units.iter().sum();
        let mut add =
            |name: &str, value: f64, unit| report.add(SECTION, format!("{what}: {name}"), value, unit);
        add("pages", self.units.len() as f64, "pages");
        add("read units, all pages", all, "units");
        add("read units of a page, at most", most, "units");
        add("read units of a page", median(self.units), "units");
        add("AWS calls of a page", median(self.calls), "calls");
        add("a page", median(self.milliseconds), "ms");
    }
}

/// The id and the record number `number` of an endpoint, counted from the newest; those below 0 arrive later.
fn record(endpoint: &str, place: usize, number: i64) -> Result<(String, Value)> {
    let endpoint: EndpointId = endpoint.parse()?;
    let event: EventId = format!("evt_01J{:023}", number + 1_000_000).parse()?;
    let between = i64::try_from(APART.as_millis())? / i64::try_from(ENDPOINTS)? * i64::try_from(place)?;
    let accepted_at = Timestamp::from_second(NEWEST)?
        - SignedDuration::from_millis(between)
        - APART * i32::try_from(number)?;
    let id = DeliveryId::derive(accepted_at, &event, &endpoint);
    let has_failed = number.rem_euclid(i64::try_from(ONE_FAILED_OF)?) == 7;
    let millis = accepted_at.as_millisecond().to_string();
    let attempt =
        json!({ "at": { "N": millis }, "http_status": { "N": "200" }, "duration_ms": { "N": "87" } });
    let mut record = json!({
        "endpoint": { "S": endpoint.as_str() }, "delivery": { "S": id.as_str() }, "event_id": { "S": event.as_str() },
        "event": { "S": sample::EVENT }, "status": { "S": "delivered" }, "attempt_count": { "N": "1" },
        "attempts": { "L": [{ "M": attempt }] }, "expires_at": { "N": "4102444800" },
    });
    if has_failed {
        record["status"] = json!({ "S": "failed" });
        record["undelivered"] = json!({ "S": format!("failed#{id}") });
    }
    Ok((id.to_string(), record))
}
