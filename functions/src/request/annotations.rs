//! Reading what an owner notes with an endpoint. Each bad entry of the metadata is named, as `metadata.` and its key.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::domain::annotations::{
    Description, InvalidMetadata, MAX_DESCRIPTION_CHARS, MAX_ENTRIES, MAX_KEY_CHARS, MAX_METADATA_BYTES,
    MAX_VALUE_CHARS, Metadata, TooLong,
};

use super::fields::shortened;
use crate::problem::FieldErrors;

/// Most things wrong with metadata that are named in an answer.
const MAX_NAMED_ERRORS: usize = 20;

const NOT_AN_OBJECT: &str = "must be an object of strings";

/// Reads the description of an endpoint, of which `null` is none.
pub fn description(value: Value) -> Result<Description, String> {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        _ => return Err("must be a string or null".to_owned()),
    };
    Description::parse(text)
        .map_err(|TooLong| format!("must be at most {MAX_DESCRIPTION_CHARS} characters long"))
}

/// Reads the metadata of an endpoint.
pub fn metadata(value: Value) -> Result<Metadata, FieldErrors> {
    let Value::Object(fields) = value else {
        return Err(FieldErrors::one("metadata", NOT_AN_OBJECT));
    };
    let mut texts = BTreeMap::new();
    let mut others = Vec::new();
    for (key, value) in fields {
        if let Value::String(text) = value {
            texts.insert(key, text);
        } else {
            others.push(about_entry(&key, "must be a string"));
        }
    }
    let metadata = Metadata::parse(texts);
    let invalid = metadata.as_ref().err().into_iter().flatten().map(about);
    let wrong = invalid.chain(others).take(MAX_NAMED_ERRORS);
    let wrong = wrong.reduce(FieldErrors::and);
    match (metadata, wrong) {
        (Ok(metadata), None) => Ok(metadata),
        (_, wrong) => Err(wrong.unwrap_or_else(|| FieldErrors::one("metadata", NOT_AN_OBJECT))),
    }
}

fn about(invalid: &InvalidMetadata) -> FieldErrors {
    match invalid {
        InvalidMetadata::Count => {
            FieldErrors::one("metadata", format!("must have at most {MAX_ENTRIES} entries"))
        }
        InvalidMetadata::Size => FieldErrors::one(
            "metadata",
            format!("must be at most {MAX_METADATA_BYTES} bytes of UTF-8, all keys and values together"),
        ),
        InvalidMetadata::Key(key) => {
            about_entry(key, format!("must have a key of 1 to {MAX_KEY_CHARS} characters"))
        }
        InvalidMetadata::Value(key) => {
            about_entry(key, format!("must be at most {MAX_VALUE_CHARS} characters long"))
        }
    }
}

fn about_entry(key: &str, message: impl Into<String>) -> FieldErrors {
    FieldErrors::one(&format!("metadata.{}", shortened(key)), message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The fields that are named and what is said of them.
    fn wrong(value: Value) -> Value {
        serde_json::to_value(metadata(value).unwrap_err()).unwrap()
    }

    #[test]
    fn null_is_no_description() {
        assert!(description(Value::Null).unwrap().is_none());
        assert_eq!(
            description(json!("Production")).unwrap().text(),
            Some("Production")
        );
        assert!(description(json!(1)).unwrap_err().contains("string or null"));
        assert!(description(json!("d".repeat(256))).unwrap_err().contains("255"));
    }

    #[test]
    fn metadata_that_is_no_object_is_named_as_a_whole() {
        for value in [json!(null), json!([]), json!("a")] {
            assert_eq!(
                wrong(value),
                json!([{ "field": "metadata", "message": NOT_AN_OBJECT }])
            );
        }
    }

    #[test]
    fn every_bad_entry_is_named_by_its_key() {
        let key = "k".repeat(65);
        let value = json!({ "number": 1, "none": null, "long": "v".repeat(201), "good": "", "": "v", key.as_str(): "v" });

        assert_eq!(
            wrong(value),
            json!([
                { "field": "metadata.", "message": "must have a key of 1 to 40 characters" },
                { "field": format!("metadata.{}", &key[..64]), "message": "must have a key of 1 to 40 characters" },
                { "field": "metadata.long", "message": "must be at most 200 characters long" },
                { "field": "metadata.none", "message": "must be a string" },
                { "field": "metadata.number", "message": "must be a string" },
            ])
        );
    }

    #[test]
    fn an_answer_about_thousands_of_entries_is_short() {
        let entries: serde_json::Map<_, _> = (0..3_000).map(|n| (n.to_string(), Value::Null)).collect();

        assert_eq!(wrong(entries.into()).as_array().unwrap().len(), 20);
    }
}
