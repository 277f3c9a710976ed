//! `announce`: tells the operator's workspace what happens to the endpoints of all others. It is the second reader of the
//! endpoints table's stream, and puts ordinary events on the events queue.
//!
//! What a record means is decided in `shared::domain::operational`, from the record alone: one that comes twice makes the
//! same events, which are fanned out once. The stream comes back at the first record whose events are not on the queue.

use jiff::Timestamp;
use shared::Error;
use shared::domain::id::{EndpointId, WorkspaceId};
use shared::domain::operational::{Change, OperationalEvent, events};
use shared::queues::Outgoing;
use shared::store::endpoint_image;

use crate::app::App;
use crate::serve::{StreamReader, StreamRecord};

/// The reader of the stream.
pub const STREAM_READER: StreamReader = StreamReader {
    variables: &["EVENTS_QUEUE_URL", "OPERATOR_WORKSPACE"],
    on_records: |app, records| Box::pin(announce(app, records)),
};

/// Puts the events of a batch on the events queue.
async fn announce(app: &App, records: Vec<StreamRecord>) -> Vec<String> {
    // The template makes this function only where there is such a workspace.
    let Some(operator) = app.config.operator_workspace.as_ref() else {
        return Vec::new();
    };
    let mut messages = Vec::new();
    for record in &records {
        match events_of(record, operator) {
            Ok(events) => messages.extend(events.into_iter().map(|event| {
                tracing::info!(
                    event.id = %event.id,
                    event.name = event.name,
                    endpoint.id = record.dynamodb.keys.endpoint.text,
                    "operational event"
                );
                let message = Outgoing::event(event.body, operator);
                (&record.dynamodb.sequence_number, message)
            })),
            // It would come back until the stream forgets it, and hold up all that follow.
            Err(error) => tracing::error!(
                error = error.chain(),
                endpoint.id = record.dynamodb.keys.endpoint.text,
                outcome = "not_announced",
                "a change of an endpoint can't be read, and nobody is told of it"
            ),
        }
    }
    let results = app.queues.send_each(&app.config.queues.events, messages).await;
    let failed = results
        .into_iter()
        .find_map(|(sequence_number, result)| result.err().map(|error| (sequence_number, error)));
    let Some((sequence_number, error)) = failed else {
        return Vec::new();
    };
    tracing::warn!(error = error.chain(), "operational events come back");
    vec![sequence_number.clone()]
}

/// The events of a record. The item that counts a workspace's endpoints is none of them.
fn events_of(record: &StreamRecord, operator: &WorkspaceId) -> Result<Vec<OperationalEvent>, Error> {
    let change = &record.dynamodb;
    if change.keys.endpoint.text.parse::<EndpointId>().is_err()
        || change.keys.workspace.text == operator.as_str()
    {
        return Ok(Vec::new());
    }
    let image = |image: &Option<_>| image.clone().map(endpoint_image).transpose();
    let change = Change {
        record_id: record.id.clone(),
        at: at(change.approximate_creation_date_time),
        old: image(&change.old_image)?,
        new: image(&change.new_image)?,
    };
    events(&change, operator).map_err(Error::unsendable("SendMessageBatch"))
}

/// The time of a record; events show whole seconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time of this century has fewer digits than fit"
)]
fn at(seconds: f64) -> Timestamp {
    Timestamp::from_second(seconds as i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A record as Lambda hands it over (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>).
    fn record(workspace: &str, endpoint: &str, old: Option<&Value>, new: Option<&Value>) -> StreamRecord {
        let mut change = json!({
            "ApproximateCreationDateTime": 1_780_828_200.0,
            "Keys": { "workspace": { "S": workspace }, "endpoint": { "S": endpoint } },
            "SequenceNumber": "111",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        for (name, image) in [("OldImage", old), ("NewImage", new)] {
            if let Some(image) = image {
                change[name] = image.clone();
            }
        }
        let name = match (old, new) {
            (None, _) => "INSERT",
            (_, None) => "REMOVE",
            _ => "MODIFY",
        };
        serde_json::from_value(json!({
            "eventID": "c4ca4238a0b923820dcc509a6f75849b",
            "eventName": name,
            "eventSource": "aws:dynamodb",
            "dynamodb": change,
        }))
        .unwrap()
    }

    fn image(workspace: &str) -> Value {
        json!({
            "workspace": { "S": workspace }, "endpoint": { "S": "whe_1" },
            "url": { "S": "https://hooks.example.com/" }, "events": { "L": [{ "S": "*" }] },
            "enabled": { "BOOL": true }, "secret_version": { "S": "v" },
            "created_at": { "N": "1780828200000" }, "updated_at": { "N": "1780828200000" },
        })
    }

    fn told(record: &StreamRecord) -> Vec<OperationalEvent> {
        events_of(record, &"ws_operator".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_record_that_comes_twice_is_told_in_the_same_bytes() {
        let record = record("ws_1", "whe_1", None, Some(&image("ws_1")));

        let first = told(&record);

        assert_eq!(first.len(), 1);
        assert_eq!(first[0].name, "endpoint.created");
        assert!(first[0].body.contains("\"created_at\":\"2026-06-07T10:30:00Z\""));
        assert_eq!(told(&record), first);
    }

    #[test]
    fn nothing_is_told_of_the_count_of_endpoints_and_of_the_operators_own() {
        let count =
            json!({ "workspace": { "S": "ws_1" }, "endpoint": { "S": "#count" }, "endpoints": { "N": "1" } });

        assert_eq!(told(&record("ws_1", "#count", None, Some(&count))), []);
        assert_eq!(
            told(&record("ws_operator", "whe_1", None, Some(&image("ws_operator")))),
            []
        );
    }

    #[test]
    fn what_a_later_release_adds_is_no_reason_to_tell_nothing() {
        let mut later = image("ws_1");
        later["enabled"] = json!({ "BOOL": false });
        later["disabled_reason"] = json!({ "S": "a_new_reason" });
        later["something"] = json!({ "M": {} });

        let events = told(&record("ws_1", "whe_1", Some(&image("ws_1")), Some(&later)));

        assert_eq!(events.len(), 1);
        assert!(events[0].body.contains("\"reason\":\"a_new_reason\""));
    }
}
