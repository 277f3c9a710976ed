//! The first event of each function: one that makes it do its real work.

use std::time::Duration;

use anyhow::{Context, Result};
use local::Binaries;
use local::receiver::Receiver;
use serde_json::{Value, json};
use shared::domain::event_type::Catalogue;

use super::{DASHBOARD, HELLO, NOTHING};
use crate::aws::Sent;
use crate::pipeline::{Pipeline, Work};
use crate::sample;

const PAYLOAD_BYTES: usize = 512;
/// These wait for a change to take effect before they answer; with an unknown id they answer at once.
const WAITING: [&str; 2] = ["delete-endpoint", "rotate-secret"];

/// What first events are made of: an endpoint with a delivery in its history.
pub(super) struct FirstEvents {
    /// The functions and the stand-in.
    pub(super) pipeline: Pipeline,
    receiver: Receiver,
    endpoint: String,
    delivery: String,
    event: String,
    /// A token that may be revoked.
    spare_token: String,
}

impl FirstEvents {
    /// Makes the endpoint and the delivery.
    pub(super) async fn prepare(binaries: &Binaries) -> Result<Self> {
        let receiver = Receiver::start_ok().await?;
        let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &[receiver.url("/hooks")]).await?;
        let tasks = tasks(&mut pipeline).await?;
        pipeline
            .drain("DeliveriesQueue", &tasks, 1, &mut Work::default())
            .await?;
        let task: Value = serde_json::from_str(&tasks[0].body)?;
        let text = |name: &str| {
            task[name]
                .as_str()
                .map(str::to_owned)
                .context("an unexpected task")
        };
        pipeline.aws.keep("EndpointsTable", erasure());
        Ok(Self {
            endpoint: text("endpoint")?,
            delivery: text("delivery")?,
            event: text("event_id")?,
            spare_token: pipeline.issue_token().await?,
            pipeline,
            receiver,
        })
    }

    /// The first event of a function.
    pub(super) async fn of(&mut self, function: &str) -> Result<Value> {
        let pipeline = &mut self.pipeline;
        match function {
            HELLO => Ok(json!({})),
            NOTHING => sample::of(DASHBOARD),
            "fan-out" => Ok(sample::batch("EventsQueue", &pipeline.events(1, PAYLOAD_BYTES))),
            "deliver" => Ok(sample::batch("DeliveriesQueue", &tasks(pipeline).await?)),
            // An attempt without a record was interrupted, and another one follows.
            "retry" => Ok(sample::batch("FailedAttemptsQueue", &tasks(pipeline).await?)),
            "revoke-token" => Ok(json!({ "token": self.spare_token })),
            "create-session" => {
                let mut request = sample::of(function)?;
                request["body"] = json!(json!({ "link": pipeline.create_link().await? }).to_string());
                Ok(request)
            }
            "announce" | "create-portal-link" | "dashboard" | "erase-workspace" | "issue-token"
            | "list-tokens" | "purge" | "recover" => sample::of(function),
            "create-endpoint" => pipeline.create_request(&self.receiver.url("/other"), other_events()?),
            route => self.request(route),
        }
    }

    fn request(&self, route: &str) -> Result<Value> {
        let request = sample::request(route, &self.pipeline.token)?;
        if WAITING.contains(&route) {
            return Ok(request);
        }
        let text = request.to_string();
        let text = text
            .replace("whe_sample", &self.endpoint)
            .replace("del_sample", &self.delivery)
            .replace("evt_sample", &self.event);
        let mut request: Value = serde_json::from_str(&text)?;
        if route == "update-endpoint" {
            // It changes nothing, because the other functions use the endpoint too.
            request["body"] = json!(json!({ "events": ["*"], "enabled": true }).to_string());
        }
        Ok(request)
    }
}

/// An erasure of the sample's workspace that goes on, so that no call waits for the index of tokens.
fn erasure() -> Value {
    let year_2100 = "4102444800000";
    json!({
        "workspace": { "S": "ws_sample" },
        "endpoint": { "S": "#erasure" },
        "found_at": { "N": "1780828200000" },
        "settled_at": { "N": year_2100 },
    })
}

/// Endpoints that `create-endpoint` makes must not receive the events that `deliver` starts with.
fn other_events() -> Result<&'static str> {
    let names = Catalogue::Product.event_types().map(|event_type| event_type.name);
    let mut others = names.filter(|name| *name != sample::EVENT);
    others.next().context("event-types/ needs another event type")
}

/// A new event's message for `deliver`.
async fn tasks(pipeline: &mut Pipeline) -> Result<Vec<Sent>> {
    pipeline.aws.take_messages("DeliveriesQueue");
    let event = pipeline.events(1, PAYLOAD_BYTES);
    pipeline
        .drain("EventsQueue", &event, 1, &mut Work::default())
        .await?;
    let tasks = pipeline.aws.take_messages("DeliveriesQueue");
    anyhow::ensure!(tasks.len() == 1, "{} tasks were queued, not one", tasks.len());
    Ok(tasks)
}
