//! Attribute values of DynamoDB, written short; and times, which are kept as milliseconds since 1970.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::Error;

/// An item or a key.
pub(super) type Item = HashMap<String, AttributeValue>;

/// An item that is written for its values, without a map of them.
pub(super) type Fields = Vec<(&'static str, AttributeValue)>;

/// The item of such fields.
pub(super) fn item(fields: Fields) -> Item {
    let fields = fields.into_iter();
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn text(value: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn time(value: Timestamp) -> AttributeValue {
    number(&value.as_millisecond())
}

pub(super) fn key<const N: usize>(attributes: [(&str, &str); N]) -> Item {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect()
}

/// Reads a time of an item.
pub(super) fn instant(table: &'static str, millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(Error::corrupt(table))
}

/// Reads a time that an item need not have.
pub(super) fn optional_instant(table: &'static str, millis: Option<i64>) -> Result<Option<Timestamp>, Error> {
    millis.map(|millis| instant(table, millis)).transpose()
}
