//! The HTTP client of events: it signs one, POSTs it, and says what came of it.
//!
//! One deadline covers name look-up, connection, TLS, headers and body. Redirects are not followed, proxies of the
//! environment not used, and no more of a response is read than [`MAX_RESPONSE_BYTES`]. The addresses of a name are
//! checked in the resolver that the connection dials from, so there is no second look-up that could answer otherwise.

mod failure;
mod resolver;
mod response;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};

pub use resolver::{LookUp, system_look_up};
pub use response::{MAX_EXCERPT_BYTES, MAX_RESPONSE_BYTES};

use crate::domain::delivery::{Attempt, Failure};
use crate::domain::id::EventId;
use crate::domain::response_headers::ResponseHeaders;
use crate::domain::retry_after;
use crate::domain::secret::Secret;
use crate::domain::target::{RefusedUrl, TargetPolicy, TargetUrl};
use crate::http::{self, SetUpFailed};

/// How this system names itself to receivers.
const USER_AGENT: &str = concat!("serverless-webhooks/", env!("CARGO_PKG_VERSION"));

/// Connections that wait for the next request are closed after this time: a function may be frozen for minutes
/// between two invocations, and receivers close idle connections, often after 60 s.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections kept per receiver.
const MAX_IDLE_PER_HOST: usize = 64;

/// Parsed urls kept in memory, of at most a few KB each. When full, the cache starts anew.
const MAX_PARSED: usize = 1_000;

/// The outbound HTTP client.
#[derive(Debug)]
pub struct Sender {
    client: reqwest::Client,
    policy: TargetPolicy,
    /// The urls that were parsed and may be sent to.
    targets: Mutex<HashMap<String, TargetUrl>>,
}

/// What is sent in one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// The event's id, which is the `webhook-id`.
    pub event_id: &'a EventId,
    /// The producer's bytes.
    pub body: &'a str,
    /// The secret that signs.
    pub secret: &'a Secret,
}

impl Sender {
    /// A client that looks names up as the system does.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn new(policy: TargetPolicy) -> Result<Self, SetUpFailed> {
        Self::with_look_up(policy, system_look_up())
    }

    /// A client that looks names up in its own way.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn with_look_up(policy: TargetPolicy, look_up: LookUp) -> Result<Self, SetUpFailed> {
        // Compiled in: reading the roots of the system takes milliseconds of each start.
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let client = http::builder(roots)?
            .user_agent(USER_AGENT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .dns_resolver(Arc::new(resolver::CheckingResolver::new(policy, look_up)))
            .build()?;
        Ok(Self {
            client,
            policy,
            targets: Mutex::default(),
        })
    }

    /// The url as it is parsed, once for each process.
    fn target(&self, url: &str) -> Result<TargetUrl, RefusedUrl> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = targets.get(url) {
            return Ok(target.clone());
        }
        let target = TargetUrl::parse(url, self.policy)?;
        if targets.len() >= MAX_PARSED {
            targets.clear();
        }
        targets.insert(url.to_owned(), target.clone());
        Ok(target)
    }

    /// Makes one attempt that begins `now` and ends at the deadline at the latest.
    pub async fn attempt(&self, request: Request<'_>, now: Timestamp, deadline: Duration) -> Attempt {
        let start = Instant::now();
        let answer = self
            .post(request, now, tokio::time::Instant::from_std(start) + deadline)
            .await;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answer {
            Ok(answer) => answer.attempt(now, duration_ms),
            Err(failure) => Attempt {
                duration_ms,
                failure: Some(failure),
                ..Attempt::interrupted(now)
            },
        }
    }

    async fn post(
        &self,
        request: Request<'_>,
        now: Timestamp,
        end: tokio::time::Instant,
    ) -> Result<Answer, Failure> {
        let target = self.target(request.url).map_err(|_| Failure::RefusedAddress)?;
        let call = self
            .client
            .post(target.into_url())
            .headers(headers(request, now).ok_or(Failure::RefusedAddress)?)
            .body(request.body.to_owned());
        let response = tokio::time::timeout_at(end, call.send())
            .await
            .map_err(|_| Failure::Timeout)?;
        let mut response = response.map_err(|error| failure::of(&error))?;
        let http_status = response.status().as_u16();
        let hint = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after_seconds = hint.and_then(|hint| retry_after::seconds(hint, now));
        // What the head said holds, whatever becomes of the body: a 410 is a 410.
        let body = match tokio::time::timeout_at(end, response::read(&mut response)).await {
            Ok(body) => body.map_err(|error| failure::of(&error)),
            Err(_) => Err(Failure::Timeout),
        };
        let success = (200..300).contains(&http_status) && body.is_ok();
        let value = |name: &str| response.headers().get(name).map(HeaderValue::as_bytes);
        Ok(Answer {
            http_status,
            retry_after_seconds,
            headers: if success {
                ResponseHeaders::default()
            } else {
                ResponseHeaders::of(value)
            },
            body,
        })
    }
}

/// Whether a url leads only to addresses that may be sent to, as far as a look-up can tell now. A name that can't be
/// looked up is not refused: the rules hold again at every connection.
pub async fn is_allowed(
    policy: TargetPolicy,
    look_up: &LookUp,
    target: &TargetUrl,
    deadline: Duration,
) -> bool {
    let (TargetPolicy::PublicOnly, Some(domain)) = (policy, target.domain()) else {
        return true;
    };
    match tokio::time::timeout(deadline, look_up.addresses(domain.to_owned())).await {
        Ok(Ok(addresses)) => resolver::are_allowed(policy, &addresses),
        Ok(Err(_)) | Err(_) => true,
    }
}

/// A response of which at least the head arrived.
struct Answer {
    http_status: u16,
    retry_after_seconds: Option<u32>,
    headers: ResponseHeaders,
    body: Result<String, Failure>,
}

impl Answer {
    fn attempt(self, at: Timestamp, duration_ms: u64) -> Attempt {
        let success = (200..300).contains(&self.http_status);
        let asks_for_time = matches!(self.http_status, 429 | 503);
        let (response_body, failure) = match self.body {
            Ok(body) => (Some(body), (!success).then_some(Failure::Status)),
            Err(failure) => (None, Some(if success { failure } else { Failure::Status })),
        };
        let retry_after_seconds = self.retry_after_seconds.filter(|_| asks_for_time);
        Attempt {
            at,
            http_status: Some(self.http_status),
            duration_ms,
            failure,
            response_body,
            response_headers: self.headers,
            retry_after_seconds,
        }
    }
}

/// The headers of Standard Webhooks; `None` never happens, because ids and signatures are visible ASCII.
fn headers(request: Request<'_>, now: Timestamp) -> Option<HeaderMap> {
    let timestamp = now.as_second();
    let signature = request
        .secret
        .sign(request.event_id, timestamp, request.body.as_bytes());
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        "webhook-id",
        HeaderValue::from_str(request.event_id.as_str()).ok()?,
    );
    headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}

#[cfg(test)]
mod tests;
