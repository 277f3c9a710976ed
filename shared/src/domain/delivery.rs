//! A delivery: one event on its way to one endpoint, with the attempts made so far.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_type::EventName;
use super::id::{DeliveryId, EndpointId, EventId};
use super::response_headers::ResponseHeaders;
use super::task::{Kind, Task};

/// Attempts kept in the record; only manual retries can make more, and then the oldest but the first go. Statistics count
/// the first one.
const MAX_KEPT_ATTEMPTS: usize = 30;

/// The record of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it goes.
    pub endpoint: EndpointId,
    /// Its id, which holds the time at which the event was accepted.
    pub id: DeliveryId,
    /// The event on its way.
    pub event_id: EventId,
    /// The event's name.
    pub event: EventName,
    /// Whether it is a test event.
    pub test: bool,
    /// Its status.
    pub status: Status,
    /// How many attempts were made, the interrupted ones included.
    pub attempt_count: u32,
    /// The first attempt and the last ones, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the next attempt is due; `None` if there is none, or it is being scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// The message on the failed-attempts queue that the next attempt was planned for.
    pub planned_for: Option<String>,
    /// Why the last attempt failed, or why there was none.
    pub last_error: Option<Failure>,
    /// The manual retry that is under way.
    pub manual_retry: Option<String>,
}

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not finished.
    Pending,
    /// The endpoint answered 2xx.
    Delivered,
    /// No further attempt will be made, unless somebody asks for one.
    Failed,
}

impl Status {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// The status of the response, if one came.
    pub http_status: Option<u16>,
    /// From the name look-up to the end of the response, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed; `None` for a success.
    pub failure: Option<Failure>,
    /// The beginning of the response's body.
    pub response_body: Option<String>,
    /// The headers of the response that explain a failure; none of a success.
    pub response_headers: ResponseHeaders,
    /// How long the receiver asked to wait, in seconds.
    pub retry_after_seconds: Option<u32>,
}

impl Attempt {
    /// An attempt that was cut off, by a crash, a time-out or a throttle, before its outcome was recorded.
    #[must_use]
    pub fn interrupted(at: Timestamp) -> Self {
        Self {
            at,
            http_status: None,
            duration_ms: 0,
            failure: Some(Failure::Interrupted),
            response_body: None,
            response_headers: ResponseHeaders::default(),
            retry_after_seconds: None,
        }
    }

    /// Whether the receiver said that it is gone for good.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.http_status == Some(410)
    }

    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        let duration = SignedDuration::from_millis(i64::try_from(self.duration_ms).unwrap_or(i64::MAX));
        self.at.saturating_add(duration).unwrap_or(self.at)
    }
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An attempt was made.
    Attempted(Attempt),
    /// The delivery ends without one.
    Ended(Failure),
}

impl Outcome {
    /// Whether the event was delivered.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.attempt().is_some_and(|attempt| attempt.failure.is_none())
    }

    /// The attempt, if one was made.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Attempted(attempt) => Some(attempt),
            Self::Ended(_) => None,
        }
    }
}

/// What becomes of an outcome whose record was changed by another write since it was read: another process made the
/// same attempt, say, or `send-test-event` added the record.
#[derive(Debug, PartialEq, Eq)]
pub enum Overtaken {
    /// Nothing is left to record; this is the delivery's status.
    Leave(Status),
    /// The outcome is to be recorded on top of what is there now.
    Record(Delivery),
}

impl Overtaken {
    /// Decides what becomes of it. While the delivery is pending, a success is recorded in any case, because the
    /// receiver has the event; anything else only if its attempt is not recorded yet, and no manual retry has begun or
    /// ended since.
    #[must_use]
    pub fn of(current: Option<&Delivery>, task: &Task, outcome: &Outcome) -> Self {
        match current {
            // The record was purged, or has expired.
            None => Self::Leave(Status::Failed),
            Some(current) if current.status != Status::Pending => Self::Leave(current.status),
            Some(current)
                if !outcome.is_success()
                    && (current.attempt_count >= task.attempt
                        || current.manual_retry != task.manual_retry) =>
            {
                Self::Leave(current.status)
            }
            Some(current) => Self::Record(current.clone().with(outcome, task.kind)),
        }
    }
}

/// Why an attempt failed, or was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The name could not be looked up.
    Dns,
    /// No connection, or it broke before the response was complete.
    Connect,
    /// No secure connection: a wrong certificate, say.
    Tls,
    /// The deadline passed.
    Timeout,
    /// The url leads to a private or reserved address.
    RefusedAddress,
    /// The response's status is not 2xx.
    Status,
    /// The response's head is too large.
    TooLarge,
    /// The attempt was cut off before its outcome was recorded.
    Interrupted,
    /// The endpoint was disabled when the attempt was due.
    EndpointDisabled,
    /// The event is no longer kept.
    EventExpired,
}

impl Failure {
    /// The code of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::RefusedAddress => "refused_address",
            Self::Status => "status",
            Self::TooLarge => "too_large",
            Self::Interrupted => "interrupted",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EventExpired => "event_expired",
        }
    }
}

impl Delivery {
    /// The record of a delivery before its first attempt.
    #[must_use]
    pub fn pending(task: &Task) -> Self {
        Self {
            endpoint: task.endpoint.clone(),
            id: task.delivery.clone(),
            event_id: task.event_id.clone(),
            event: task.event.clone(),
            test: task.kind == Kind::Test,
            status: Status::Pending,
            attempt_count: 0,
            attempts: Vec::new(),
            next_attempt_at: None,
            planned_for: None,
            last_error: None,
            manual_retry: None,
        }
    }

    /// The record with what came of a task.
    #[must_use]
    pub fn with(self, outcome: &Outcome, kind: Kind) -> Self {
        match outcome {
            Outcome::Attempted(attempt) => self.after(attempt.clone(), kind),
            Outcome::Ended(failure) => self.failed(*failure),
        }
    }

    /// The record after one more attempt. Only a failed automatic attempt leaves it pending.
    #[must_use]
    pub fn after(mut self, attempt: Attempt, kind: Kind) -> Self {
        self.status = match attempt.failure {
            None => Status::Delivered,
            Some(_) if kind == Kind::Automatic && !attempt.is_gone() => Status::Pending,
            Some(_) => Status::Failed,
        };
        self.last_error = attempt.failure;
        self = self.without_next_attempt();
        self.attempt_count += 1;
        self.attempts.push(attempt);
        let surplus = self.attempts.len().saturating_sub(MAX_KEPT_ATTEMPTS);
        self.attempts.drain(1..=surplus);
        self
    }

    /// The record while a manual retry of this name is under way; `None` unless the delivery has failed.
    #[must_use]
    pub fn reopened(self, manual_retry: &str) -> Option<Self> {
        (self.status == Status::Failed).then(|| self.retried_under(manual_retry))
    }

    /// The record while a manual retry of this name is under way, in the place of whatever was planned.
    #[must_use]
    pub(super) fn retried_under(mut self, manual_retry: &str) -> Self {
        self.status = Status::Pending;
        self.manual_retry = Some(manual_retry.to_owned());
        self.without_next_attempt()
    }

    /// The record of a delivery that ends without another attempt.
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        self.status = Status::Failed;
        self.last_error = Some(failure);
        self.without_next_attempt()
    }

    /// The record while the next attempt waits, which was planned for a message.
    #[must_use]
    pub fn waiting_until(mut self, next_attempt_at: Timestamp, planned_for: &str) -> Self {
        self.next_attempt_at = Some(next_attempt_at);
        self.planned_for = Some(planned_for.to_owned());
        self
    }

    /// The record after its last scheduled attempt failed.
    #[must_use]
    pub fn exhausted(mut self) -> Self {
        self.status = Status::Failed;
        self.without_next_attempt()
    }

    fn without_next_attempt(mut self) -> Self {
        self.next_attempt_at = None;
        self.planned_for = None;
        self
    }

    /// The status of the last response, if the last attempt got one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.attempts.last().and_then(|attempt| attempt.http_status)
    }

    /// When the endpoint's 2xx had arrived.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let last = self.attempts.last().filter(|_| self.status == Status::Delivered);
        last.map(Attempt::ended_at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{attempt, record, task};
    use super::*;

    fn overtaken(current: Option<&Delivery>, outcome: &Outcome) -> Overtaken {
        Overtaken::of(current, &task(1, Kind::Automatic), outcome)
    }

    fn answered(http_status: u16) -> Outcome {
        Outcome::Attempted(attempt(http_status))
    }

    #[test]
    fn only_a_failed_automatic_attempt_leaves_a_delivery_pending() {
        let status = |http_status: u16, kind: Kind| record(&task(1, kind), &[http_status]).status;

        assert_eq!(status(200, Kind::Automatic), Status::Delivered);
        assert_eq!(status(500, Kind::Automatic), Status::Pending);
        assert_eq!(status(410, Kind::Automatic), Status::Failed);
        assert_eq!(status(500, Kind::Manual), Status::Failed);
        assert_eq!(status(500, Kind::Test), Status::Failed);
    }

    #[test]
    fn the_first_attempt_and_the_last_29_are_kept() {
        let task = task(1, Kind::Manual);
        let statuses: Vec<u16> = (400..450).collect();

        let record = record(&task, &statuses);

        let kept: Vec<_> = record.attempts.iter().filter_map(|one| one.http_status).collect();
        assert_eq!(record.attempt_count, 50);
        assert_eq!((kept.len(), kept[0], kept[1]), (30, 400, 421));
        assert_eq!(record.http_status(), Some(449));
    }

    #[test]
    fn only_a_failed_delivery_is_reopened() {
        let failed = record(&task(1, Kind::Automatic), &[410]);

        let reopened = failed.clone().reopened("r").unwrap();

        assert_eq!(
            (reopened.status, reopened.manual_retry.as_deref()),
            (Status::Pending, Some("r"))
        );
        assert_eq!(reopened.attempts, failed.attempts);
        assert_eq!(reopened.reopened("other"), None);
        assert_eq!(record(&task(1, Kind::Automatic), &[200]).reopened("r"), None);
    }

    #[test]
    fn an_overtaken_outcome_of_a_purged_delivery_is_not_recorded() {
        assert_eq!(overtaken(None, &answered(200)), Overtaken::Leave(Status::Failed));
    }

    #[test]
    fn an_overtaken_outcome_of_a_delivery_that_has_ended_is_not_recorded() {
        let delivered = record(&task(1, Kind::Automatic), &[200]);

        assert_eq!(
            overtaken(Some(&delivered), &answered(500)),
            Overtaken::Leave(Status::Delivered)
        );
        assert_eq!(
            overtaken(Some(&delivered), &answered(200)),
            Overtaken::Leave(Status::Delivered)
        );
    }

    #[test]
    fn an_overtaken_failure_is_recorded_only_if_its_attempt_is_not() {
        let task = task(1, Kind::Automatic);
        let (no_attempt, failed) = (record(&task, &[]), record(&task, &[500]));

        let Overtaken::Record(recorded) = overtaken(Some(&no_attempt), &answered(500)) else {
            panic!("it must be recorded");
        };

        assert_eq!((recorded.attempt_count, recorded.status), (1, Status::Pending));
        assert_eq!(
            overtaken(Some(&failed), &answered(500)),
            Overtaken::Leave(Status::Pending)
        );
    }

    #[test]
    fn an_overtaken_failure_is_not_recorded_once_a_manual_retry_is_under_way() {
        let mut retried = record(&task(1, Kind::Automatic), &[]);
        retried.manual_retry = Some("r".to_owned());

        assert_eq!(
            overtaken(Some(&retried), &answered(500)),
            Overtaken::Leave(Status::Pending)
        );
    }

    #[test]
    fn an_overtaken_success_is_recorded_while_the_delivery_is_pending() {
        let failed = record(&task(1, Kind::Automatic), &[500]);

        let Overtaken::Record(recorded) = overtaken(Some(&failed), &answered(200)) else {
            panic!("it must be recorded");
        };

        assert_eq!((recorded.attempt_count, recorded.status), (2, Status::Delivered));
    }

    #[test]
    fn an_overtaken_end_without_an_attempt_ends_a_delivery_of_which_nothing_is_recorded() {
        let no_attempt = record(&task(1, Kind::Automatic), &[]);

        let Overtaken::Record(recorded) =
            overtaken(Some(&no_attempt), &Outcome::Ended(Failure::EndpointDisabled))
        else {
            panic!("it must be recorded");
        };

        assert_eq!(recorded.last_error, Some(Failure::EndpointDisabled));
        assert_eq!((recorded.attempt_count, recorded.status), (0, Status::Failed));
    }
}
