//! What the endpoint's item says of its failures beside the failure record, for the readers of the table's stream: the
//! delivery that last used up its attempts, and the attempt with which it was noted that the endpoint is failing. They go
//! with the record.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use super::attribute::{Item, time};
use super::endpoints::change;
use super::{Store, condition_failed, endpoint_item};
use crate::Error;
use crate::domain::delivery::{Attempt, Delivery, Failure};
use crate::domain::endpoint::Endpoint;
use crate::domain::failure_record::Observation;

#[derive(Serialize)]
struct AttemptItem {
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

#[derive(Serialize)]
struct ExhaustedItem<'a> {
    delivery: &'a str,
    event_id: &'a str,
    event: &'a str,
    #[serde(flatten)]
    last_attempt: AttemptItem,
}

impl Store {
    /// Adds to an endpoint's failure record that a delivery used up its attempts, and which, and returns the endpoint as it
    /// is then; `None` if it is gone.
    ///
    /// # Errors
    /// The call failed.
    pub async fn note_exhaustion(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Option<Endpoint>, Error> {
        let exhausted = exhausted(delivery, now)?;
        let call = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .update_expression(
                change(Observation::Exhaustion)
                    .set("exhausted = :exhausted")
                    .to_string(),
            )
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":exhausted", AttributeValue::M(exhausted))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(Error::aws("UpdateItem")(error)),
            Ok(answer) => endpoint_item::from_item(answer.attributes.unwrap_or_default()).map(Some),
        }
    }

    /// Notes that an endpoint is failing, with the last attempt of the delivery that shows it, unless that is noted already
    /// or another spell has begun since it was read. Says whether it was noted now.
    ///
    /// # Errors
    /// The call failed. That there is nothing to note any more is not an error.
    pub async fn note_failing(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(since) = endpoint.failures.failing_since else {
            return Ok(false);
        };
        let call = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .condition_expression(
                "failing_since = :since AND enabled = :true AND attribute_not_exists(failing_noted_at)",
            )
            .update_expression("SET failing_noted_at = :now, failing_attempt = :attempt")
            .expression_attribute_values(":since", time(since))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":attempt", AttributeValue::M(failing_attempt(delivery, now)?));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(false),
            other => other.map(|_| true).map_err(Error::aws("UpdateItem")),
        }
    }
}

/// What is written of the delivery that used up its attempts.
pub(super) fn exhausted(delivery: &Delivery, now: Timestamp) -> Result<Item, Error> {
    let item = ExhaustedItem {
        delivery: delivery.id.as_str(),
        event_id: delivery.event_id.as_str(),
        event: delivery.event.as_str(),
        last_attempt: last_attempt(delivery, now),
    };
    serde_dynamo::to_item(item).map_err(Error::unsendable("UpdateItem"))
}

/// What is written of the attempt with which it is noted that an endpoint is failing.
pub(super) fn failing_attempt(delivery: &Delivery, now: Timestamp) -> Result<Item, Error> {
    serde_dynamo::to_item(last_attempt(delivery, now)).map_err(Error::unsendable("UpdateItem"))
}

/// Every failed delivery that is followed up has an attempt.
fn last_attempt(delivery: &Delivery, now: Timestamp) -> AttemptItem {
    let attempt = delivery.attempts.last();
    AttemptItem {
        at: attempt.map_or(now, |attempt| attempt.at).as_millisecond(),
        http_status: attempt.and_then(|attempt| attempt.http_status),
        duration_ms: attempt.map_or(0, |attempt: &Attempt| attempt.duration_ms),
        failure: attempt.and_then(|attempt| attempt.failure),
    }
}
