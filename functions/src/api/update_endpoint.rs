//! `PATCH /:id`: changes what is given of an endpoint, and nothing else.

use lambda_http::Request;
use shared::domain::freshness::SETTLED_AFTER;
use shared::domain::id::EndpointId;
use shared::domain::token::Scope;
use shared::store::EndpointChange;

use super::{boolean, check_addresses};
use crate::app::App;
use crate::problem::Problem;
use crate::request::{self, both};
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "ALLOW_INSECURE_TARGETS",
        "ENDPOINTS_TABLE",
        "OPERATOR_WORKSPACE",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Write),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Changes the endpoint. Once this has answered that it is disabled, no attempt starts.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let change = parse(app, caller, &request)?;
    if change.is_empty() {
        return Ok(view::endpoint(&app.store.endpoint(&caller.workspace, &id).await?));
    }
    if let Some(url) = &change.url {
        check_addresses(app, url).await?;
    }
    let disables = change.enabled == Some(false);
    let endpoint = app
        .store
        .change_endpoint(&caller.workspace, &id, change, app.clock.now())
        .await?;
    if disables {
        tokio::time::sleep(SETTLED_AFTER).await;
    }
    Ok(view::endpoint(&endpoint))
}

fn parse(app: &App, caller: &Caller, request: &Request) -> Result<EndpointChange, Problem> {
    let mut fields = request::json_object(request)?;
    let url = fields.optional("url", request::url(*app.config.targets));
    let events = fields.optional("events", request::events(app.catalogue(&caller.workspace)));
    let enabled = fields.optional("enabled", boolean);
    let description = fields.optional("description", request::description);
    let metadata = fields.optional_whole("metadata", request::metadata);
    let read = both(both(both(url, events), enabled), both(description, metadata));
    let (((url, events), enabled), (description, metadata)) = fields.finish(read)?;
    Ok(EndpointChange {
        url,
        events,
        enabled,
        description,
        metadata,
    })
}
