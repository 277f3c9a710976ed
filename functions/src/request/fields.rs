//! The fields of a JSON object, taken one by one; what is wrong with them is named all at once.

use serde_json::{Map, Value};
use shared::domain::endpoint::{InvalidSubscriptions, MAX_SUBSCRIPTIONS, Subscriptions};
use shared::domain::event_type::{Catalogue, EventType};
use shared::domain::target::{MAX_URL_CHARS, RefusedUrl, TargetPolicy, TargetUrl};

use super::unique::UniqueFields;
use crate::problem::{FieldErrors, Problem};

/// Most unknown fields that are named in an answer.
const MAX_NAMED_FIELDS: usize = 20;

/// Most characters of an unknown field's name in an answer.
const MAX_NAME_CHARS: usize = 64;

/// Where the event types are.
const KNOWN_EVENT_TYPES: &str = "GET /event-types lists the known ones";

/// The fields of a request's JSON object. Each is taken once, and is either valid or an error; [`Fields::finish`] names
/// all errors at once.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a JSON object in which no field appears twice.
    ///
    /// # Errors
    /// [`Problem::Malformed`] says what and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let object: Result<UniqueFields, _> = serde_json::from_slice(bytes);
        object
            .map(|UniqueFields(fields)| Self(fields))
            .map_err(|error| Problem::Malformed(describe(bytes, &error)))
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// It is not there, or `read` says what is wrong with it.
    pub fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<T, FieldErrors> {
        let value = self
            .0
            .remove(name)
            .ok_or_else(|| FieldErrors::one(name, "is required"))?;
        read(value).map_err(|message| FieldErrors::one(name, message))
    }

    /// A field that may be left out.
    ///
    /// # Errors
    /// `read` says what is wrong with it.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<T>, FieldErrors> {
        self.optional_whole(name, |value| {
            read(value).map_err(|message| FieldErrors::one(name, message))
        })
    }

    /// A field that may be left out, and of which `read` names the parts that are wrong.
    ///
    /// # Errors
    /// What `read` says.
    pub fn optional_whole<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, FieldErrors>,
    ) -> Result<Option<T>, FieldErrors> {
        self.0.remove(name).map(read).transpose()
    }

    /// Ends the reading: fields that were not taken are unknown.
    ///
    /// # Errors
    /// [`Problem::Invalid`] with everything that is wrong.
    pub fn finish<T>(self, read: Result<T, FieldErrors>) -> Result<T, Problem> {
        let unknown = self
            .0
            .keys()
            .take(MAX_NAMED_FIELDS)
            .map(|name| FieldErrors::one(&shortened(name), "is not a field of this request"));
        match (read, unknown.reduce(FieldErrors::and)) {
            (Ok(read), None) => Ok(read),
            (Ok(_), Some(errors)) | (Err(errors), None) => Err(errors.into()),
            (Err(errors), Some(unknown)) => Err(errors.and(unknown).into()),
        }
    }
}

/// Both of two fields, or what is wrong with either.
///
/// # Errors
/// Those of the first, then those of the second.
pub fn both<A, B>(a: Result<A, FieldErrors>, b: Result<B, FieldErrors>) -> Result<(A, B), FieldErrors> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
        (Err(errors), Err(others)) => Err(errors.and(others)),
    }
}

/// What is wrong with a body that is not a JSON object, and where.
fn describe(bytes: &[u8], error: &serde_json::Error) -> String {
    let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return "the body is empty".to_owned();
    };
    let text = error.to_string();
    if text.starts_with("invalid type") {
        let kind = match first {
            b'[' => "an array",
            b'"' => "a string",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            _ => "a number",
        };
        return format!("the body must be a JSON object, but is {kind}");
    }
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    let reason = if error.is_eof() {
        "it ends too early"
    } else {
        text.strip_suffix(&place).unwrap_or(&text)
    };
    format!("the body is not valid JSON (line {line}, column {column}): {reason}")
}

/// Reads the url of an endpoint.
pub fn url(policy: TargetPolicy) -> impl FnOnce(Value) -> Result<TargetUrl, String> {
    move |value| {
        let text = value.as_str().ok_or("must be a string")?;
        TargetUrl::parse(text, policy).map_err(about_url)
    }
}

/// Reads the list of events of an endpoint, in a workspace with this catalogue.
pub fn events(catalogue: Catalogue) -> impl FnOnce(Value) -> Result<Subscriptions, String> {
    move |value| {
        let Value::Array(entries) = value else {
            return Err("must be a list of event types".to_owned());
        };
        let names = entries.into_iter().map(|entry| match entry {
            Value::String(name) => Ok(name),
            _ => Err("must contain strings only".to_owned()),
        });
        let names: Vec<String> = names.collect::<Result<_, String>>()?;
        Subscriptions::parse(names, catalogue).map_err(|invalid| about_events(&invalid))
    }
}

/// Reads the name of an event type of this catalogue.
pub fn event_type(catalogue: Catalogue) -> impl FnOnce(Value) -> Result<&'static EventType, String> {
    move |value| {
        let name = value.as_str().ok_or("must be a string")?;
        catalogue.find(name).ok_or_else(|| {
            let name = shortened(name);
            format!("`{name}` is not an event type; {KNOWN_EVENT_TYPES}")
        })
    }
}

fn about_url(refused: RefusedUrl) -> String {
    let message = match refused {
        RefusedUrl::TooLong => return format!("must be at most {MAX_URL_CHARS} characters long"),
        RefusedUrl::Padded => "must not begin or end with spaces or line breaks",
        RefusedUrl::NotAUrl => "must be an absolute url, such as https://hooks.example.com/webhooks",
        RefusedUrl::NotHttps => "must use https",
        RefusedUrl::UserInfo => "must not contain a user name or password",
        RefusedUrl::Fragment => "must not contain a fragment",
        RefusedUrl::PortZero => "must not use port 0",
        RefusedUrl::PrivateHost => {
            "must name a host that is reachable from the internet; localhost, .local and single names are not"
        }
        RefusedUrl::PrivateAddress => "must not point to a private or reserved address",
    };
    message.to_owned()
}

fn about_events(invalid: &InvalidSubscriptions) -> String {
    match invalid {
        InvalidSubscriptions::Count => format!("must contain 1 to {MAX_SUBSCRIPTIONS} event types"),
        InvalidSubscriptions::Duplicate(name) => format!("must not contain `{name}` twice"),
        InvalidSubscriptions::EverythingAndMore => "must contain `*` alone or not at all".to_owned(),
        InvalidSubscriptions::Pattern(name) => {
            format!("contains `{name}`; patterns are not supported: name the types, or use `*` alone")
        }
        InvalidSubscriptions::Unknown(names) => {
            let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let what = match quoted.as_slice() {
                [names @ .., last] if !names.is_empty() => {
                    format!("{} and {last}, which are not event types", names.join(", "))
                }
                _ => format!("{}, which is not an event type", quoted.concat()),
            };
            format!("contains {what}; {KNOWN_EVENT_TYPES}, and * takes all")
        }
    }
}

/// Enough of a caller's text to recognise it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(body: &[u8]) -> String {
        match Fields::parse(body) {
            Err(Problem::Malformed(message)) => message,
            other => panic!("not malformed: {other:?}"),
        }
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let mut fields =
            Fields::parse(br#"{"url": "http://x", "events": [], "enabled": null, "evnt": 1}"#).unwrap();

        let url = fields.required("url", url(TargetPolicy::PublicOnly));
        let events = fields.required("events", events(Catalogue::Product));
        let enabled = fields.optional("enabled", |_| Err::<bool, _>("must be true or false".to_owned()));
        let event = fields.required("event", Ok);
        let read = both(both(url, events), both(enabled, event));

        let expected = FieldErrors::one("url", "must use https")
            .and(FieldErrors::one("events", "must contain 1 to 50 event types"))
            .and(FieldErrors::one("enabled", "must be true or false"))
            .and(FieldErrors::one("event", "is required"))
            .and(FieldErrors::one("evnt", "is not a field of this request"));
        assert!(matches!(fields.finish(read), Err(Problem::Invalid(errors)) if errors == expected));
    }

    #[test]
    fn every_unknown_event_type_is_named_with_where_the_known_ones_are() {
        // The operational events, unlike others, are the same in every build.
        let message = |names: Value| events(Catalogue::Operator)(names).unwrap_err();

        assert_eq!(
            message(serde_json::json!(["order.paid", "endpoint.created", "a.b"])),
            "contains `order.paid` and `a.b`, which are not event types; \
             GET /event-types lists the known ones, and * takes all"
        );
        assert!(
            message(serde_json::json!(["order.paid"])).contains("`order.paid`, which is not an event type;")
        );
        assert!(message(serde_json::json!(["survey.*"])).contains("patterns are not supported"));
        assert!(
            event_type(Catalogue::Operator)(serde_json::json!("order.paid"))
                .unwrap_err()
                .starts_with("`order.paid` is not an event type")
        );
    }

    #[test]
    fn an_unknown_field_makes_a_good_body_invalid() {
        let mut fields = Fields::parse(br#"{"enabled": true, "evnt": 1}"#).unwrap();

        let enabled = fields.optional("enabled", Ok);

        assert!(matches!(fields.finish(enabled), Err(Problem::Invalid(_))));
    }

    #[test]
    fn a_body_that_is_not_a_json_object_is_malformed_and_the_message_says_how() {
        for (body, message) in [
            ("", "the body is empty"),
            (" \n", "the body is empty"),
            ("null", "the body must be a JSON object, but is null"),
            ("[]", "the body must be a JSON object, but is an array"),
            ("7", "the body must be a JSON object, but is a number"),
            ("\"a\"", "the body must be a JSON object, but is a string"),
            ("true", "the body must be a JSON object, but is a boolean"),
            (
                "{\"a\":1,}",
                "the body is not valid JSON (line 1, column 8): trailing comma",
            ),
            (
                "{\"a\":",
                "the body is not valid JSON (line 1, column 5): it ends too early",
            ),
            (
                "{\"a\":1,\"a\":1}",
                "the body is not valid JSON (line 1, column 13): the field `a` appears twice",
            ),
        ] {
            assert_eq!(malformed(body.as_bytes()), message, "{body}");
        }
    }

    #[test]
    fn what_no_json_reader_takes_is_malformed() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1000), "]".repeat(1000));
        for bad in [
            b"{".as_slice(),
            b"{\"a\":1e999}",
            "\u{feff}{}".as_bytes(),
            deep.as_bytes(),
            &[b'{', 0xff, b'}'],
        ] {
            assert!(malformed(bad).starts_with("the body is not valid JSON"));
        }
    }
}
