//! Deliveries, keyed by endpoint and delivery: what was attempted, and how it ended.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::attribute::{Fields, item, key, number, text, time};
use super::delivery_item::delivery_key;
use super::late::{Late, WRITTEN_WITHIN, late_kind};
use super::partiql::{self, Execution, Statement};
use super::{Removed, Store, condition_failed, delivery_item, kept_counts, kept_hours, late, recovery_item};
use crate::backoff::Backoff;
use crate::domain::delivery::{Delivery, Status};
use crate::domain::id::{DeliveryId, EndpointId};
use crate::domain::manual_retry::NotRetriable;
use crate::{Conflict, Error};

/// Tries of a write that DynamoDB leaves when it throttles: about a second.
const TRIES: Backoff = Backoff::new(4, Duration::from_millis(200), Duration::from_secs(1));

/// A new record of a delivery, and what it may replace.
#[derive(Debug, Clone)]
pub struct DeliveryWrite {
    /// The record to write.
    pub record: Delivery,
    /// What must be there for it to be written.
    pub expected: Expected,
}

/// What a write may replace; anything else means that another write came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// No record.
    Absent,
    /// A pending record as it was read.
    Pending {
        /// The attempts that the record has.
        attempt_count: u32,
        /// The message that the next attempt was planned for.
        planned_for: Option<String>,
        /// The manual retry that is under way.
        manual_retry: Option<String>,
    },
}

impl Expected {
    /// What a write that follows from reading `record` may replace.
    #[must_use]
    pub fn of(record: Option<&Delivery>) -> Self {
        record.map_or(Self::Absent, |record| Self::Pending {
            attempt_count: record.attempt_count,
            planned_for: record.planned_for.clone(),
            manual_retry: record.manual_retry.clone(),
        })
    }

    /// How many attempts a record has that may be replaced.
    fn attempt_count(&self) -> Option<u32> {
        match self {
            Self::Absent => None,
            Self::Pending { attempt_count, .. } => Some(*attempt_count),
        }
    }
}

/// What became of a write.
#[derive(Debug)]
pub enum Written {
    /// The record is written.
    Yes,
    /// Another write came first: the record is another one now.
    Overtaken,
    /// It is not written for now, or nobody knows: its partition is throttled, say. To be tried again.
    Open(Error),
    /// It is not written, and never will be.
    Failed(Error),
}

impl Store {
    /// Writes records of different deliveries once, each under its condition, in one call for many.
    /// The results are in the order of the writes; whoever writes tries again what is left open.
    pub async fn record_deliveries(&self, writes: &[&DeliveryWrite], now: Timestamp) -> Vec<Written> {
        let new = writes.iter().filter_map(|write| {
            Some(Late {
                kind: late_kind(write.expected.attempt_count(), write.record.attempt_count)?,
                endpoint: &write.record.endpoint,
                delivery: &write.record.id,
            })
        });
        let decided = Instant::now();
        let mut unmarked = self.mark_late(new, now).await;
        let statements = writes
            .iter()
            .filter(|write| !unmarked.contains_key(&write.record.id))
            .map(|write| self.delivery_statement(write))
            .collect();
        let executions = timeout_at(decided + WRITTEN_WITHIN, partiql::run(&self.client, statements)).await;
        // What is cut off is decided again: by the next try it may be late.
        let mut executions = executions.unwrap_or_default().into_iter();
        let written = writes.iter().map(|write| {
            if let Some(error) = unmarked.remove(&write.record.id) {
                return Written::Open(error);
            }
            let undone = || Written::Open(Error::LeftUndone("BatchExecuteStatement"));
            executions.next().map_or_else(undone, Written::from)
        });
        written.collect()
    }

    /// Writes records of failed deliveries that are reopened ([`Delivery::reopened`]), many in one call. The results are in
    /// the order of the records, which must be of different deliveries; one that is not failed any more, or has more
    /// attempts by now, is overtaken.
    pub async fn reopen_deliveries(&self, reopened: &[Delivery]) -> Vec<Written> {
        let statements: Vec<_> = reopened
            .iter()
            .map(|record| retrying(&self.tables.deliveries, record, None))
            .collect();
        let executions = partiql::run(&self.client, statements).await;
        executions.into_iter().map(Written::from).collect()
    }

    /// Adds a record, if there is none.
    ///
    /// # Errors
    /// The call failed. That there is one already is not an error.
    pub async fn put_delivery_if_absent(&self, record: &Delivery) -> Result<(), Error> {
        let call = self
            .client
            .put_item()
            .table_name(&*self.tables.deliveries)
            .set_item(Some(item(self.fields(record))))
            .condition_expression("attribute_not_exists(delivery)");
        match call.send().await {
            Err(error) if condition_failed(&error) => Ok(()),
            other => other.map(|_| ()).map_err(Error::aws("PutItem")),
        }
    }

    /// One delivery, as of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn delivery(&self, endpoint: &EndpointId, id: &DeliveryId) -> Result<Delivery, Error> {
        let item = self
            .item(&self.tables.deliveries, delivery_key(endpoint, id))
            .await?;
        delivery_item::from_item(item.ok_or(Error::NotFound)?)
    }

    /// Writes that a manual retry is under way, as this record, of a delivery that failed or waits until a time.
    ///
    /// # Errors
    /// [`Conflict::NotRetriable`] if another write came first, [`Error::NotFound`], or a call failed.
    pub async fn begin_retry(
        &self,
        retried: Delivery,
        waits_until: Option<Timestamp>,
    ) -> Result<Delivery, Error> {
        let statement = retrying(&self.tables.deliveries, &retried, waits_until);
        let mut tries = TRIES;
        loop {
            match partiql::run_one(&self.client, statement.clone()).await {
                Execution::Done => return Ok(retried),
                Execution::ConditionFailed => break,
                Execution::Open(_) if tries.wait().await => {}
                Execution::Open(error) | Execution::Failed(error) => return Err(error),
            }
        }
        let current = self.delivery(&retried.endpoint, &retried.id).await?;
        // An answer was lost, and the next try has found what the first one wrote.
        if current == retried {
            return Ok(current);
        }
        Err(Conflict::from(NotRetriable::after_another_write(&current)).into())
    }

    /// Deletes about `limit` records of an endpoint's history, and of what is kept beside it.
    ///
    /// # Errors
    /// A call failed; some records may be gone by then.
    pub async fn delete_some_history(&self, endpoint: &EndpointId, limit: usize) -> Result<Removed, Error> {
        let partitions = [
            endpoint.to_string(),
            kept_counts::partition(endpoint),
            kept_hours::partition(endpoint),
            late::partition(endpoint),
            recovery_item::partition(endpoint),
        ];
        let table = &self.tables.deliveries;
        let mut count = 0;
        for partition in partitions {
            let query = self
                .client
                .query()
                .consistent_read(true)
                .key_condition_expression("endpoint = :endpoint")
                .expression_attribute_values(":endpoint", text(&partition))
                .projection_expression("endpoint, delivery");
            let found = self.find(table, query, limit).await?;
            let removed = self.delete(found).await?;
            count += removed.count;
            if removed.more {
                return Ok(Removed { count, more: true });
            }
        }
        Ok(Removed { count, more: false })
    }

    fn delivery_statement(&self, write: &DeliveryWrite) -> Statement {
        statement(&self.tables.deliveries, write, self.fields(&write.record))
    }

    fn fields(&self, record: &Delivery) -> Fields {
        let accepted_at = record.id.accepted_at().unwrap_or(Timestamp::UNIX_EPOCH);
        delivery_item::fields(record, self.expiry(accepted_at))
    }
}

impl From<Execution> for Written {
    fn from(execution: Execution) -> Self {
        match execution {
            Execution::Done => Self::Yes,
            Execution::ConditionFailed => Self::Overtaken,
            Execution::Failed(error) => Self::Failed(error),
            Execution::Open(error) => Self::Open(error),
        }
    }
}

/// The write of a record under a manual retry, if the delivery still is one that failed, or that waits until this time:
/// what follows an attempt is planned once.
fn retrying(table: &str, retried: &Delivery, waits_until: Option<Timestamp>) -> Statement {
    let mut condition = delivery_key(&retried.endpoint, &retried.id);
    condition.insert("attempt_count".to_owned(), number(&retried.attempt_count));
    let (status, removed) = match waits_until {
        None => (Status::Failed, &[][..]),
        Some(due) => {
            condition.insert("next_attempt_at".to_owned(), time(due));
            (Status::Pending, &["next_attempt_at", "planned_for"][..])
        }
    };
    condition.insert("status".to_owned(), text(status.as_str()));
    let undelivered = delivery_item::undelivered_key(retried.status, &retried.id);
    let set = key([
        ("status", retried.status.as_str()),
        ("undelivered", &undelivered.unwrap_or_default()),
        (
            "manual_retry",
            retried.manual_retry.as_deref().unwrap_or_default(),
        ),
    ]);
    Statement::update(table, condition, &[], set, removed)
}

/// The write of a record under its condition, where `fields` are the whole record.
fn statement(table: &str, write: &DeliveryWrite, fields: Fields) -> Statement {
    let Expected::Pending {
        attempt_count,
        planned_for,
        manual_retry,
    } = &write.expected
    else {
        return Statement::insert(table, fields);
    };
    let mut item = item(fields);
    let mut condition = delivery_key(&write.record.endpoint, &write.record.id);
    for name in condition.keys() {
        item.remove(name);
    }
    // How long a record lives is fixed when it is inserted.
    item.remove("expires_at");
    condition.insert("attempt_count".to_owned(), number(attempt_count));
    condition.insert("status".to_owned(), text(&Status::Pending.as_str()));
    let mut missing = Vec::new();
    for (name, value) in [("planned_for", planned_for), ("manual_retry", manual_retry)] {
        match value {
            Some(value) => drop(condition.insert(name.to_owned(), text(value))),
            None => missing.push(name),
        }
    }
    let removed: Vec<_> = delivery_item::OPTIONAL
        .into_iter()
        .filter(|name| !item.contains_key(*name))
        .collect();
    Statement::update(table, condition, &missing, item, &removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the statement that writes a record.
    fn written(expected: Expected) -> String {
        let record = Delivery {
            endpoint: "whe_1".parse().unwrap(),
            id: "del_1".parse().unwrap(),
            event_id: "evt_1".parse().unwrap(),
            event: "a.b".to_owned().try_into().unwrap(),
            test: false,
            status: Status::Delivered,
            attempt_count: 1,
            attempts: Vec::new(),
            next_attempt_at: None,
            planned_for: None,
            last_error: None,
            manual_retry: None,
        };
        let fields = delivery_item::fields(&record, 7);
        format!(
            "{:?}",
            statement("t", &DeliveryWrite { record, expected }, fields)
        )
    }

    #[test]
    fn how_long_a_record_lives_is_fixed_when_it_is_inserted() {
        assert!(written(Expected::Absent).contains("expires_at"));
        assert!(!written(pending(None)).contains("expires_at"));
    }

    fn pending(planned_for: Option<&str>) -> Expected {
        Expected::Pending {
            attempt_count: 0,
            planned_for: planned_for.map(str::to_owned),
            manual_retry: None,
        }
    }

    #[test]
    fn a_record_is_changed_only_as_it_was_read() {
        let changed = written(pending(None));

        assert!(changed.contains("WHERE") && changed.contains("attempt_count"));
        assert!(changed.contains("REMOVE \\\"undelivered\\\""));
        assert!(changed.contains("\\\"planned_for\\\" IS MISSING"));
        assert!(changed.contains("\\\"manual_retry\\\" IS MISSING"));
        assert!(written(pending(Some("m"))).contains("\\\"planned_for\\\" = ?"));
    }
}
