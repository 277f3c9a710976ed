//! What surrounds every API request: authentication, one log line, and errors as answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use lambda_http::http::{HeaderValue, Response, header};
use lambda_http::{Body, Request, RequestExt, service_fn};
use shared::domain::id::WorkspaceId;
use shared::domain::token::{Scope, Token};

use super::{Deadline, Serving};
use crate::app::App;
use crate::problem::Problem;

/// The time of a request that comes without Lambda's context, which none does.
const TIME_WITHOUT_CONTEXT: Duration = Duration::from_secs(10);

/// Who asks: nothing outside this workspace exists for the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's workspace.
    pub workspace: WorkspaceId,
    /// What the token allows.
    pub scopes: Vec<Scope>,
    /// When the token stops; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// What a handler answers.
pub type Answer = Result<Response<Body>, Problem>;

/// A route: which variables of the environment it uses, what a token must allow for it, and what it does.
#[derive(Clone, Copy)]
pub struct Route {
    /// The variables that it uses; `TOKENS_TABLE` is one of them.
    pub variables: &'static [&'static str],
    /// What the token must allow; `None` if any token will do.
    pub scope: Option<Scope>,
    /// Answers a request of the caller.
    pub handler: for<'a> fn(&'a App, &'a Caller, Request) -> BoxFuture<'a, Answer>,
}

/// A route that needs no token: which variables of the environment it uses, and what it does.
#[derive(Clone, Copy)]
pub struct OpenRoute {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Answers a request of anybody.
    pub handler: for<'a> fn(&'a App, Request) -> BoxFuture<'a, Answer>,
}

/// Who may ask.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// Whoever has a token with the route's scope.
    WithToken(Route),
    /// Whoever knows the address.
    Open(OpenRoute),
}

/// Serves a route until Lambda ends the process.
pub(super) fn serve(app: Arc<App>, route: Access) -> Serving {
    Box::pin(async move {
        lambda_http::run(service_fn(move |request: Request| {
            let app = Arc::clone(&app);
            async move { Ok::<_, lambda_runtime::Error>(answer(&app, route, request).await) }
        }))
        .await
    })
}

async fn answer(app: &App, route: Access, request: Request) -> Response<Body> {
    let start = Instant::now();
    let (request_id, deadline) = request.lambda_context_ref().map_or_else(
        || (String::new(), Deadline::after(TIME_WITHOUT_CONTEXT)),
        |context| (context.request_id.clone(), Deadline::of(app, context)),
    );
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut workspace = None;
    let answer = async {
        match route {
            Access::Open(route) => (route.handler)(app, request).await,
            Access::WithToken(route) => {
                let caller = authenticate(app, route.scope, &request).await?;
                workspace = Some(caller.workspace.clone());
                (route.handler)(app, &caller, request).await
            }
        }
    };
    let answer = deadline.cut(answer, Duration::ZERO).await;
    let answer = answer.unwrap_or(Err(Problem::Internal(shared::Error::OutOfTime)));
    if let Err(Problem::Internal(error)) = &answer {
        tracing::error!(request.id = request_id, error = error.chain(), "a request failed");
    }
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(&request_id));
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
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

/// Whose the token of a request is. Nothing is cached: a revoked token stops at once.
async fn authenticate(app: &App, scope: Option<Scope>, request: &Request) -> Result<Caller, Problem> {
    let token = bearer_token(request)?;
    let grant = match app.store.grant(&token.hash()).await {
        Err(shared::Error::NotFound) => {
            return Err(Problem::Unauthorized(
                "the token is unknown; check that it was copied completely",
            ));
        }
        grant => grant?,
    };
    if !grant.is_valid(app.clock.now()) {
        return Err(Problem::Unauthorized(
            "the token has expired or was revoked; ask whoever issued it for a new one",
        ));
    }
    if let Some(lacking) = scope.filter(|scope| !grant.allows(*scope)) {
        return Err(Problem::Forbidden(lacking));
    }
    Ok(Caller {
        workspace: grant.workspace,
        scopes: grant.scopes,
        expires_at: grant.expires_at,
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
