//! What services answer when they fail, each in its own shape.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::Call;

/// A failure of the service.
pub(super) fn failure() -> Response<Full<Bytes>> {
    let body = json!({ "__type": "InternalServerError", "message": "injected" });
    response(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &body)
}

/// The service asks for time.
pub(super) fn throttle(call: &Call) -> Response<Full<Bytes>> {
    let (status, code) = match action(call) {
        "SendMessageBatch" | "ChangeMessageVisibilityBatch" => (StatusCode::FORBIDDEN, "RequestThrottled"),
        "CreateSchedule" => (StatusCode::TOO_MANY_REQUESTS, "ThrottlingException"),
        "GetSecretValue" | "CreateSecret" => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        _ => (
            StatusCode::BAD_REQUEST,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        ),
    };
    response(
        status,
        code,
        &json!({ "__type": code, "message": "Rate exceeded" }),
    )
}

/// The account has as much as it may have.
pub(super) fn quota() -> Response<Full<Bytes>> {
    let code = "ServiceQuotaExceededException";
    let body = json!({ "__type": code, "Message": "You have reached the maximum number of schedules" });
    response(StatusCode::PAYMENT_REQUIRED, code, &body)
}

/// The call succeeds, and each item of its batch is refused; `None` if it has no batch.
pub(super) fn refuse_items(call: &Call) -> Option<Response<Full<Bytes>>> {
    let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let body = match action(call) {
        "BatchExecuteStatement" => {
            let error = json!({ "Error": { "Code": "ThrottlingError", "Message": "injected" } });
            let count = request["Statements"].as_array().map_or(0, Vec::len);
            json!({ "Responses": vec![error; count] })
        }
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": request["RequestItems"] }),
        "SendMessageBatch" | "ChangeMessageVisibilityBatch" => {
            let entries = request["Entries"].as_array().cloned().unwrap_or_default();
            let failed = |entry: Value| json!({ "Id": entry["Id"], "Code": "ServiceUnavailable", "SenderFault": false });
            json!({ "Successful": [], "Failed": entries.into_iter().map(failed).collect::<Vec<_>>() })
        }
        _ => return None,
    };
    Some(success(&body))
}

/// What a call that succeeds answers.
pub(super) fn success(body: &Value) -> Response<Full<Bytes>> {
    response(StatusCode::OK, "", body)
}

fn action(call: &Call) -> &str {
    call.name.split(' ').next().unwrap_or_default()
}

fn response(status: StatusCode, code: &str, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        http::HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    if !code.is_empty() {
        headers.insert("x-amzn-errortype", code.parse().expect("a header value"));
    }
    response
}
