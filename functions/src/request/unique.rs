//! JSON in which no object has a field twice; `serde_json` alone would let the last of two equal fields win.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fields::shortened;

/// A JSON object, without a field that appears twice anywhere in it.
pub(super) struct UniqueFields(pub(super) Map<String, Value>);

struct UniqueValue(Value);

struct UniqueFieldsVisitor;

struct UniqueValueVisitor;

impl<'de> Deserialize<'de> for UniqueFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueFieldsVisitor)
    }
}

impl<'de> Deserialize<'de> for UniqueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueValueVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for UniqueFieldsVisitor {
    type Value = UniqueFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueFields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, UniqueValue(value))) = entries.next_entry::<String, UniqueValue>()? {
            if fields.contains_key(&name) {
                let name = shortened(&name);
                return Err(A::Error::custom(format!("the field `{name}` appears twice")));
            }
            fields.insert(name, value);
        }
        Ok(UniqueFields(fields))
    }
}

impl<'de> Visitor<'de> for UniqueValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueValue(value)) = entries.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let UniqueFields(fields) = UniqueFieldsVisitor.visit_map(entries)?;
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let object: Result<UniqueFields, _> = serde_json::from_str(text);
        object
            .map(|UniqueFields(fields)| fields.into())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_has_no_field_twice_is_read_as_it_is() {
        let text = r#"{"a":[null,true,-1,1,1.5,"b",[],{}],"c":{"a":"d"}}"#;

        assert_eq!(read(text).unwrap().to_string(), text);
    }

    #[test]
    fn a_field_that_appears_twice_is_found_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":1}}"#,
            r#"{"b":[{"a":1,"\u0061":1}]}"#,
        ] {
            assert!(
                read(text).unwrap_err().contains("the field `a` appears twice"),
                "{text}"
            );
        }
    }
}
