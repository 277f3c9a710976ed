//! `POST /:id/recoveries/:recovery_id/cancel`: ends a recovery.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::backoff::Backoff;
use shared::domain::id::{EndpointId, RecoveryId};
use shared::domain::recovery::Status;
use shared::domain::token::Scope;
use shared::store::Advanced;
use shared::{Conflict, Error};

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// Tries of a write that a turn of the recovery comes before: about three seconds, which are many turns.
const TRIES: Backoff = Backoff::new(12, Duration::from_millis(30), Duration::from_millis(500));

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "RETENTION_DAYS",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Retry),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Cancels the recovery. Its next turn finds that and ends; a page that is on its way already is sent to its end.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let recovery_id: RecoveryId = request::path_id(&request, "recovery_id")?;
    app.store.endpoint(&caller.workspace, &id).await?;
    let now = app.clock.now();
    let mut tries = TRIES;
    loop {
        let recovery = app.store.recovery(&id, &recovery_id).await?;
        if recovery.status.has_ended() {
            // The answer to an earlier try may have been lost.
            let is_ours = recovery.status == Status::Cancelled
                && recovery.finished_at.map(Timestamp::as_millisecond) == Some(now.as_millisecond());
            if is_ours {
                return Ok(view::recovery(StatusCode::ACCEPTED, &recovery));
            }
            return Err(Conflict::RecoveryEnded(recovery.status).into());
        }
        let cancelled = recovery.clone().cancelled(now);
        let ended = app
            .store
            .end_recovery(&caller.workspace, &recovery, &cancelled, now);
        if ended.await? == Advanced::Yes {
            return Ok(view::recovery(StatusCode::ACCEPTED, &cancelled));
        }
        // The endpoint may be gone as well.
        app.store.endpoint(&caller.workspace, &id).await?;
        if !tries.wait().await {
            return Err(Error::Overtaken.into());
        }
    }
}
