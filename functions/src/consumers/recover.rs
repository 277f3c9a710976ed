//! `recover`: gives an endpoint back what failed, or what it missed, page by page.
//!
//! A recovery's item is the truth; a message names it and the turn that is due. Invariants: what a turn decides is written
//! before anything follows from it, under the condition that the item still is as it was read, so of two messages that
//! make one turn only one goes on; the deliveries of a page are stored with it before the first is reopened, so a turn
//! that is made again finds the same ones; and a message is acknowledged only when the next is on its queue. All else that
//! a turn does may be done twice. What is decided is in `shared::domain::recovery`.

mod look;
mod send;
mod walk;

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use shared::Error;
use shared::domain::endpoint::Endpoint;
use shared::domain::id::WorkspaceId;
use shared::domain::recovery::{Admission, Recovery, Stage, Step};
use shared::queues::Turn;
use shared::store::{Advanced, Rows};

use super::set_aside;
use crate::app::App;
use crate::serve::{Batch, ComeBack, Consumer};

/// The consumer of the recoveries queue.
pub const CONSUMER: Consumer = Consumer {
    variables: &[
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "EVENTS_TABLE",
        "RECOVERIES_QUEUE_URL",
        "RETENTION_DAYS",
        "RETRIES_QUEUE_URL",
        "UNREADABLE_QUEUE_URL",
    ],
    on_messages: |app, batch| Box::pin(recover(app, batch)),
    come_back: ComeBack::AfterBackoff,
    on_records: None,
};

/// How long a turn walks before it writes how far it is: well below the function's time-out.
const WALK_FOR: Duration = Duration::from_secs(5);

/// A turn while it is made.
struct Work<'a> {
    app: &'a App,
    workspace: &'a WorkspaceId,
    message_id: &'a str,
    endpoint: Endpoint,
    /// The recovery as it is stored.
    stored: Recovery,
    /// When the turn began.
    begun: Timestamp,
}

/// Makes the turns of a batch. Each is of its own recovery, or does nothing.
async fn recover(app: &App, batch: &Batch) {
    let turns = batch
        .messages
        .iter()
        .map(async |message| match serde_json::from_str::<Turn>(&message.body) {
            Ok(turn) => match make(app, &turn, &message.id).await {
                Ok(()) => batch.acknowledge(message),
                Err(error) => {
                    tracing::warn!(error = error.chain(), message.id, recovery.id = %turn.recovery, "a turn comes back");
                }
            },
            Err(error) => set_aside(app, batch, message, "turn of a recovery", &error.to_string()).await,
        });
    join_all(turns).await;
}

async fn make(app: &App, turn: &Turn, message_id: &str) -> Result<(), Error> {
    let Some(recovery) = found(app.store.recovery(&turn.endpoint, &turn.recovery).await)? else {
        return Ok(());
    };
    match recovery.admit(message_id, turn.turn, app.clock.now()) {
        Admission::Stale => return Ok(()),
        Admission::Early => return send_next(app, &turn.workspace, &recovery).await,
        Admission::In(wait) => tokio::time::sleep(wait).await,
    }
    let Some(endpoint) = found(app.store.endpoint(&turn.workspace, &turn.endpoint).await)? else {
        return Ok(());
    };
    let work = Work {
        app,
        workspace: &turn.workspace,
        message_id,
        endpoint,
        stored: recovery,
        begun: app.clock.now(),
    };
    work.make().await
}

impl Work<'_> {
    /// Makes the turn: one stage, or more of them as long as nothing is to be waited for.
    async fn make(mut self) -> Result<(), Error> {
        let mut recovery = self.stored.clone();
        let mut known: Option<Rows> = None;
        loop {
            recovery = match recovery.step(&self.endpoint) {
                Step::Cancel => recovery.cancelled(self.begun),
                Step::Count => self.count(recovery).await?,
                Step::Take => {
                    let (taken, rows) = self.take(recovery).await?;
                    known = Some(rows);
                    taken
                }
                Step::Send => {
                    let kept = self.send(&recovery, known.take()).await?;
                    recovery.sent(kept, self.begun)
                }
                Step::Look => match self.look(recovery).await? {
                    // The next page is written with the end of this one.
                    Some(looked) if looked.progress.stage == Stage::Taking => {
                        recovery = looked;
                        continue;
                    }
                    Some(looked) => looked,
                    None => return Ok(()),
                },
                Step::Probe => {
                    let is_failing = self.endpoint.failures.failing_since.is_some();
                    recovery.rested(is_failing, self.begun)
                }
            };
            recovery = self.write(recovery).await?;
            if recovery.progress.stage == Stage::Sending {
                continue;
            }
            self.log();
            if recovery.status.has_ended() {
                return Ok(());
            }
            return send_next(self.app, self.workspace, &recovery).await;
        }
    }

    /// Writes the recovery, if it is as it was read; the message comes back otherwise, and sees what came first.
    async fn write(&mut self, recovery: Recovery) -> Result<Recovery, Error> {
        let written = recovery.written_by(self.message_id);
        let now = self.app.clock.now();
        let ends = written.status.has_ended() && !self.stored.status.has_ended();
        let store = &self.app.store;
        let advanced = if ends {
            store
                .end_recovery(self.workspace, &self.stored, &written, now)
                .await?
        } else {
            store.advance_recovery(&self.stored, &written, now).await?
        };
        if advanced == Advanced::Overtaken {
            return Err(Error::Overtaken);
        }
        self.stored = written.clone();
        Ok(written)
    }

    fn log(&self) {
        let recovery = &self.stored;
        tracing::info!(
            recovery.id = %recovery.id,
            endpoint.id = %recovery.endpoint,
            recovery.turn = recovery.progress.turn,
            recovery.status = recovery.status.as_str(),
            recovery.total = recovery.counts.total,
            recovery.retried = recovery.counts.retried,
            recovery.delivered = recovery.counts.delivered,
            recovery.failed = recovery.counts.failed,
            "turn of a recovery"
        );
    }
}

/// Puts the message of the next turn on its queue.
async fn send_next(app: &App, workspace: &WorkspaceId, recovery: &Recovery) -> Result<(), Error> {
    let next = Turn {
        workspace: workspace.clone(),
        endpoint: recovery.endpoint.clone(),
        recovery: recovery.id.clone(),
        turn: recovery.progress.turn,
    };
    let next = next.outgoing(recovery.delay_seconds(app.clock.now()))?;
    app.queues.send_one(&app.config.queues.recoveries, next).await
}

/// `None` for what is not there.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::NotFound) => Ok(None),
        other => other.map(Some),
    }
}
