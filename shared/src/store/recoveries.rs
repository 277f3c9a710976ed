//! Recoveries, and the attribute of the endpoint that names the one that has not ended: both are written in one
//! transaction, so that there is never a second one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, Select, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};

use super::attribute::{Item, number, text};
use super::endpoint_item::endpoint_key;
use super::recovery_item::{self, OPTIONAL, partition, recovery_key};
use super::{Store, condition_failed};
use crate::domain::id::{EndpointId, RecoveryId, WorkspaceId};
use crate::domain::recovery::Recovery;
use crate::{Conflict, Error};

/// A page of recoveries.
#[derive(Debug, Default)]
pub struct RecoveryPage {
    /// The page's recoveries, newest first.
    pub recoveries: Vec<Recovery>,
    /// How many there are on all pages.
    pub total: usize,
}

/// What became of the write of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advanced {
    /// It is written.
    Yes,
    /// Another write came first: another message's, or somebody cancelled the recovery.
    Overtaken,
}

/// Attributes that are fixed when a recovery starts, its key among them.
const FIXED: [&str; 8] = [
    "endpoint",
    "delivery",
    "include",
    "since",
    "until",
    "events",
    "per_second",
    "started_at",
];

/// The condition under which a turn is written: no other write of a turn, and no end, came first.
const AS_IT_WAS_READ: &str = "turn = :read_turn AND #status = :read_status";

/// By then a start is written, or never will be, because its function has ended. Until then an endpoint may name a recovery
/// that is not there yet: reads of two items that a transaction writes may see one before and the other after it
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>).
const START_IS_WRITTEN: SignedDuration = SignedDuration::from_secs(60);

/// Tries of a start, for the case that the recovery in its way ends meanwhile, or is over.
const START_TRIES: usize = 3;

impl Store {
    /// Starts a recovery, unless another one has not ended.
    ///
    /// # Errors
    /// [`Conflict::RecoveryUnderWay`], [`Conflict::EndpointDisabled`], [`Error::NotFound`], or a call failed.
    pub async fn start_recovery(&self, workspace: &WorkspaceId, recovery: &Recovery) -> Result<(), Error> {
        let mut in_the_way: Option<RecoveryId> = None;
        for _ in 0..START_TRIES {
            let put = Put::builder()
                .table_name(&*self.tables.deliveries)
                .set_item(Some(self.recovery_item(recovery, recovery.started_at)?))
                .condition_expression("attribute_not_exists(delivery)")
                .build()
                .map_err(Error::unsendable("TransactWriteItems"))?;
            let name = self.starting(workspace, recovery, in_the_way.as_ref())?;
            let writes = vec![
                TransactWriteItem::builder().put(put).build(),
                TransactWriteItem::builder().update(name).build(),
            ];
            if self.transact(writes).await?.is_none() {
                return Ok(());
            }
            let endpoint = self.endpoint(workspace, &recovery.endpoint).await?;
            in_the_way = match endpoint.recovery {
                None if !endpoint.enabled => return Err(Conflict::EndpointDisabled.into()),
                None => None,
                // The answer to the first try was lost.
                Some(ours) if ours == recovery.id => return Ok(()),
                Some(other) => Some(self.over(&recovery.endpoint, other, recovery.started_at).await?),
            };
        }
        Err(Error::Overtaken)
    }

    /// One recovery, as of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn recovery(&self, endpoint: &EndpointId, id: &RecoveryId) -> Result<Recovery, Error> {
        let item = self
            .item(&self.tables.deliveries, recovery_key(endpoint, id))
            .await?;
        recovery_item::from_item(item.ok_or(Error::NotFound)?)
    }

    /// The recoveries number `skip` to `skip + take` of an endpoint, newest first, as of this moment, and how many there are.
    /// What comes after them is only counted.
    ///
    /// # Errors
    /// A call failed.
    pub async fn recoveries(
        &self,
        endpoint: &EndpointId,
        skip: usize,
        take: usize,
    ) -> Result<RecoveryPage, Error> {
        let mut page = RecoveryPage::default();
        let mut start: Option<Item> = None;
        loop {
            let is_complete = page.total >= skip + take;
            let query = self
                .client
                .query()
                .table_name(&*self.tables.deliveries)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("endpoint = :partition")
                .expression_attribute_values(":partition", text(&partition(endpoint)))
                .set_select(is_complete.then_some(Select::Count))
                .set_exclusive_start_key(start.take());
            let answer = query.send().await.map_err(Error::aws("Query"))?;
            start.clone_from(&answer.last_evaluated_key);
            let before = skip.saturating_sub(page.total);
            page.total += usize::try_from(answer.count).unwrap_or(0);
            let wanted = answer.items.unwrap_or_default().into_iter().skip(before);
            for item in wanted.take(take - page.recoveries.len()) {
                page.recoveries.push(recovery_item::from_item(item)?);
            }
            if start.is_none() {
                return Ok(page);
            }
        }
    }

    /// Writes what a turn has made of a recovery, if it is as it was `read`.
    ///
    /// # Errors
    /// The call failed.
    pub async fn advance_recovery(
        &self,
        read: &Recovery,
        recovery: &Recovery,
        now: Timestamp,
    ) -> Result<Advanced, Error> {
        let change = Change::of(self.recovery_item(recovery, now)?, read);
        let call = self
            .client
            .update_item()
            .table_name(&*self.tables.deliveries)
            .set_key(Some(recovery_key(&recovery.endpoint, &recovery.id)))
            .condition_expression(AS_IT_WAS_READ)
            .update_expression(change.expression)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values));
        match call.send().await {
            Ok(_) => Ok(Advanced::Yes),
            Err(error) if condition_failed(&error) => Ok(Advanced::Overtaken),
            Err(error) => Err(Error::aws("UpdateItem")(error)),
        }
    }

    /// Ends a recovery, `ended`, if it is as it was `read`: the endpoint is free for the next one, and its item says how
    /// this one ended.
    ///
    /// # Errors
    /// The call failed.
    pub async fn end_recovery(
        &self,
        workspace: &WorkspaceId,
        read: &Recovery,
        ended: &Recovery,
        now: Timestamp,
    ) -> Result<Advanced, Error> {
        let change = Change::of(self.recovery_item(ended, now)?, read);
        let update = Update::builder()
            .table_name(&*self.tables.deliveries)
            .set_key(Some(recovery_key(&ended.endpoint, &ended.id)))
            .condition_expression(AS_IT_WAS_READ)
            .update_expression(change.expression)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values));
        let summary = AttributeValue::M(recovery_item::to_summary(ended)?);
        let free = Update::builder()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(endpoint_key(workspace, &ended.endpoint)))
            .condition_expression("recovery = :id")
            .update_expression("SET last_recovery = :last REMOVE recovery")
            .expression_attribute_values(":id", text(&ended.id))
            .expression_attribute_values(":last", summary);
        let build = |update: UpdateBuilder| {
            let update = update.build().map_err(Error::unsendable("TransactWriteItems"))?;
            Ok::<_, Error>(TransactWriteItem::builder().update(update).build())
        };
        if self.transact(vec![build(update)?, build(free)?]).await?.is_none() {
            return Ok(Advanced::Yes);
        }
        let endpoint = self.endpoint(workspace, &ended.endpoint).await;
        if endpoint.is_ok_and(|endpoint| endpoint.recovery.as_ref() != Some(&ended.id)) {
            // Its table was restored, and it is not for this recovery to free.
            return self.advance_recovery(read, ended, now).await;
        }
        Ok(Advanced::Overtaken)
    }

    /// A recovery that an endpoint names, if it is over.
    ///
    /// # Errors
    /// [`Conflict::RecoveryUnderWay`], or the call failed.
    async fn over(&self, endpoint: &EndpointId, id: RecoveryId, now: Timestamp) -> Result<RecoveryId, Error> {
        let found = match self.recovery(endpoint, &id).await {
            Err(Error::NotFound) => None,
            other => Some(other?),
        };
        if is_over(&id, found.as_ref(), now) {
            return Ok(id);
        }
        Err(Conflict::RecoveryUnderWay(id).into())
    }

    /// The change of the endpoint by a start. A recovery that is `in_the_way` is over.
    fn starting(
        &self,
        workspace: &WorkspaceId,
        recovery: &Recovery,
        in_the_way: Option<&RecoveryId>,
    ) -> Result<Update, Error> {
        let free = match in_the_way {
            None => "attribute_not_exists(recovery)",
            Some(_) => "recovery = :other",
        };
        let mut update = Update::builder()
            .table_name(&*self.tables.endpoints)
            .set_key(Some(endpoint_key(workspace, &recovery.endpoint)))
            .condition_expression(format!(
                "attribute_exists(endpoint) AND enabled = :true AND {free}"
            ))
            .update_expression("SET recovery = :id")
            .expression_attribute_values(":id", text(&recovery.id))
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        if let Some(other) = in_the_way {
            update = update.expression_attribute_values(":other", text(other));
        }
        update.build().map_err(Error::unsendable("TransactWriteItems"))
    }

    /// A recovery is kept as long as a delivery, from its last turn on: one that goes on does not expire.
    fn recovery_item(&self, recovery: &Recovery, now: Timestamp) -> Result<Item, Error> {
        recovery_item::to_item(recovery, self.expiry(now))
    }
}

/// Whether a recovery that its endpoint names is over: it has ended, which an endpoint of a restored table does not know, or
/// it is not there, and not about to be.
fn is_over(id: &RecoveryId, found: Option<&Recovery>, now: Timestamp) -> bool {
    if let Some(found) = found {
        return found.status.has_ended();
    }
    let started_at = id.started_at();
    started_at.is_none_or(|started_at| now.duration_since(started_at) > START_IS_WRITTEN)
}

/// The update that writes a recovery, attribute by attribute, so that those of a later release survive.
struct Change {
    expression: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    /// The change to what the item says, of a recovery that was `read`.
    fn of(item: Item, read: &Recovery) -> Self {
        let removed = OPTIONAL.into_iter().filter(|name| !item.contains_key(*name));
        let removed: Vec<_> = removed.map(|name| format!("#{name}")).collect();
        let mut names: HashMap<_, _> = OPTIONAL.map(|name| (format!("#{name}"), name.to_owned())).into();
        let mut values = HashMap::from([
            (":read_turn".to_owned(), number(&read.progress.turn)),
            (":read_status".to_owned(), text(read.status.as_str())),
        ]);
        let mut set = Vec::new();
        for (name, value) in item {
            if FIXED.contains(&name.as_str()) {
                continue;
            }
            set.push(format!("#{name} = :{name}"));
            values.insert(format!(":{name}"), value);
            names.insert(format!("#{name}"), name);
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !removed.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&removed.join(", "));
        }
        Self {
            expression,
            names,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::endpoint::Subscriptions;
    use crate::domain::recovery::{Include, Wanted};

    fn now() -> Timestamp {
        "2026-06-07T10:30:00Z".parse().unwrap()
    }

    fn recovery() -> Recovery {
        let wanted = Wanted {
            include: Include::Failed,
            since: now(),
            until: now(),
            events: Subscriptions::everything(),
            per_second: 20,
        };
        let id = RecoveryId::new(now(), 7);
        Recovery::started("whe_1".parse().unwrap(), id, wanted, now(), SignedDuration::ZERO)
    }

    #[test]
    fn a_recovery_that_is_not_there_yet_is_not_over_and_one_that_has_expired_is() {
        let id = recovery().id;

        assert!(!is_over(&id, None, now()));
        assert!(!is_over(&id, None, now() + START_IS_WRITTEN));
        assert!(is_over(&id, None, now() + SignedDuration::from_hours(24)));
    }

    #[test]
    fn a_recovery_that_has_ended_is_over_whatever_its_endpoint_says() {
        let running = recovery();
        let ended = running.clone().cancelled(now());

        assert!(!is_over(&running.id, Some(&running), now()));
        assert!(is_over(&ended.id, Some(&ended), now()));
    }
}
