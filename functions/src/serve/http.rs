//! What surrounds every API request: authentication, the size limit, one log line, and errors as answers.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use lambda_http::http::{Response, header};
use lambda_http::{Body, Request, RequestExt, service_fn};
use shared::domain::id::WorkspaceId;
use shared::domain::token::{Scope, Token};

use crate::app::App;
use crate::problem::Problem;
use crate::request;

/// Who asks: nothing outside this workspace exists for the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's workspace.
    pub workspace: WorkspaceId,
}

/// What a handler answers.
pub type Answer = Result<Response<Body>, Problem>;

/// Serves one route: each request is authenticated, needs `scope`, and is handed to `handler`.
///
/// # Errors
/// The environment is incomplete, or Lambda's Runtime API is not there.
pub async fn http<H>(scope: Scope, handler: H) -> Result<(), lambda_runtime::Error>
where
    H: for<'a> Fn(&'a App, &'a Caller, Request) -> BoxFuture<'a, Answer> + Send + Sync + 'static,
{
    let app = super::start()?;
    let handler = Arc::new(handler);
    lambda_http::run(service_fn(move |request: Request| {
        let (app, handler) = (Arc::clone(&app), Arc::clone(&handler));
        async move { Ok::<_, lambda_runtime::Error>(answer(&app, scope, &*handler, request).await) }
    }))
    .await
}

async fn answer<H>(app: &App, scope: Scope, handler: &H, request: Request) -> Response<Body>
where
    H: for<'a> Fn(&'a App, &'a Caller, Request) -> BoxFuture<'a, Answer> + Send + Sync,
{
    let start = Instant::now();
    let request_id = request
        .lambda_context_ref()
        .map(|context| context.request_id.clone())
        .unwrap_or_default();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut workspace = None;
    let answer = async {
        let caller = authenticate(app, scope, &request).await?;
        workspace = Some(caller.workspace.clone());
        request::check_size(&request)?;
        handler(app, &caller, request).await
    };
    let answer = answer.await;
    if let Err(Problem::Internal(error)) = &answer {
        tracing::error!(request.id = request_id, error = error.chain(), "a request failed");
    }
    let response = answer.unwrap_or_else(|problem| problem.into_response(&request_id));
    tracing::info!(
        request.id = request_id,
        request.method = %method,
        request.path = path,
        workspace.id = workspace.as_ref().map(WorkspaceId::as_str),
        http.status = response.status().as_u16(),
        duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Whom the token of a request stands for. Nothing is cached: a revoked token stops at once.
async fn authenticate(app: &App, scope: Scope, request: &Request) -> Result<Caller, Problem> {
    let token = bearer_token(request)?;
    let grant = match app.store.grant(&token.hash()).await {
        Err(shared::Error::NotFound) => return Err(Problem::Unauthorized("the token is unknown")),
        grant => grant?,
    };
    if !grant.is_valid(app.clock.now()) {
        return Err(Problem::Unauthorized("the token has expired or was revoked"));
    }
    if !grant.allows(scope) {
        return Err(Problem::Forbidden(scope));
    }
    Ok(Caller {
        workspace: grant.workspace,
    })
}

fn bearer_token(request: &Request) -> Result<Token, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    let header = header.ok_or(Problem::Unauthorized("the Authorization header is missing"))?;
    let malformed = Problem::Unauthorized("the Authorization header must be `Bearer efa_sk_…`");
    let Some((scheme, token)) = header.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Err(malformed);
    };
    let token = Token::parse(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    token.ok_or(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(authorization: &str) -> Result<Token, Problem> {
        let request = lambda_http::http::Request::builder().header("authorization", authorization);
        bearer_token(&request.body(Body::Empty).unwrap())
    }

    #[test]
    fn only_a_bearer_token_of_ours_is_read() {
        assert!(token("Bearer efa_sk_abc").is_ok());
        assert!(token("bearer efa_sk_abc").is_ok());
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer sk_abc",
            "Basic efa_sk_abc",
            "efa_sk_abc",
        ] {
            assert!(matches!(token(bad), Err(Problem::Unauthorized(_))), "{bad}");
        }
    }
}
