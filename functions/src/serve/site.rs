//! What surrounds every request of the dashboard: one log line, and nothing else, because it needs nothing else.

use std::sync::Arc;
use std::time::Instant;

use lambda_http::http::Response;
use lambda_http::{Body, Request, RequestExt, service_fn};
use shared::config::Config;

use super::Serving;

/// A function that answers requests from what is compiled in: which variables of the environment it uses, and what it
/// answers. It has no clients of AWS.
#[derive(Clone, Copy)]
pub struct Site {
    /// The variables that it uses.
    pub variables: &'static [&'static str],
    /// Answers a request.
    pub handler: fn(&Config, &Request) -> Response<Body>,
}

/// Serves a site until Lambda ends the process.
pub(super) fn serve(config: Config, site: Site) -> Serving {
    Box::pin(async move {
        let config = Arc::new(config);
        lambda_http::run(service_fn(move |request: Request| {
            let config = Arc::clone(&config);
            async move { Ok::<_, lambda_runtime::Error>(answer(&config, site, &request)) }
        }))
        .await
    })
}

fn answer(config: &Config, site: Site, request: &Request) -> Response<Body> {
    let start = Instant::now();
    let response = (site.handler)(config, request);
    let context = request.lambda_context_ref();
    tracing::info!(
        request.id = context.map(|context| context.request_id.as_str()),
        request.method = %request.method(),
        request.path = request.uri().path(),
        http.status = response.status().as_u16(),
        duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
