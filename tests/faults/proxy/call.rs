//! A call of an AWS service, recognised from the request.

use bytes::Bytes;
use http::request::Parts;

/// What a call can concern; the deployed names hold these.
const RESOURCES: [&str; 13] = [
    "EndpointsTable",
    "EventsTable",
    "DeliveriesTable",
    "TokensTable",
    "RejectedEventsQueue",
    "EventsQueue",
    "DeliveriesQueue",
    "RetriesQueue",
    "FailedAttemptsQueue",
    "ParkedQueue",
    "UnreadableQueue",
    "PurgesQueue",
    "RecoveriesQueue",
];

/// A call on its way to AWS.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The action and what it concerns, such as `UpdateItem EndpointsTable`.
    pub(crate) name: String,
    /// Whose credentials signed it.
    pub(crate) access_key: String,
    /// The request's body.
    pub(crate) body: Bytes,
}

impl Call {
    pub(super) fn of(head: &Parts, body: Bytes) -> Self {
        let text = String::from_utf8_lossy(&body);
        let mut name = action(head);
        // With dashes around it: `EventsQueue` is part of `RejectedEventsQueue`.
        for resource in RESOURCES {
            if text.contains(&format!("-{resource}-")) {
                name.push(' ');
                name.push_str(resource);
            }
        }
        Self {
            name,
            access_key: access_key(head),
            body,
        }
    }

    /// Whether the request holds one of these texts.
    pub(crate) fn holds_any(&self, texts: &[String]) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        texts.iter().any(|text| body.contains(text))
    }

    pub(super) fn is_keyless(&self) -> bool {
        self.name.starts_with("ChangeMessageVisibilityBatch")
    }
}

/// `X-Amz-Target` is `AmazonSQS.SendMessageBatch`; the scheduler has paths instead.
fn action(head: &Parts) -> String {
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.rsplit('.').next()) {
        Some(action) => action.to_owned(),
        None if head.uri.path().starts_with("/schedules/") => "CreateSchedule".to_owned(),
        None => format!("{} {}", head.method, head.uri.path()),
    }
}

/// `Authorization` is `AWS4-HMAC-SHA256 Credential=<access key>/<date>/…`.
fn access_key(head: &Parts) -> String {
    let header = head
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let credential = header.and_then(|header| header.split_once("Credential=")?.1.split('/').next());
    credential.unwrap_or_default().to_owned()
}
