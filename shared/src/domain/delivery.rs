//! A delivery: one event on its way to one endpoint, with the attempts made so far.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_type::EventName;
use super::id::{DeliveryId, EndpointId, EventId};
use super::task::{Kind, Task};

/// Attempts kept in the record; only manual retries can make more, and then the oldest go.
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
    /// How it stands.
    pub status: Status,
    /// How many attempts were made, the interrupted ones included.
    pub attempt_count: u32,
    /// The last attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the next attempt is due; `None` if there is none, or it is being scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why there was none.
    pub last_error: Option<Failure>,
    /// The manual retry that is under way.
    pub manual_retry: Option<String>,
}

/// How a delivery stands.
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

/// Why an attempt failed, or was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
            last_error: None,
            manual_retry: None,
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
        self.next_attempt_at = None;
        self.attempt_count += 1;
        self.attempts.push(attempt);
        let surplus = self.attempts.len().saturating_sub(MAX_KEPT_ATTEMPTS);
        self.attempts.drain(..surplus);
        self
    }

    /// The record of a delivery that ends without another attempt.
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        self.status = Status::Failed;
        self.last_error = Some(failure);
        self.next_attempt_at = None;
        self
    }

    /// The record while the next attempt waits.
    #[must_use]
    pub fn waiting_until(mut self, next_attempt_at: Timestamp) -> Self {
        self.next_attempt_at = Some(next_attempt_at);
        self
    }

    /// The record after its last scheduled attempt failed.
    #[must_use]
    pub fn exhausted(mut self) -> Self {
        self.status = Status::Failed;
        self.next_attempt_at = None;
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
