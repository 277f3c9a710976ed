//! Erases a workspace, a part with each call, until nothing of it is left.
//!
//! It looks for tokens, endpoints and events, removes what it finds, and looks again; then it cleans up after the endpoints.
//! Invariants: before anything is removed, it is stored that the workspace has to be looked at again, so a call that dies is
//! followed by one that goes on; and `erased` is answered only after a look that found nothing and began when nothing was
//! under way any more. What is decided is in `shared::domain::erasure`.

use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Error;
use shared::domain::erasure::{Erasure, Next, after_finding_nothing};
use shared::domain::id::{EndpointId, WorkspaceId};

use crate::api::delete_endpoint;
use crate::app::App;
use crate::consumers::purge;
use crate::serve::{Command, CommandError, Deadline, answer_to};

/// How long a call begins new work. One that hangs then still ends within this function's time-out, which is less than the
/// minute for which the AWS CLI waits for an answer.
const WORK_FOR: Duration = Duration::from_secs(40);

/// How long to wait for the index of tokens, which lags, before it is believed that there never was one.
const INDEX_LAG: Duration = Duration::from_secs(3);

/// Tokens removed with a look.
const TOKENS_AT_ONCE: usize = 100;

/// Endpoints deleted with a look; their purges are one call.
const ENDPOINTS_AT_ONCE: usize = 10;

/// Events deleted with a look.
const EVENTS_AT_ONCE: usize = 200;

/// Deleted endpoints that are cleaned up after at the same time.
const CLEAN_UPS_AT_ONCE: usize = 8;

/// What the operator asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseWorkspaceRequest {
    workspace_id: String,
}

/// Whether the operator has to ask again.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Something is left, or may come back.
    Erasing,
    /// Nothing is.
    Erased,
}

#[derive(Serialize)]
struct EraseWorkspaceAnswer {
    status: Status,
}

/// The command.
pub const COMMAND: Command = Command {
    variables: &[
        "DELIVERIES_TABLE",
        "DELIVER_TIMEOUT_SECONDS",
        "ENDPOINTS_TABLE",
        "EVENTS_TABLE",
        "PURGES_QUEUE_URL",
        "SECRET_PREFIX",
        "TOKENS_TABLE",
    ],
    handler: |app, document| Box::pin(answer_to(document, |request| erase(app, request))),
};

/// What a call has removed, for its log line.
#[derive(Debug, Default)]
struct Tally {
    tokens: usize,
    endpoints: usize,
    records: usize,
    events: usize,
}

/// A call while it works.
struct Work<'a> {
    app: &'a App,
    workspace: &'a WorkspaceId,
    deadline: Deadline,
    removed: Tally,
}

/// Goes on erasing, and says whether that was all.
async fn erase(app: &App, request: EraseWorkspaceRequest) -> Result<EraseWorkspaceAnswer, CommandError> {
    let workspace = super::workspace(&request.workspace_id)?;
    let mut work = Work {
        app,
        workspace: &workspace,
        deadline: Deadline::after(WORK_FOR),
        removed: Tally::default(),
    };
    let status = work.go_on().await?;
    let Tally {
        tokens,
        endpoints,
        records,
        events,
    } = work.removed;
    tracing::info!(workspace.id = %workspace, ?status, tokens, endpoints, records, events, "erasure of a workspace");
    Ok(EraseWorkspaceAnswer { status })
}

impl Work<'_> {
    async fn go_on(&mut self) -> Result<Status, Error> {
        let store = &self.app.store;
        let endpoint_count = store.count_endpoints(self.workspace).await?;
        let mut waited = false;
        while self.has_time() {
            let erasure = store.erasure(self.workspace).await?;
            let looked_at = self.app.clock.now();
            if self.remove_what_is_found(looked_at).await? {
                continue;
            }
            if erasure.is_none() && !waited {
                tokio::time::sleep(INDEX_LAG).await;
                waited = true;
                continue;
            }
            return self
                .after_finding_nothing(erasure, looked_at, endpoint_count)
                .await;
        }
        Ok(Status::Erasing)
    }

    fn has_time(&self) -> bool {
        self.deadline.left() > purge::RESERVE
    }

    /// Looks for tokens, endpoints and events, and removes some of what it finds, tokens first. Says whether it found any.
    async fn remove_what_is_found(&mut self, looked_at: Timestamp) -> Result<bool, Error> {
        let (store, workspace) = (&self.app.store, self.workspace);
        let tokens = store.find_tokens(workspace, TOKENS_AT_ONCE).await?;
        let endpoints = store.endpoint_ids(workspace).await?;
        let events = store.find_events(workspace, EVENTS_AT_ONCE).await?;
        if tokens.is_empty() && endpoints.is_empty() && events.is_empty() {
            return Ok(false);
        }
        let erasure = Erasure {
            found_at: looked_at,
            settled_at: None,
        };
        store.put_erasure(workspace, erasure).await?;
        self.removed.tokens += store.delete(tokens).await?.count;
        self.delete_endpoints(endpoints.into_iter().take(ENDPOINTS_AT_ONCE).collect())
            .await?;
        self.removed.events += store.delete(events).await?.count;
        Ok(true)
    }

    async fn delete_endpoints(&mut self, ids: Vec<EndpointId>) -> Result<(), Error> {
        let deletions = async {
            let deletion = delete_endpoint::announce(self.app, self.workspace, &ids).await?;
            for id in &ids {
                match self.app.store.delete_endpoint(self.workspace, id, deletion).await {
                    // Its owner was faster, or another call.
                    Ok(()) | Err(Error::NotFound) => {}
                    failed => return failed,
                }
            }
            Ok(())
        };
        let in_time = tokio::time::timeout(delete_endpoint::TIMEOUT, deletions).await;
        in_time.unwrap_or(Err(Error::OutOfTime))?;
        self.removed.endpoints += ids.len();
        Ok(())
    }

    async fn after_finding_nothing(
        &mut self,
        erasure: Option<Erasure>,
        looked_at: Timestamp,
        endpoint_count: u32,
    ) -> Result<Status, Error> {
        let (store, workspace) = (&self.app.store, self.workspace);
        // After the look for endpoints: what was deleted since then is among them.
        let deletions = self.clean_up().await?;
        // Requests end sooner than what records deliveries.
        let settled_after = purge::settled_after(&self.app.config, Duration::ZERO);
        let next = after_finding_nothing(erasure, looked_at, deletions, settled_after);
        let is_over = match (next, erasure) {
            (Next::Settle(settled_at), Some(read)) => {
                store.settle_erasure(workspace, read, settled_at).await?;
                false
            }
            (Next::Finish, read) => {
                store.forget_count(workspace, endpoint_count).await?
                    && match read {
                        Some(read) => store.forget_erasure(workspace, read).await?,
                        None => true,
                    }
            }
            _ => false,
        };
        Ok(if is_over { Status::Erased } else { Status::Erasing })
    }

    /// Cleans up after deleted endpoints, whoever deleted them, and says how many deletions are not over.
    async fn clean_up(&mut self) -> Result<usize, Error> {
        let deleted = self.app.store.deleted_endpoints(self.workspace).await?;
        let mut left = deleted.len();
        for ids in deleted.chunks(CLEAN_UPS_AT_ONCE) {
            if !self.has_time() {
                break;
            }
            let cleaned = try_join_all(ids.iter().map(|id| self.clean_up_after(id))).await?;
            for (records, is_over) in cleaned {
                self.removed.records += records;
                left -= usize::from(is_over);
            }
        }
        Ok(left)
    }

    /// Deletes an endpoint's history and secret; says how many records, and whether nothing can follow.
    async fn clean_up_after(&self, id: &EndpointId) -> Result<(usize, bool), Error> {
        let Some(deletion) = self.app.store.deletion(self.workspace, id).await? else {
            return Ok((0, true));
        };
        let looked_at = self.app.clock.now();
        let removed = purge::clean_up(self.app, id, self.deadline).await?;
        let is_over = !removed.more && deletion.is_over(looked_at);
        if is_over {
            self.app.store.forget_deletion(self.workspace, id).await?;
        }
        Ok((removed.count, is_over))
    }
}
