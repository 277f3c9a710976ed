//! The size of items, and the units of reading and writing them, by DynamoDB's published rules.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use serde_json::{Map, Value};

/// An item: attribute names with typed values, as the wire has them.
pub(super) type Item = Map<String, Value>;

const WRITE_UNIT_BYTES: usize = 1024;
const READ_UNIT_BYTES: usize = 4096;

/// The item or key in a part of a call; empty if there is none.
pub(super) fn object(value: &Value) -> Item {
    value.as_object().cloned().unwrap_or_default()
}

/// Bytes of an item: names and values.
pub(super) fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

/// Units for writing this many bytes.
pub(super) fn write_units(bytes: usize) -> f64 {
    units(bytes, WRITE_UNIT_BYTES)
}

/// Units for reading this many bytes; half of them if the read may be stale.
pub(super) fn read_units(bytes: usize, consistent: Option<&Value>) -> f64 {
    let units = units(bytes, READ_UNIT_BYTES);
    if consistent == Some(&Value::Bool(true)) {
        units
    } else {
        units / 2.0
    }
}

/// Reading nothing, or writing nothing, also takes one unit.
#[expect(clippy::cast_precision_loss, reason = "an item has at most 400 KB")]
fn units(bytes: usize, unit: usize) -> f64 {
    bytes.div_ceil(unit).max(1) as f64
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("B", Value::String(encoded)) => encoded.len() * 3 / 4,
        ("L", Value::Array(values)) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        ("M", Value::Object(map)) => {
            3 + map
                .iter()
                .map(|(name, value)| 1 + name.len() + value_size(value))
                .sum::<usize>()
        }
        ("SS" | "NS", Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: &Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn names_and_values_count() {
        assert_eq!(size(&item(&json!({ "ab": { "S": "xyz" } }))), 5);
        assert_eq!(size(&item(&json!({ "n": { "N": "12345" } }))), 5);
        assert_eq!(size(&item(&json!({ "b": { "BOOL": true } }))), 2);
        assert_eq!(size(&item(&json!({ "l": { "L": [{ "S": "x" }] } }))), 6);
    }

    #[test]
    fn units_are_begun_kilobytes() {
        assert!((write_units(1024) - 1.0).abs() < f64::EPSILON);
        assert!((write_units(1025) - 2.0).abs() < f64::EPSILON);
        assert!((read_units(0, Some(&json!(true))) - 1.0).abs() < f64::EPSILON);
        assert!((read_units(4097, None) - 1.0).abs() < f64::EPSILON);
    }
}
