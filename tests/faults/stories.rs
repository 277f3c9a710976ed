//! What can become of an event: the stories that are told with and without faults.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use local::receiver::{Answer, Receiver};
use serde_json::Value;
use tests::Workspace;

use crate::faults::STACK;
use crate::faults::proxy::Call;

/// Longer than any story takes, with the longest fault in it.
const LONGEST: Duration = Duration::from_mins(3);

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// The first attempt fails, the second succeeds.
    Retried,
    /// The receiver asks for so much time that the scheduler is needed.
    Scheduled,
    /// Every attempt fails, for so long that the endpoint is disabled.
    Exhausted,
    /// The receiver is gone for good.
    Gone,
}

/// How a story ended, as the owner of the endpoint sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    deliveries: usize,
    status: String,
    next_attempt_at: Value,
    enabled: Value,
    disabled_reason: Value,
    /// The event arrived at least once.
    arrived: bool,
}

/// A story about to be told.
pub(crate) struct Scene {
    story: Story,
    workspace: Workspace,
    endpoint: String,
    receiver: Receiver,
}

impl Story {
    pub(crate) const ALL: [Self; 4] = [Self::Retried, Self::Scheduled, Self::Exhausted, Self::Gone];

    /// A workspace with one endpoint that answers as the story has it.
    pub(crate) async fn open(self) -> Scene {
        let workspace = Workspace::new(&STACK).await;
        let requests = AtomicUsize::new(0);
        let receiver = Receiver::start(move |_| self.answer(requests.fetch_add(1, Ordering::SeqCst)));
        let receiver = receiver.await.expect("a receiver");
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        Scene {
            story: self,
            workspace,
            endpoint,
            receiver,
        }
    }

    fn answer(self, earlier_requests: usize) -> Answer {
        match (self, earlier_requests) {
            (Self::Gone, _) => Answer::status(410),
            (Self::Exhausted, _) | (Self::Retried, 0) => Answer::status(500),
            (Self::Scheduled, 0) => Answer::status(503).header("retry-after", "15"),
            _ => Answer::status(200),
        }
    }

    /// Whether the delivery has ended, and the endpoint stands as it should then.
    pub(crate) fn ends_in(self, outcome: &Outcome) -> bool {
        let disabled = matches!(self, Self::Exhausted | Self::Gone);
        outcome.status == self.end() && outcome.enabled == !disabled
    }

    fn end(self) -> &'static str {
        match self {
            Self::Retried | Self::Scheduled => "delivered",
            Self::Exhausted | Self::Gone => "failed",
        }
    }

    /// Whether a call is told by this story and not by a shorter one already.
    pub(crate) fn is_about(self, call: &Call, earlier: usize) -> bool {
        match self {
            Self::Retried => true,
            Self::Scheduled => call.name.starts_with("CreateSchedule"),
            Self::Exhausted => call.name.starts_with("UpdateItem") && earlier > 0,
            Self::Gone => call.name.starts_with("UpdateItem"),
        }
    }
}

impl Scene {
    /// What the requests on the event's path hold.
    pub(crate) fn keys(&self) -> [String; 2] {
        [self.workspace.id.clone(), self.endpoint.clone()]
    }

    /// Sends the event and waits for the end, or for the patience to end.
    pub(crate) async fn play(self) -> Outcome {
        let event = self.workspace.send_event("poster.scanned").await;
        let start = Instant::now();
        loop {
            let outcome = self.outcome(&event.id).await;
            if self.story.ends_in(&outcome) || start.elapsed() > LONGEST {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn outcome(&self, event: &str) -> Outcome {
        let deliveries = self.workspace.deliveries(&self.endpoint).await;
        let endpoint = self.workspace.get(&format!("/{}", self.endpoint)).await.body;
        let last = deliveries.first().unwrap_or(&Value::Null);
        let received = self.receiver.received();
        Outcome {
            deliveries: deliveries.len(),
            status: last["status"].as_str().unwrap_or_default().to_owned(),
            next_attempt_at: last["next_attempt_at"].clone(),
            enabled: endpoint["enabled"].clone(),
            disabled_reason: endpoint["disabled_reason"].clone(),
            arrived: received
                .iter()
                .any(|request| request.header("webhook-id") == event),
        }
    }
}
