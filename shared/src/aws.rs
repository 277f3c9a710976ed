//! The configuration that all AWS clients share.

pub mod http;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::{ReconnectMode, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
pub use aws_types::SdkConfig;

use self::http::Roots;
use crate::http::SetUpFailed;

/// Tries of one call; with the waits between them a throttled call gives up after about six seconds.
const MAX_TRIES: u32 = 7;

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// One try that takes longer has been lost on the way.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);

/// A whole call, with its tries and the waits between them, takes no longer: two tries that are lost on the way, or all
/// tries that are throttled.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(7);

/// Reads region and credentials from where Lambda puts them, the environment. (The crate `aws-config` would look
/// in ten other places, and links the clients of SSO and STS to do so.)
///
/// # Errors
/// TLS could not be set up.
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda hands region and credentials over in the environment"
)]
pub fn config_from_env() -> Result<SdkConfig, SetUpFailed> {
    config(|name| std::env::var(name).ok())
}

/// An empty variable is an absent one. (`aws-config` would take an empty `AWS_ENDPOINT_URL` for the endpoint.)
fn config(value_of: impl Fn(&str) -> Option<String>) -> Result<SdkConfig, SetUpFailed> {
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
    let roots = if usual { Roots::Amazon } else { Roots::System };
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .http_client(http::client(roots)?)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // It ends a body that stands still for 20 s, which no try here may take.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_TRIES)
                .with_max_backoff(MAX_BACKOFF)
                // HTTP/1.1 closes the connection of a try without an answer; with one, it is as good as another. The SDK has it
                // so too, from its retry specification 2.1 on (`ConnectionPoisoningInterceptor`).
                .with_reconnect_mode(ReconnectMode::ReuseAllConnections),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(TRY_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    Ok(config.build())
}

/// Whether the endpoints of a region chain to Amazon's roots: those of the public partition and of `GovCloud` do; China
/// and the isolated and sovereign regions need not, and there the system's roots are read.
fn chains_to_amazon(region: &str) -> bool {
    let area = region.split('-').next().unwrap_or_default();
    let usual = ["us", "eu", "ap", "ca", "sa", "me", "af", "il", "mx"].contains(&area);
    usual && !region.contains("-iso")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_endpoint_is_none_at_all() {
        let endpoint = |value: &str| {
            let config = config(|name| (name == "AWS_ENDPOINT_URL").then(|| value.to_owned())).unwrap();
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
}
