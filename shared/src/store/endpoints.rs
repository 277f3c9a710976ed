//! Endpoints, keyed by workspace and endpoint. Each workspace also has one item that counts them,
//! written in the same transaction, so that the limit holds however many are created at once.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use jiff::Timestamp;

use super::attribute::{Item, key, number, text, time};
use super::endpoint_item::{self, endpoint_key};
use super::expression::Expression;
use super::{Store, condition_failed, deletions};
use crate::backoff::Backoff;
use crate::domain::endpoint::{DisabledReason, Endpoint};
use crate::domain::erasure::Deletion;
use crate::domain::failure_record::Observation;
use crate::domain::id::{EndpointId, WorkspaceId};
use crate::{Conflict, Error};

/// The sort key of the item that counts a workspace's endpoints; no endpoint's id can be that.
const COUNT_KEY: &str = "#count";

/// Tries of a transaction that conflicts with another one on the same workspace: about four seconds.
const TRANSACTION_TRIES: Backoff = Backoff::new(40, Duration::from_millis(20), Duration::from_millis(150));

/// How long a rotation that died keeps others away; its function's time-out and the skew of two clocks are less.
const ROTATION_LEASE: Duration = Duration::from_secs(30);

/// The right to rotate an endpoint's secret, as it is taken by [`Store::claim_rotation`].
#[derive(Debug, Clone, Copy)]
pub struct RotationClaim {
    until: Timestamp,
}

impl Store {
    /// One endpoint, as of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn endpoint(&self, workspace: &WorkspaceId, id: &EndpointId) -> Result<Endpoint, Error> {
        let item = self
            .item(&self.tables.endpoints, endpoint_key(workspace, id))
            .await?;
        endpoint_item::from_item(item.ok_or(Error::NotFound)?)
    }

    /// All endpoints of a workspace, oldest first, as of this moment.
    ///
    /// # Errors
    /// The call failed.
    pub async fn endpoints(&self, workspace: &WorkspaceId) -> Result<Vec<Endpoint>, Error> {
        let query = self.query_beginning(workspace, EndpointId::PREFIX);
        let mut items = query.into_paginator().items().send();
        let mut endpoints = Vec::new();
        while let Some(item) = items.next().await {
            endpoints.push(endpoint_item::from_item(item.map_err(Error::aws("Query"))?)?);
        }
        Ok(endpoints)
    }

    /// The ids of all endpoints of a workspace, also of those that this release can't read, as of this moment.
    ///
    /// # Errors
    /// The call failed.
    pub async fn endpoint_ids(&self, workspace: &WorkspaceId) -> Result<Vec<EndpointId>, Error> {
        self.endpoint_ids_after(workspace, "").await
    }

    /// The ids in the sort keys of a workspace that begin with this and go on with an endpoint's id, as of this moment.
    pub(super) async fn endpoint_ids_after(
        &self,
        workspace: &WorkspaceId,
        prefix: &str,
    ) -> Result<Vec<EndpointId>, Error> {
        let query = self
            .query_beginning(workspace, &format!("{prefix}{}", EndpointId::PREFIX))
            .projection_expression("endpoint");
        let items = query.into_paginator().items().send();
        let items: Vec<Item> = items.try_collect().await.map_err(Error::aws("Query"))?;
        let keys = items.iter().filter_map(|item| item.get("endpoint")?.as_s().ok());
        let ids = keys.map(|key| key[prefix.len()..].parse());
        ids.collect::<Result<_, _>>().map_err(Error::corrupt("endpoints"))
    }

    /// Asks for the items of a workspace whose sort key begins like this, as of this moment.
    fn query_beginning(&self, workspace: &WorkspaceId, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.tables.endpoints)
            .consistent_read(true)
            .key_condition_expression("workspace = :workspace AND begins_with(endpoint, :prefix)")
            .expression_attribute_values(":workspace", text(workspace))
            .expression_attribute_values(":prefix", text(prefix))
    }

    /// How many endpoints a workspace has.
    ///
    /// # Errors
    /// The call failed.
    pub async fn count_endpoints(&self, workspace: &WorkspaceId) -> Result<u32, Error> {
        let item = self.item(&self.tables.endpoints, count_key(workspace)).await?;
        Ok(item.as_ref().map_or(0, count_of))
    }

    /// Forgets how many endpoints a workspace has, if it still has as many as it had when that was read. Says whether it
    /// did.
    ///
    /// # Errors
    /// The call failed.
    pub async fn forget_count(&self, workspace: &WorkspaceId, read: u32) -> Result<bool, Error> {
        let call = self
            .client
            .delete_item()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(count_key(workspace)))
            .condition_expression("attribute_not_exists(endpoints) OR endpoints = :read")
            .expression_attribute_values(":read", number(&read));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(false),
            other => other.map(|_| true).map_err(Error::aws("DeleteItem")),
        }
    }

    /// Adds an endpoint, unless the workspace has `limit` already.
    ///
    /// # Errors
    /// [`Conflict::EndpointLimit`], or the call failed.
    pub async fn create_endpoint(&self, endpoint: &Endpoint, limit: u32) -> Result<(), Error> {
        let put = Put::builder()
            .table_name(&*self.tables.endpoints)
            .set_item(Some(endpoint_item::to_item(endpoint)?))
            .condition_expression("attribute_not_exists(endpoint)")
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let count = self
            .count_change(&endpoint.workspace, 1)
            .condition_expression("attribute_not_exists(endpoints) OR endpoints < :limit")
            .expression_attribute_values(":limit", number(&limit))
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let reasons = self.transact(vec![
            TransactWriteItem::builder().put(put).build(),
            TransactWriteItem::builder().update(count).build(),
        ]);
        match reasons.await? {
            None => Ok(()),
            Some(_) => Err(Conflict::EndpointLimit(limit).into()),
        }
    }

    /// Deletes an endpoint. That it is not there any more is what everything else follows from; the deletion is
    /// remembered in the same transaction, until nothing of the endpoint is left.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn delete_endpoint(
        &self,
        workspace: &WorkspaceId,
        id: &EndpointId,
        deletion: Deletion,
    ) -> Result<(), Error> {
        let delete = Delete::builder()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(endpoint_key(workspace, id)))
            .condition_expression("attribute_exists(endpoint)")
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let count = self
            .count_change(workspace, -1)
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let remember = Put::builder()
            .table_name(&*self.tables.endpoints)
            .set_item(Some(deletions::to_item(workspace, id, deletion)?))
            .build()
            .map_err(Error::unsendable("TransactWriteItems"))?;
        let reasons = self.transact(vec![
            TransactWriteItem::builder().delete(delete).build(),
            TransactWriteItem::builder().update(count).build(),
            TransactWriteItem::builder().put(remember).build(),
        ]);
        reasons.await?.map_or(Ok(()), |_| Err(Error::NotFound))
    }

    /// Takes the right to rotate an endpoint's secret, for half a minute or until [`Store::point_to_secret`].
    /// Two rotations side by side would push each other's versions out of Secrets Manager, which keeps only those
    /// that a staging label points to, even if the endpoint names one of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Conflict::RotationUnderWay`], or the call failed.
    pub async fn claim_rotation(&self, endpoint: &Endpoint, now: Timestamp) -> Result<RotationClaim, Error> {
        let until = now.saturating_add(ROTATION_LEASE).unwrap_or(now);
        let call = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .condition_expression(
                "secret_version = :version AND (attribute_not_exists(rotating_until) OR rotating_until < :now)",
            )
            .update_expression("SET rotating_until = :until")
            .expression_attribute_values(":version", text(&endpoint.secret_version))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let claimed = call.send().await.map_err(overtaken_or_not_found);
        claimed.map(|_| RotationClaim { until })
    }

    /// Gives the right to rotate back, after a rotation that changed nothing, so that the next request need not wait for
    /// its end.
    ///
    /// # Errors
    /// The call failed. That the right has passed to another request is not an error.
    pub async fn give_up_rotation(&self, endpoint: &Endpoint, claim: RotationClaim) -> Result<(), Error> {
        let call = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .condition_expression("rotating_until = :until")
            .update_expression("REMOVE rotating_until")
            .expression_attribute_values(":until", time(claim.until));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(()),
            other => other.map(|_| ()).map_err(Error::aws("UpdateItem")),
        }
    }

    /// Makes another version of the secret the one that signs. This write is the moment the old one dies.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Conflict::RotationUnderWay`] if another rotation came first, or the call failed.
    pub async fn point_to_secret(
        &self,
        endpoint: &Endpoint,
        version: &str,
        now: Timestamp,
    ) -> Result<Endpoint, Error> {
        let answer = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .condition_expression("secret_version = :old OR secret_version = :new")
            .update_expression("SET secret_version = :new, updated_at = :now REMOVE rotating_until")
            .expression_attribute_values(":old", text(&endpoint.secret_version))
            .expression_attribute_values(":new", text(version))
            .expression_attribute_values(":now", time(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(answer) => endpoint_item::from_item(answer.attributes.unwrap_or_default()),
            Err(error) => Err(overtaken_or_not_found(error)),
        }
    }

    /// Adds an observation to an endpoint's failure record, which others may have changed since it was read, and returns
    /// the endpoint as it is then; `None` if it is gone. What is written is what
    /// [`FailureRecord::after`](crate::domain::failure_record::FailureRecord::after) says.
    ///
    /// # Errors
    /// The call failed.
    pub async fn observe(
        &self,
        endpoint: &Endpoint,
        observation: Observation,
        now: Timestamp,
    ) -> Result<Option<Endpoint>, Error> {
        let call = self
            .endpoint_update(&endpoint.workspace, &endpoint.id)
            .update_expression(change(observation).to_string())
            .expression_attribute_values(":now", time(now))
            .return_values(ReturnValue::AllNew);
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(Error::aws("UpdateItem")(error)),
            Ok(answer) => endpoint_item::from_item(answer.attributes.unwrap_or_default()).map(Some),
        }
    }

    /// Disables an endpoint on behalf of this system, if it still is as it was read: a 410 of its former url, or
    /// failures before its last success, do not count. Says whether it did.
    ///
    /// # Errors
    /// The call failed. That the endpoint is gone, another one, or disabled already, is not an error.
    pub async fn disable_endpoint(
        &self,
        endpoint: &Endpoint,
        reason: DisabledReason,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let call = self.endpoint_update(&endpoint.workspace, &endpoint.id);
        let (attribute, seen) = match reason {
            DisabledReason::Gone => ("url", text(&endpoint.url)),
            DisabledReason::Failing => {
                let Some(since) = endpoint.failures.failing_since else {
                    return Ok(false);
                };
                ("failing_since", time(since))
            }
        };
        let call = call
            .condition_expression("enabled = :true AND #seen = :seen")
            .expression_attribute_names("#seen", attribute)
            .expression_attribute_values(":seen", seen);
        let reason = serde_dynamo::to_attribute_value(reason).map_err(Error::unsendable("UpdateItem"))?;
        let call = call
            .update_expression(
                "SET enabled = :false, disabled_reason = :reason, disabled_at = :now, updated_at = :now REMOVE enabled_at",
            )
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(":reason", reason)
            .expression_attribute_values(":now", time(now));
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(false),
            other => other.map(|_| true).map_err(Error::aws("UpdateItem")),
        }
    }

    pub(super) fn endpoint_update(
        &self,
        workspace: &WorkspaceId,
        id: &EndpointId,
    ) -> UpdateItemFluentBuilder {
        let call = self.client.update_item().table_name(&*self.tables.endpoints);
        // Without the condition an update would bring a deleted endpoint back to life.
        call.set_key(Some(endpoint_key(workspace, id)))
            .condition_expression("attribute_exists(endpoint)")
    }

    fn count_change(
        &self,
        workspace: &WorkspaceId,
        change: i32,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(count_key(workspace)))
            .update_expression("ADD endpoints :change")
            .expression_attribute_values(":change", number(&change))
    }

    /// Writes all items or none; `Some` with the reasons if a condition does not hold.
    pub(super) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<Option<Vec<CancellationReason>>, Error> {
        let mut tries = TRANSACTION_TRIES;
        loop {
            let call = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let Err(error) = call.send().await else {
                return Ok(None);
            };
            let reasons = cancellation_reasons(&error);
            if reasons
                .iter()
                .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
            {
                return Ok(Some(reasons));
            }
            if reasons.is_empty() || !tries.wait().await {
                return Err(Error::aws("TransactWriteItems")(error));
            }
        }
    }
}

fn count_key(workspace: &WorkspaceId) -> Item {
    key([("workspace", workspace.as_str()), ("endpoint", COUNT_KEY)])
}

/// How many endpoints a workspace has, as its item says.
pub(super) fn count_of(item: &Item) -> u32 {
    let count = item.get("endpoints").and_then(|value| value.as_n().ok());
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The change of a failure record that an observation makes ([`FailureRecord::after`]).
pub(super) fn change(observation: Observation) -> Expression {
    match observation {
        Observation::Success | Observation::Enabling => Expression::new(
            &["healthy_since = if_not_exists(healthy_since, :now)"],
            &[
                "failing_since",
                "slow_since",
                "exhausted_at",
                "failing_noted_at",
                "exhausted",
                "failing_attempt",
            ],
        ),
        Observation::Failure => Expression::new(
            &["failing_since = if_not_exists(failing_since, :now)"],
            &["healthy_since"],
        ),
        Observation::Slowness => Expression::new(&["slow_since = if_not_exists(slow_since, :now)"], &[]),
        Observation::Exhaustion => Expression::new(&["exhausted_at = :now"], &[]),
    }
}

fn cancellation_reasons(error: &SdkError<TransactWriteItemsError>) -> Vec<CancellationReason> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().to_vec()
        }
        _ => Vec::new(),
    }
}

/// Why a rotation can't go on. The item is that of which the condition does not hold; there is none if the endpoint is
/// gone.
fn overtaken_or_not_found(error: SdkError<UpdateItemError>) -> Error {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed))
            if failed.item.as_ref().is_some_and(|item| !item.is_empty()) =>
        {
            Conflict::RotationUnderWay.into()
        }
        _ => not_found_or_aws(error),
    }
}

pub(super) fn not_found_or_aws(error: SdkError<UpdateItemError>) -> Error {
    if condition_failed(&error) {
        Error::NotFound
    } else {
        Error::aws("UpdateItem")(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure_record::FailureRecord;

    /// The record after `SET a = …, b = … REMOVE …`, as DynamoDB would write it.
    fn written(record: FailureRecord, expression: &str, now: Timestamp) -> FailureRecord {
        let after = |name: &str, before: Option<Timestamp>| {
            let (_, removed) = expression.split_once("REMOVE ").unwrap_or_default();
            if removed.split(", ").any(|attribute| attribute == name) {
                None
            } else if expression.contains(&format!("{name} = if_not_exists({name}, :now)")) {
                before.or(Some(now))
            } else if expression.contains(&format!("{name} = :now")) {
                Some(now)
            } else {
                before
            }
        };
        FailureRecord {
            failing_since: after("failing_since", record.failing_since),
            slow_since: after("slow_since", record.slow_since),
            exhausted_at: after("exhausted_at", record.exhausted_at),
            noted_at: after("failing_noted_at", record.noted_at),
            healthy_since: after("healthy_since", record.healthy_since),
        }
    }

    /// The readers of the stream tell a recovery from an owner's enabling by it (`domain::operational`).
    #[test]
    fn nothing_that_is_observed_of_an_endpoint_touches_when_it_was_changed() {
        for observation in [
            Observation::Success,
            Observation::Failure,
            Observation::Exhaustion,
        ] {
            assert!(
                !change(observation).to_string().contains("updated_at"),
                "{observation:?}"
            );
        }
    }

    #[test]
    fn what_is_written_of_a_failure_record_is_what_the_domain_says() {
        let (before, now) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1).unwrap());
        let full = FailureRecord {
            failing_since: Some(before),
            slow_since: Some(before),
            exhausted_at: Some(before),
            noted_at: Some(before),
            healthy_since: None,
        };
        for observation in [
            Observation::Success,
            Observation::Failure,
            Observation::Slowness,
            Observation::Exhaustion,
            Observation::Enabling,
        ] {
            for record in [FailureRecord::default(), FailureRecord::beginning(before), full] {
                let written = written(record, &change(observation).to_string(), now);
                assert_eq!(written, record.after(observation, now), "{observation:?}");
            }
        }
    }
}
