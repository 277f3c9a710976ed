//! Reading requests: path ids, query parameters, and JSON bodies of which all bad fields are named at once.

mod annotations;
mod fields;
mod query;
mod unique;

use std::str::FromStr;

use lambda_http::http::header;
use lambda_http::{Body, Request, RequestExt};

pub use annotations::{description, metadata};
pub use fields::{Fields, both, event_type, events, url};
pub use query::{Query, instant};

use crate::problem::{MAX_BODY_BYTES, Problem};

/// The id in the path. One that can't be an id names nothing, like one that is not there.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn path_id<T: FromStr>(request: &Request, name: &str) -> Result<T, Problem> {
    request
        .path_parameters_ref()
        .and_then(|ids| ids.first(name))
        .and_then(|id| id.parse().ok())
        .ok_or(Problem::NotFound)
}

/// The JSON object in the body.
///
/// # Errors
/// [`Problem::TooLarge`], or [`Problem::Malformed`] if the content type is another one or the body is not a JSON object.
pub fn json_object(request: &Request) -> Result<Fields, Problem> {
    if request.body().len() > MAX_BODY_BYTES {
        return Err(Problem::TooLarge);
    }
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::Malformed(
            "the content type must be application/json".to_owned(),
        ));
    }
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    Fields::parse(bytes)
}
