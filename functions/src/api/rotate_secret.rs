//! `POST /:id/rotate-secret`: replaces the signing secret.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use shared::Error;
use shared::clock;
use shared::domain::freshness::SETTLED_AFTER;
use shared::domain::id::EndpointId;
use shared::domain::secret::Secret;
use shared::domain::token::Scope;

use crate::app::App;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

/// The route.
pub const ROUTE: Route = Route {
    variables: &["ENDPOINTS_TABLE", "SECRET_PREFIX", "TOKENS_TABLE"],
    scope: Some(Scope::Write),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Replaces the signing secret. The old one signs nothing once this has answered.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let claim = app.store.claim_rotation(&endpoint, app.clock.now()).await?;
    let secret = Secret::new(clock::random());
    let version = match app.secrets.replace(&id, &secret).await {
        Err(error @ Error::TooManyRotations) => {
            app.store.give_up_rotation(&endpoint, claim).await?;
            return Err(error.into());
        }
        other => other?,
    };
    let endpoint = app
        .store
        .point_to_secret(&endpoint, &version, app.clock.now())
        .await?;
    tokio::time::sleep(SETTLED_AFTER).await;
    Ok(view::endpoint_with_secret(StatusCode::OK, &endpoint, &secret))
}
