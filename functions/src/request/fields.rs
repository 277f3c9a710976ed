//! The fields of a JSON object, taken one by one; what is wrong is collected, not thrown.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use shared::domain::endpoint::Subscriptions;
use shared::domain::target::{TargetPolicy, TargetUrl};

use crate::problem::{FieldError, Problem};

/// Most unknown fields that are named in an answer.
const MAX_NAMED_FIELDS: usize = 20;

/// A JSON object of a request.
#[derive(Debug)]
pub struct Fields {
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Reads a JSON object in which no field stands twice.
    ///
    /// # Errors
    /// [`Problem::Malformed`] says what and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let object: UniqueFields = serde_json::from_slice(bytes)
            .map_err(|error| Problem::Malformed(format!("the body is no JSON object: {error}")))?;
        Ok(Self {
            values: object.0,
            errors: Vec::new(),
        })
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> Option<T> {
        if !self.values.contains_key(name) {
            self.refuse(name, "is required");
        }
        self.optional(name, read)
    }

    /// A field that may be left out.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> Option<T> {
        let value = self.values.remove(name)?;
        read(value).map_err(|message| self.refuse(name, message)).ok()
    }

    /// Adds what is wrong with a field.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// Ends the reading: fields that nobody took are unknown.
    ///
    /// # Errors
    /// [`Problem::Invalid`] with everything that is wrong.
    pub fn finish(mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.values.keys().take(MAX_NAMED_FIELDS).cloned().collect();
        for name in unknown {
            self.refuse(
                &name.chars().take(64).collect::<String>(),
                "is no field of this request",
            );
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::Invalid(self.errors))
        }
    }
}

/// Reads the url of an endpoint.
pub fn url(policy: TargetPolicy) -> impl FnOnce(Value) -> Result<TargetUrl, String> {
    move |value| {
        let text = value.as_str().ok_or("must be a string")?;
        TargetUrl::parse(text, policy).map_err(|refusal| refusal.to_string())
    }
}

/// Reads the list of events of an endpoint.
///
/// # Errors
/// What is wrong with it.
pub fn events(value: Value) -> Result<Subscriptions, String> {
    let Value::Array(entries) = value else {
        return Err("must be a list of event types".to_owned());
    };
    let names = entries.into_iter().map(|entry| match entry {
        Value::String(name) => Ok(name),
        _ => Err("must contain strings only".to_owned()),
    });
    let names: Vec<String> = names.collect::<Result<_, String>>()?;
    Subscriptions::try_from(names).map_err(|refusal| refusal.to_string())
}

/// A JSON object; `serde_json` alone would let the last of two equal fields win.
struct UniqueFields(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueFieldsVisitor)
    }
}

struct UniqueFieldsVisitor;

impl<'de> Visitor<'de> for UniqueFieldsVisitor {
    type Value = UniqueFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueFields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field stands there twice"));
            }
        }
        Ok(UniqueFields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(result: Result<(), Problem>) -> Vec<String> {
        match result {
            Err(Problem::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("not invalid: {other:?}"),
        }
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let mut fields =
            Fields::parse(br#"{"url": "http://x", "events": [], "enabled": null, "evnt": 1}"#).unwrap();

        fields.required("url", url(TargetPolicy::PublicOnly));
        fields.required("events", events);
        fields.optional("enabled", |value| {
            value.as_bool().ok_or("must be true or false".to_owned())
        });
        fields.required("event", Ok);

        assert_eq!(
            errors(fields.finish()),
            ["url", "events", "enabled", "event", "evnt"]
        );
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1000), "]".repeat(1000));
        for bad in [
            "",
            "null",
            "[]",
            "7",
            "{",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1e999}",
            "\u{feff}{}",
            &deep,
        ] {
            assert!(
                matches!(Fields::parse(bad.as_bytes()), Err(Problem::Malformed(_))),
                "{bad:.40}"
            );
        }
        assert!(matches!(
            Fields::parse(&[b'{', 0xff, b'}']),
            Err(Problem::Malformed(_))
        ));
    }
}
