//! `POST /`: creates an endpoint and shows its signing secret, this once.

use lambda_http::Request;
use lambda_http::http::{StatusCode, header::HeaderValue, header::LOCATION};
use shared::Conflict;
use shared::clock;
use shared::domain::annotations::{Description, Metadata};
use shared::domain::endpoint::{Endpoint, Subscriptions};
use shared::domain::failure_record::FailureRecord;
use shared::domain::id::EndpointId;
use shared::domain::secret::Secret;
use shared::domain::target::TargetUrl;
use shared::domain::token::Scope;
use shared::queues::Purge;

use super::{boolean, check_addresses};
use crate::app::App;
use crate::problem::Problem;
use crate::request::{self, both};
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// Later than this function's time-out, so that the purge sees how the creation ended.
const PURGE_AFTER_SECONDS: u16 = 60;

struct CreateEndpointRequest {
    url: TargetUrl,
    events: Subscriptions,
    enabled: bool,
    description: Description,
    metadata: Metadata,
}

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "ALLOW_INSECURE_TARGETS",
        "ENDPOINTS_TABLE",
        "ENDPOINT_LIMIT",
        "OPERATOR_WORKSPACE",
        "PURGES_QUEUE_URL",
        "SECRET_PREFIX",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Write),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Creates an endpoint. Before its secret is made, a purge is put on its queue: it removes the secret again if the
/// endpoint is not there a minute later, whatever became of this function.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let wanted = parse(app, caller, &request)?;
    check_addresses(app, &wanted.url).await?;
    let limit = *app.config.endpoint_limit;
    if app.store.count_endpoints(&caller.workspace).await? >= limit {
        return Err(Conflict::EndpointLimit(limit).into());
    }
    let now = app.clock.now();
    let id = EndpointId::new(now, clock::random_number());
    let purge = Purge {
        workspace: caller.workspace.clone(),
        endpoint: id.clone(),
    };
    app.queues
        .send_one(&app.config.queues.purges, purge.outgoing(PURGE_AFTER_SECONDS)?)
        .await?;
    let secret = Secret::new(clock::random());
    let endpoint = Endpoint {
        workspace: caller.workspace.clone(),
        url: wanted.url.url().to_string(),
        events: wanted.events,
        description: wanted.description,
        metadata: wanted.metadata,
        enabled: wanted.enabled,
        switched_at: Some(now),
        disabled_reason: None,
        secret_version: app.secrets.create(&id, &secret).await?,
        created_at: now,
        updated_at: now,
        failures: FailureRecord::beginning(now),
        recovery: None,
        id,
    };
    app.store.create_endpoint(&endpoint, limit).await?;
    let mut response = view::endpoint_with_secret(StatusCode::CREATED, &endpoint, &secret);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/integrations/webhooks/{}", endpoint.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn parse(app: &App, caller: &Caller, request: &Request) -> Result<CreateEndpointRequest, Problem> {
    let mut fields = request::json_object(request)?;
    let url = fields.required("url", request::url(*app.config.targets));
    let events = fields.required("events", request::events(app.catalogue(&caller.workspace)));
    let enabled = fields.optional("enabled", boolean);
    let description = fields.optional("description", request::description);
    let metadata = fields.optional_whole("metadata", request::metadata);
    let read = both(both(both(url, events), enabled), both(description, metadata));
    let (((url, events), enabled), (description, metadata)) = fields.finish(read)?;
    Ok(CreateEndpointRequest {
        url,
        events,
        enabled: enabled.unwrap_or(true),
        description: description.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
    })
}
