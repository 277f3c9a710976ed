//! The part of update expressions that the functions use: `SET name = :value`, `SET name = if_not_exists(name, :value)`,
//! `REMOVE name`. Conditions are not checked here: in the benchmark they hold.

use serde_json::Value;

use super::item::Item;

/// The item after an `UpdateItem`.
pub(super) fn updated(mut item: Item, input: &Value) -> Item {
    let expression = input["UpdateExpression"].as_str().unwrap_or_default();
    let (set, remove) = expression.split_once("REMOVE").unwrap_or((expression, ""));
    // Without the comma in it, every comma ends an assignment.
    let set = set
        .trim_start_matches("SET")
        .replace("if_not_exists(", "if_not_exists ");
    let mut rest = set.as_str();
    while let Some((name, right)) = rest.split_once('=') {
        let value = right.split_once(':').map_or("", |(_, value)| value);
        let end = value.find([',', ')', ' ']).unwrap_or(value.len());
        let name = name_of(name.trim_matches([',', ')', ' ']), input);
        let keeps = right.trim_start().starts_with("if_not_exists") && item.contains_key(&name);
        let value_name = format!(":{}", &value[..end]);
        if let Some(value) = input["ExpressionAttributeValues"]
            .get(&value_name)
            .filter(|_| !keeps)
        {
            item.insert(name, value.clone());
        }
        rest = &value[end..];
    }
    for name in remove.split(',') {
        item.remove(&name_of(name.trim(), input));
    }
    item
}

fn name_of(name: &str, input: &Value) -> String {
    input["ExpressionAttributeNames"][name]
        .as_str()
        .unwrap_or(name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(expression: &str, item: &Value) -> Value {
        let values = json!({ ":a": { "N": "1" }, ":b": { "N": "2" } });
        let input = json!({ "UpdateExpression": expression, "ExpressionAttributeValues": values });
        Value::Object(updated(item.as_object().unwrap().clone(), &input))
    }

    #[test]
    fn values_are_set_and_removed() {
        let item = json!({ "y": { "N": "9" }, "z": { "N": "9" } });

        let item = after("SET x = :a, y = :b REMOVE z", &item);

        assert_eq!(item, json!({ "x": { "N": "1" }, "y": { "N": "2" } }));
    }

    #[test]
    fn what_exists_is_kept_if_asked_for() {
        let item = json!({ "x": { "N": "9" } });

        let item = after(
            "SET y = :a, x = if_not_exists(x, :b), z = if_not_exists(z, :b)",
            &item,
        );

        assert_eq!(
            item,
            json!({ "x": { "N": "9" }, "y": { "N": "1" }, "z": { "N": "2" } })
        );
    }
}
