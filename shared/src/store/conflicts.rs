//! A write of an item that is part of somebody else's transaction at that moment is refused, and so is a write of an
//! endpoint while a count is kept that requires it
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>).
//! That takes milliseconds; the SDK does not try such a write again by itself, so it is told to.

use aws_sdk_dynamodb::Config;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_types::SdkConfig;

const CONFLICT: &str = "TransactionConflictException";

/// A configuration of the client under which such writes are tried again.
pub(super) fn retried(aws: &SdkConfig) -> Config {
    let config = aws_sdk_dynamodb::config::Builder::from(aws);
    config.retry_classifier(Conflicts).build()
}

#[derive(Debug)]
struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(OrchestratorError::as_operation_error);
        let error = error.and_then(|error| error.downcast_ref::<UpdateItemError>());
        if error.and_then(ProvideErrorMetadata::code) == Some(CONFLICT) {
            return RetryAction::transient_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "a conflict with a transaction"
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_smithy_runtime_api::client::interceptors::context::{Error, Input};

    use super::*;

    fn classified(code: &str) -> RetryAction {
        let error = UpdateItemError::generic(ErrorMetadata::builder().code(code).build());
        let mut context = InterceptorContext::new(Input::erase(()));
        context.set_output_or_error(Err(OrchestratorError::operation(Error::erase(error))));
        Conflicts.classify_retry(&context)
    }

    #[test]
    fn a_write_that_meets_a_transaction_is_tried_again_and_no_other_refusal_is() {
        assert_eq!(classified(CONFLICT), RetryAction::transient_error());
        assert_eq!(
            classified("ConditionalCheckFailedException"),
            RetryAction::NoActionIndicated
        );
    }
}
