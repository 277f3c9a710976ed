//! `DELETE /:id`: deletes an endpoint. Its secret and history follow: `purge` hears of every deletion through the table's
//! stream, and from here, because a stream can be replaced or fall behind.

use std::time::Duration;

use lambda_http::Request;
use shared::Error;
use shared::domain::erasure::Deletion;
use shared::domain::freshness::SETTLED_AFTER;
use shared::domain::id::{EndpointId, WorkspaceId};
use shared::domain::token::Scope;
use shared::queues::Purge;

use crate::app::App;
use crate::consumers::purge;
use crate::serve::{Answer, Caller, Route};
use crate::{answer, request};

/// The time-out of this function in the template. By then the endpoint is deleted, or it is not.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVER_TIMEOUT_SECONDS",
        "ENDPOINTS_TABLE",
        "PURGES_QUEUE_URL",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Write),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Deletes the endpoint. Once this has answered, no attempt starts. Before that, a purge is put on its queue, which finds
/// the endpoint and does nothing if this function dies half-way.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    // Without this look, a purge in the name of this workspace would find nothing, and delete what belongs to another.
    app.store.endpoint(&caller.workspace, &id).await?;
    let deletion = announce(app, &caller.workspace, std::slice::from_ref(&id)).await?;
    app.store
        .delete_endpoint(&caller.workspace, &id, deletion)
        .await?;
    tokio::time::sleep(SETTLED_AFTER).await;
    Ok(answer::no_content())
}

/// Queues a purge of each endpoint of a workspace for the time when everything is recorded that is under way at its
/// deletion, which follows within [`TIMEOUT`].
pub(crate) async fn announce(
    app: &App,
    workspace: &WorkspaceId,
    ids: &[EndpointId],
) -> Result<Deletion, Error> {
    let deletion = Deletion::settled_after(app.clock.now(), purge::settled_after(&app.config, TIMEOUT));
    let delay_seconds = purge::settled_seconds(&app.config, TIMEOUT);
    let purges = ids.iter().map(|id| {
        let purge = Purge {
            workspace: workspace.clone(),
            endpoint: id.clone(),
        };
        purge.outgoing(delay_seconds)
    });
    let purges: Vec<_> = purges.collect::<Result<_, _>>()?;
    let sent = app.queues.send(&app.config.queues.purges, &purges).await;
    sent.into_iter().collect::<Result<(), Error>>()?;
    Ok(deletion)
}
