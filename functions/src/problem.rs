//! Everything that an API request can meet, and its answer: the one place that writes error bodies.

use lambda_http::Body;
use lambda_http::http::header::{self, HeaderValue};
use lambda_http::http::{Response, StatusCode};
use serde::Serialize;
use shared::domain::manual_retry::NotRetriable;
use shared::domain::token::Scope;
use shared::{Conflict, Error};

use crate::answer;

/// Most bytes of a request's body.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// When to ask again for a rotation that was one too many, in seconds. It is refused for up to a day, which ends when the
/// oldest of the secret's versions is 24 hours old; to find that out would take another call and another permission.
const ROTATION_RETRY_SECONDS: u32 = 60 * 60;

/// Why a request is not answered with what it asked for. The texts are for the caller.
#[derive(Debug)]
pub enum Problem {
    /// 400: the request can't be read.
    Malformed(String),
    /// 401: no valid token.
    Unauthorized(&'static str),
    /// 403: a valid token without the needed scope.
    Forbidden(Scope),
    /// 404: there is no such thing in the caller's workspace.
    NotFound,
    /// 409: the state of the resource does not allow it.
    Conflict(Conflict),
    /// 413: the body is too large.
    TooLarge,
    /// 422: fields that can't be accepted, all of them.
    Invalid(FieldErrors),
    /// 429: the secret has been rotated too often to be rotated again today.
    TooManyRotations,
    /// 500: something broke here; the caller learns nothing of it.
    Internal(Error),
}

/// What is wrong with the fields of a body: at least one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// One bad field.
    #[must_use]
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        Self(vec![FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

/// What is wrong with a field of the request's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name; of an entry of the metadata `metadata.` and its key.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    error: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The recovery in the way of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_id: Option<String>,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::Conflict(conflict) => Self::Conflict(conflict),
            Error::TooManyRotations => Self::TooManyRotations,
            error => Self::Internal(error),
        }
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<Conflict> for Problem {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl Problem {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRotations => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, in the shape of the API.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let status = self.status();
        let body = ErrorBody {
            status_code: status.as_u16(),
            error: status.canonical_reason().unwrap_or_default(),
            message: self.message(request_id),
            recovery_id: match &self {
                Self::Conflict(Conflict::RecoveryUnderWay(id)) => Some(id.to_string()),
                _ => None,
            },
            errors: if let Self::Invalid(errors) = self {
                errors.0
            } else {
                Vec::new()
            },
        };
        let mut response = answer::json(status, &body);
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::TOO_MANY_REQUESTS => Some((header::RETRY_AFTER, ROTATION_RETRY_SECONDS.into())),
            _ => None,
        };
        response.headers_mut().extend(header);
        response
    }

    fn message(&self, request_id: &str) -> String {
        match self {
            Self::Malformed(message) => message.clone(),
            Self::Conflict(conflict) => explained(conflict),
            Self::Unauthorized(message) => (*message).to_owned(),
            Self::Forbidden(scope) => format!("the token lacks the scope {}", scope.as_str()),
            Self::NotFound => "there is no such resource in your workspace".to_owned(),
            Self::TooLarge => format!("the body is larger than {MAX_BODY_BYTES} bytes"),
            Self::Invalid(_) => "the request has invalid fields".to_owned(),
            Self::TooManyRotations => {
                "the secret was rotated about 100 times within 24 hours, and can be rotated again \
                                       once the first of these is a day old; try again in an hour"
                    .to_owned()
            }
            Self::Internal(_) => {
                format!("something went wrong on our side; quote the request id {request_id}")
            }
        }
    }
}

/// A conflict as the caller is told it, with what to do about it.
fn explained(conflict: &Conflict) -> String {
    match conflict {
        Conflict::EndpointLimit(limit) => {
            format!("the workspace has {limit} endpoints, which is the limit")
        }
        Conflict::RotationUnderWay => "the secret is being rotated by another request".to_owned(),
        Conflict::EndpointDisabled => "the endpoint is disabled; enable it first".to_owned(),
        Conflict::RecoveryUnderWay(id) => {
            format!("the recovery {id} of this endpoint has not ended; wait for its end, or cancel it")
        }
        Conflict::RecoveryEnded(status) => format!("the recovery is {} already", status.as_str()),
        Conflict::NotRetriable(NotRetriable::Delivered) => {
            "the delivery is delivered; only one that failed or waits for its next attempt can be retried"
                .to_owned()
        }
        Conflict::NotRetriable(NotRetriable::UnderWay) => {
            "an attempt of the delivery is under way or due now; wait for its outcome, and ask again if it has failed"
                .to_owned()
        }
        Conflict::NotRetriable(NotRetriable::Changed) => {
            "the delivery changed while you asked; look at it, and ask again if it still needs a retry"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::recovery;

    use super::*;

    fn body(problem: Problem) -> serde_json::Value {
        serde_json::from_slice(problem.into_response("r-1").body()).unwrap()
    }

    #[test]
    fn an_error_has_the_body_of_the_contract() {
        assert_eq!(
            body(Problem::NotFound),
            serde_json::json!({
                "statusCode": 404,
                "error": "Not Found",
                "message": "there is no such resource in your workspace"
            })
        );
    }

    #[test]
    fn an_internal_error_shows_nothing_but_the_request_id() {
        let source = "arn:aws:dynamodb:secret-table";

        let text = body(Problem::Internal(Error::aws("GetItem")(source))).to_string();

        assert!(text.contains("r-1"));
        assert!(!text.contains("dynamodb") && !text.contains("GetItem"));
    }

    #[test]
    fn a_recovery_in_the_way_of_another_is_named() {
        let running = "rec_1".parse().unwrap();

        let body = body(Problem::Conflict(Conflict::RecoveryUnderWay(running)));

        assert_eq!(
            (&body["statusCode"], &body["recovery_id"]),
            (&409.into(), &"rec_1".into())
        );
        assert!(body["message"].as_str().unwrap().contains("rec_1"));
    }

    #[test]
    fn one_rotation_too_many_says_when_to_ask_again() {
        let response = Problem::from(Error::TooManyRotations).into_response("r-1");

        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "3600");
        assert!(!Problem::TooManyRotations.message("").contains("  "));
    }

    #[test]
    fn an_invalid_request_names_every_bad_field() {
        let error = |field: &str| FieldErrors::one(field, "is wrong");

        let body = body(error("url").and(error("events")).into());

        assert_eq!(body["statusCode"], 422);
        assert_eq!(
            body["errors"][1],
            serde_json::json!({"field": "events", "message": "is wrong"})
        );
    }

    #[test]
    fn a_conflict_says_what_to_do_or_how_long_to_wait() {
        assert_eq!(
            explained(&NotRetriable::Delivered.into()),
            "the delivery is delivered; only one that failed or waits for its next attempt can be retried"
        );
        assert_eq!(
            explained(&NotRetriable::UnderWay.into()),
            "an attempt of the delivery is under way or due now; wait for its outcome, and ask again if it has failed"
        );
        assert_eq!(
            explained(&NotRetriable::Changed.into()),
            "the delivery changed while you asked; look at it, and ask again if it still needs a retry"
        );
        assert!(explained(&Conflict::EndpointDisabled).contains("enable it first"));
        assert!(explained(&Conflict::EndpointLimit(7)).contains("7 endpoints"));
        assert!(explained(&Conflict::RotationUnderWay).contains("being rotated"));
        assert_eq!(
            explained(&Conflict::RecoveryEnded(recovery::Status::Cancelled)),
            "the recovery is cancelled already"
        );
    }
}
