//! Clients of the emulator's AWS services.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::config::retry::{ReconnectMode, RetryConfig};
use aws_types::SdkConfig;
use aws_types::region::Region;
use shared::aws::http::{Roots, client};

use crate::state::StackState;

/// The emulator's region.
pub(crate) const REGION: &str = "us-east-1";
/// The emulator's root user.
pub(crate) const ACCESS_KEY_ID: &str = "test";
/// The emulator does not check its root user's signatures.
pub(crate) const SECRET_ACCESS_KEY: &str = "test";

/// What any AWS client needs to reach the stack.
///
/// # Panics
/// TLS could not be set up, which the stack does not need.
#[must_use]
#[expect(clippy::expect_used, reason = "TLS has protocol versions to offer")]
pub fn aws_config(state: &StackState) -> SdkConfig {
    let credentials = Credentials::new(
        &state.access_key_id,
        &state.secret_access_key,
        None,
        None,
        "local stack",
    );
    SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .endpoint_url(&state.aws_endpoint_url)
        .region(Region::new(state.region.clone()))
        .retry_config(RetryConfig::standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections))
        .http_client(client(Roots::Amazon).expect("a client for plain HTTP"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}
