//! The configuration that all AWS clients share.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
pub use aws_types::SdkConfig;

/// Tries of one call; with the waits between them a throttled call gives up after about six seconds.
const MAX_TRIES: u32 = 7;

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// One try that takes longer has been lost on the way.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);

/// A whole call, with its tries and the waits between them, takes no longer: two tries that are lost on the way, or all
/// tries that are throttled.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(7);

/// The roots of Amazon Trust Services, from its repository (www.amazontrust.com). To read and parse the hundreds of the
/// system took longer than all the rest of a start.
const AMAZON_ROOTS: &[u8] = include_bytes!("aws/roots.pem");

/// Reads region and credentials from where Lambda puts them, the environment. (The crate `aws-config` would look
/// in ten other places, and links the clients of SSO and STS to do so.)
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda hands region and credentials over in the environment"
)]
pub fn config_from_env() -> SdkConfig {
    config(|name| std::env::var(name).ok())
}

/// An empty variable is an absent one. (`aws-config` would take an empty `AWS_ENDPOINT_URL` for the endpoint.)
fn config(value_of: impl Fn(&str) -> Option<String>) -> SdkConfig {
    let variable = |name: &str| value_of(name).filter(|value| !value.is_empty());
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        variable("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let region = variable("AWS_REGION");
    let usual = region.as_deref().is_some_and(chains_to_amazon) && variable("SSL_CERT_FILE").is_none();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .http_client(http_client(usual))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // It ends a body that stands still for 20 s, which no try here may take.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_TRIES)
                .with_max_backoff(MAX_BACKOFF),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(TRY_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    config.build()
}

/// Whether the endpoints of a region chain to Amazon's roots: those of the public partition and of `GovCloud` do; China
/// and the isolated and sovereign regions need not, and there the system's roots are read.
fn chains_to_amazon(region: &str) -> bool {
    let area = region.split('-').next().unwrap_or_default();
    let usual = ["us", "eu", "ap", "ca", "sa", "me", "af", "il", "mx"].contains(&area);
    usual && !region.contains("-iso")
}

/// One HTTP client, and so one pool of connections, for all AWS clients.
fn http_client(trusts_amazon: bool) -> SharedHttpClient {
    let roots = if trusts_amazon {
        TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
    } else {
        TrustStore::default()
    };
    let client = aws_smithy_http_client::Builder::new().tls_provider(Provider::rustls(CryptoMode::AwsLc));
    let client = match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => client.tls_context(context).build_https(),
        // Only malformed roots are an error, and these are compiled in.
        Err(_) => client.build_https(),
    };
    SharedHttpClient::new(Untried(client))
}

/// The HTTP client, without its way to find mistakes of its configuration: each client of a service would set TLS up once
/// more, only to see that it can.
#[derive(Debug)]
struct Untried(SharedHttpClient);

impl HttpClient for Untried {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn an_empty_endpoint_is_none_at_all() {
        let endpoint = |value: &str| {
            let config = config(|name| (name == "AWS_ENDPOINT_URL").then(|| value.to_owned()));
            config.endpoint_url().map(str::to_owned)
        };

        assert_eq!(endpoint(""), None);
        assert_eq!(
            endpoint("http://127.0.0.1:4566").as_deref(),
            Some("http://127.0.0.1:4566")
        );
    }

    #[test]
    fn only_regions_that_are_known_to_chain_to_amazon_are_trusted_so() {
        for region in ["us-east-1", "us-gov-west-1", "eu-central-2", "il-central-1"] {
            assert!(chains_to_amazon(region), "{region}");
        }
        for region in [
            "cn-north-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "",
        ] {
            assert!(!chains_to_amazon(region), "{region}");
        }
    }

    #[test]
    fn every_root_of_amazon_can_be_read() {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect();
        let mut roots = rustls::RootCertStore::empty();
        for certificate in certificates.unwrap() {
            roots.add(certificate).unwrap();
        }

        assert_eq!(roots.len(), 5);
    }
}
