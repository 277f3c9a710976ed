//! Signing secrets in Secrets Manager: one secret per endpoint, of which the endpoint's item names the version
//! that signs. A version is fetched once per process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::config::interceptors::InterceptorContext;
use aws_sdk_secretsmanager::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use crate::config::{Config, Setting};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::EndpointId;
use crate::domain::secret::Secret;
use crate::{Error, clock};

/// Secrets kept in memory; about 200 bytes each. When full, the cache starts anew.
const MAX_CACHED: usize = 10_000;

/// Where a secret is kept once it is fetched; those who ask meanwhile wait for it.
type Place = Arc<OnceCell<Secret>>;

/// The signing secrets of all endpoints.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    prefix: Setting<String>,
    cache: Mutex<HashMap<(EndpointId, String), Place>>,
}

/// Lets a call end at once when the secret has too many versions. The SDK takes every `LimitExceededException` for a
/// throttle that is over within seconds; this one lasts for hours.
#[derive(Debug)]
struct QuotaIsNoThrottle;

impl ClassifyRetry for QuotaIsNoThrottle {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error()?.downcast_ref::<PutSecretValueError>());
        match error {
            Some(PutSecretValueError::LimitExceededException(_)) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "a quota of versions is no throttle"
    }
}

impl Secrets {
    /// The secrets whose names begin with the configured prefix.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            client: Client::from_conf(Builder::from(aws).retry_classifier(QuotaIsNoThrottle).build()),
            prefix: config.secret_prefix.clone(),
            cache: Mutex::default(),
        }
    }

    /// Stores the first secret of an endpoint and returns its version.
    ///
    /// # Errors
    /// The call to Secrets Manager failed.
    pub async fn create(&self, endpoint: &EndpointId, secret: &Secret) -> Result<String, Error> {
        let version = clock::random_token();
        let answer = self
            .client
            .create_secret()
            .name(self.name(endpoint))
            .description("Signing secret of a webhook endpoint")
            .client_request_token(&version)
            .secret_string(secret.reveal())
            .send()
            .await
            .map_err(Error::aws("CreateSecret"))?;
        Ok(answer.version_id.unwrap_or(version))
    }

    /// Stores another secret of an endpoint and returns its version. It signs nothing until the item names it.
    ///
    /// # Errors
    /// [`Error::TooManyRotations`], after about 100 versions within 24 hours: Secrets Manager removes older ones only, and
    /// refuses another (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>). Or the call
    /// failed.
    pub async fn replace(&self, endpoint: &EndpointId, secret: &Secret) -> Result<String, Error> {
        let version = clock::random_token();
        let answer = self
            .client
            .put_secret_value()
            .secret_id(self.name(endpoint))
            .client_request_token(&version)
            .secret_string(secret.reveal())
            .send()
            .await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(PutSecretValueError::LimitExceededException(_)) => Error::TooManyRotations,
            _ => Error::aws("PutSecretValue")(error),
        })?;
        Ok(answer.version_id.unwrap_or(version))
    }

    /// The secret that signs for an endpoint. However many ask at once, it is fetched once.
    ///
    /// # Errors
    /// The call to Secrets Manager failed, or what it holds is not a signing secret.
    pub async fn current(&self, endpoint: &Endpoint) -> Result<Secret, Error> {
        let place = self.place(endpoint);
        // What is rarely done is not part of every attempt.
        place
            .get_or_try_init(|| Box::pin(self.fetch(endpoint)))
            .await
            .cloned()
    }

    async fn fetch(&self, endpoint: &Endpoint) -> Result<Secret, Error> {
        let value = self
            .client
            .get_secret_value()
            .secret_id(self.name(&endpoint.id))
            .version_id(&endpoint.secret_version)
            .send()
            .await
            .map_err(Error::aws("GetSecretValue"))?;
        Secret::parse(value.secret_string().unwrap_or_default()).map_err(Error::corrupt("Secrets Manager"))
    }

    /// Deletes an endpoint's secret for good. That there is none is not an error.
    ///
    /// # Errors
    /// The call to Secrets Manager failed.
    pub async fn delete(&self, endpoint: &EndpointId) -> Result<(), Error> {
        let deletion = self
            .client
            .delete_secret()
            .secret_id(self.name(endpoint))
            .force_delete_without_recovery(true)
            .send()
            .await;
        match deletion {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteSecretError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            other => other.map(|_| ()).map_err(Error::aws("DeleteSecret")),
        }
    }

    fn name(&self, endpoint: &EndpointId) -> String {
        format!("{}{endpoint}", *self.prefix)
    }

    /// Where the cache keeps the version that signs for an endpoint.
    fn place(&self, endpoint: &Endpoint) -> Place {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        let key = (endpoint.id.clone(), endpoint.secret_version.clone());
        Arc::clone(cache.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_secretsmanager::types::error::{InternalServiceError, LimitExceededException};
    use aws_smithy_runtime_api::client::interceptors::context::{Error, Input};
    use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;

    /// What is decided after a call that failed.
    fn after(error: PutSecretValueError) -> RetryAction {
        let mut context = InterceptorContext::new(Input::erase(()));
        context.set_output_or_error(Err(OrchestratorError::operation(Error::erase(error))));
        QuotaIsNoThrottle.classify_retry(&context)
    }

    #[test]
    fn one_version_too_many_ends_the_call_and_any_other_error_is_left_to_the_sdk() {
        let quota = LimitExceededException::builder().build();
        let failure = InternalServiceError::builder().build();

        assert_eq!(
            after(PutSecretValueError::LimitExceededException(quota)),
            RetryAction::RetryForbidden
        );
        assert_eq!(
            after(PutSecretValueError::InternalServiceError(failure)),
            RetryAction::NoActionIndicated
        );
    }
}
