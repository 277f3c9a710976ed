//! What the two HTTP clients have in common, the one of events and the one of AWS: they are built the same way, and so
//! compiled once.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// A client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpFailed {
    /// TLS has no protocol version to offer.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The client does not take its settings.
    #[error("the HTTP client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// A client that speaks HTTP/1.1, trusts `roots`, and does nothing of its own accord: it follows no redirect, repeats no
/// request, and does not look for a proxy in the environment.
///
/// # Errors
/// TLS could not be set up.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that makes outbound clients"
)]
pub(crate) fn builder(roots: RootCertStore) -> Result<reqwest::ClientBuilder, SetUpFailed> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .tcp_nodelay(true)
        .tls_backend_preconfigured(tls(roots)?))
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, SetUpFailed> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
