//! As much of JSON Schema as `openapi.yaml` uses to say which fields there are and of which types. Formats and
//! patterns are left to Schemathesis, which checks the whole of it.

use serde_json::Value;

use crate::document;

/// What is wrong with `value` by `schema`, each with where it is.
pub fn complaints(schema: &'static Value, value: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    check(schema, value, "", &mut complaints);
    complaints
}

fn check(schema: &'static Value, value: &Value, at: &str, complaints: &mut Vec<String>) {
    let schema = document::resolve(schema);
    if !has_type(&schema["type"], value) {
        complaints.push(format!("{at}: {value} is not of type {}", schema["type"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|known| !known.contains(value))
    {
        complaints.push(format!("{at}: {value} is not in {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        complaints.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    let is_short = |least| {
        value
            .as_str()
            .is_some_and(|text| (text.chars().count() as u64) < least)
    };
    if schema["minLength"].as_u64().is_some_and(is_short) {
        complaints.push(format!("{at}: {value} is too short"));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices
            .iter()
            .filter(|choice| self::complaints(choice, value).is_empty());
        let fitting = fitting.count();
        if fitting != 1 {
            complaints.push(format!("{at}: {fitting} of the choices fit {value}"));
        }
    }
    check_fields(schema, value, at, complaints);
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            check(items, item, &format!("{at}/{index}"), complaints);
        }
    }
}

fn check_fields(schema: &'static Value, value: &Value, at: &str, complaints: &mut Vec<String>) {
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !name.as_str().is_some_and(|name| fields.contains_key(name)) {
            complaints.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, field) in fields {
        if let Some(names) = schema.get("propertyNames") {
            check(
                names,
                &Value::String(name.clone()),
                &format!("{at}/{name}"),
                complaints,
            );
        }
        match schema["properties"].get(name) {
            Some(property) => check(property, field, &format!("{at}/{name}"), complaints),
            None if schema["additionalProperties"] == false => {
                complaints.push(format!("{at}: {name} is not documented"));
            }
            None => check(
                &schema["additionalProperties"],
                field,
                &format!("{at}/{name}"),
                complaints,
            ),
        }
    }
}

/// `type` is a name, a list of names, or not there.
fn has_type(wanted: &Value, value: &Value) -> bool {
    match wanted {
        Value::String(name) => is_a(name, value),
        Value::Array(names) => names.iter().any(|name| has_type(name, value)),
        _ => true,
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type of JSON Schema"),
    }
}
