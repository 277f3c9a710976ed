//! A request that a receiver got.

use std::fmt::{self, Display, Formatter};
use std::time::{Instant, SystemTime};

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, Method};
use standardwebhooks::Webhook;

/// What our secrets begin with; the libraries take what follows it.
const SECRET_PREFIX: &str = "whs_";

/// A request as it arrived. Printing it shows its first line, its headers and its body.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Its path, with the query string.
    pub path: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Bytes,
    /// When its body was complete.
    pub at: Instant,
    /// The same moment as a date and time.
    pub time: SystemTime,
}

impl Received {
    /// A header's value; empty if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks its signature with the official Standard Webhooks library and a secret as the API shows it.
    pub fn verify(&self, secret: &str) -> Result<()> {
        let webhook = Webhook::new(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret))?;
        Ok(webhook.verify(&self.body, &self.headers)?)
    }
}

impl Display for Received {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} {}", self.method, self.path)?;
        for (name, value) in &self.headers {
            writeln!(out, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(out, "\n{}", String::from_utf8_lossy(&self.body))
    }
}
