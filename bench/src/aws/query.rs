//! `Query`: the items of a partition in the order of their sort keys, between two bounds or with a prefix, a megabyte a call.

use serde_json::{Map, Value, json};

use super::bill::Bill;
use super::item::{Item, read_units, size};
use super::table::Table;

/// What one call reads at most, in bytes.
const CALL_BYTES: usize = 1024 * 1024;

/// What the key condition of a query says.
struct Condition<'a> {
    partition: &'a str,
    /// The attribute that sorts, of the table or of the index.
    sort: &'a str,
    first: &'a str,
    last: Option<&'a str>,
    prefix: &'a str,
}

impl<'a> Condition<'a> {
    /// Reads `a = :b`, `a = :b AND c BETWEEN :d AND :e`, or `a = :b AND begins_with(c, :d)`.
    fn of(input: &'a Value, sort_of_table: &'a str) -> Option<Self> {
        let text = input["KeyConditionExpression"].as_str()?;
        let separators = |letter: char| letter == ' ' || letter == '(' || letter == ')' || letter == ',';
        let words: Vec<_> = text.split(separators).filter(|word| !word.is_empty()).collect();
        let value = |place: usize| {
            let name = words.get(place)?;
            input["ExpressionAttributeValues"][name]["S"].as_str()
        };
        let partition = value(2)?;
        let (sort, first, last, prefix) = match words.get(4) {
            Some(&"begins_with") => (words.get(5)?, "", None, value(6)?),
            Some(sort) => (sort, value(6)?, Some(value(8)?), ""),
            None => (&sort_of_table, "", None, ""),
        };
        Some(Self {
            partition,
            sort,
            first,
            last,
            prefix,
        })
    }

    fn holds(&self, key: &str) -> bool {
        key >= self.first && self.last.is_none_or(|last| key <= last) && key.starts_with(self.prefix)
    }
}

/// Answers a query and bills what it reads: whole items of a table, or the keys that an index has of them.
pub(super) fn answer(table: &Table, input: &Value, bill: &mut Bill) -> Value {
    let Some(condition) = Condition::of(input, table.sort_key()) else {
        return json!({});
    };
    let is_index = input["IndexName"].is_string();
    let limit = input["Limit"].as_u64().and_then(|limit| limit.try_into().ok());
    let limit: usize = limit.unwrap_or(usize::MAX);
    let mut read = Vec::new();
    let (mut scanned, mut bytes, mut stopped_at) = (0, 0, None);
    for item in found(table, &condition, input) {
        let keys = table.index_entry(item, condition.sort);
        bytes += size(if is_index { &keys } else { item });
        scanned += 1;
        if is_let_through(item, input) {
            read.push(projected(item, input["ProjectionExpression"].as_str()));
        }
        if bytes >= CALL_BYTES || scanned == limit {
            stopped_at = Some(keys);
            break;
        }
    }
    bill.read_units += read_units(bytes, input.get("ConsistentRead"));
    let mut answer = json!({ "Count": read.len(), "ScannedCount": scanned });
    if input["Select"] != "COUNT" {
        answer["Items"] = json!(read);
    }
    if let Some(keys) = stopped_at {
        answer["LastEvaluatedKey"] = Value::Object(keys);
    }
    answer
}

/// The items for which the condition holds, in the wanted order, from where an earlier call stopped.
fn found<'a>(table: &'a Table, condition: &Condition<'_>, input: &Value) -> Vec<&'a Item> {
    let key_of = |item: &'a Item| item.get(condition.sort)?["S"].as_str();
    let mut items: Vec<_> = table
        .partition(condition.partition)
        .filter_map(|item| Some((key_of(item)?, item)))
        .filter(|(key, _)| condition.holds(key))
        .collect();
    items.sort_by_key(|(key, _)| *key);
    let is_backwards = input["ScanIndexForward"] == false;
    if is_backwards {
        items.reverse();
    }
    if let Some(start) = input["ExclusiveStartKey"][condition.sort]["S"].as_str() {
        items.retain(|(key, _)| if is_backwards { *key < start } else { *key > start });
    }
    items.into_iter().map(|(_, item)| item).collect()
}

/// Whether a filter, `#a = :b AND #c = :d`, lets an item through. What it leaves out has been read, and is billed.
fn is_let_through(item: &Item, input: &Value) -> bool {
    let conditions = input["FilterExpression"].as_str().into_iter();
    let mut conditions = conditions.flat_map(|filter| filter.split(" AND "));
    conditions.all(|condition| {
        let (name, value) = condition.split_once(" = ").unwrap_or_default();
        let name = input["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
        item.get(name) == input["ExpressionAttributeValues"].get(value)
    })
}

/// The attributes that are asked for: by their names, or as `list[0].field`, which reaches into its first entry.
fn projected(item: &Item, expression: Option<&str>) -> Item {
    let Some(expression) = expression else {
        return item.clone();
    };
    let mut projected = Item::new();
    for path in expression.split(", ") {
        let Some((name, field)) = path.split_once("[0].") else {
            projected.extend(item.get(path).map(|value| (path.to_owned(), value.clone())));
            continue;
        };
        if let Some(value) = item.get(name).and_then(|list| list["L"][0]["M"].get(field)) {
            let entry = projected
                .entry(name)
                .or_insert_with(|| json!({ "L": [{ "M": Map::new() }] }));
            entry["L"][0]["M"][field] = value.clone();
        }
    }
    projected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Keys, TableSchema};

    #[test]
    fn a_limited_query_goes_on_where_it_stopped() {
        let keys = |names: [&str; 2]| Keys {
            attributes: names.map(str::to_owned).to_vec(),
        };
        let mut table = Table::new(TableSchema {
            key: keys(["h", "s"]),
            indexes: vec![keys(["h", "i"])],
        });
        for (partition, sort, index) in [("p", "1", "c"), ("p", "2", "a"), ("p", "3", "b"), ("q", "4", "d")] {
            let item = json!({ "h": { "S": partition }, "s": { "S": sort }, "i": { "S": index } });
            table.keep(item.as_object().unwrap().clone());
        }
        let mut query = json!({
            "IndexName": "i",
            "KeyConditionExpression": "h = :h AND i BETWEEN :a AND :z",
            "ExpressionAttributeValues": { ":h": { "S": "p" }, ":a": { "S": "a" }, ":z": { "S": "z" } },
            "ProjectionExpression": "s",
            "Limit": 2,
        });
        let mut bill = Bill::default();

        let first = answer(&table, &query, &mut bill);
        query["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
        let second = answer(&table, &query, &mut bill);

        assert_eq!(
            first["Items"],
            json!([{ "s": { "S": "2" } }, { "s": { "S": "3" } }])
        );
        assert_eq!(second["Items"], json!([{ "s": { "S": "1" } }]));
        assert!(second.get("LastEvaluatedKey").is_none());
        assert!((bill.read_units - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_filter_leaves_out_what_is_not_equal() {
        let item = json!({ "a": { "S": "1" }, "b": { "S": "2" } });
        let is_let_through = |filter: &str| {
            let input = json!({
                "FilterExpression": filter,
                "ExpressionAttributeNames": { "#a": "a", "#b": "b" },
                "ExpressionAttributeValues": { ":one": { "S": "1" }, ":two": { "S": "2" } },
            });
            super::is_let_through(item.as_object().unwrap(), &input)
        };

        assert!(is_let_through("#a = :one") && is_let_through("#a = :one AND #b = :two"));
        assert!(!is_let_through("#a = :two") && !is_let_through("#a = :one AND #b = :one"));
    }

    #[test]
    fn a_path_reaches_into_the_first_entry_of_a_list() {
        let item = json!({
            "a": { "S": "1" },
            "l": { "L": [{ "M": { "x": { "N": "1" }, "y": { "N": "2" } } }, { "M": { "x": { "N": "3" } } }] },
        });
        let item = item.as_object().unwrap();

        assert_eq!(
            Value::Object(projected(item, Some("a, l[0].x, l[0].z"))),
            json!({ "a": { "S": "1" }, "l": { "L": [{ "M": { "x": { "N": "1" } } }] } })
        );
    }

    #[test]
    fn the_three_forms_of_conditions_are_read() {
        let condition = |text: &str| {
            json!({
                "KeyConditionExpression": text,
                "ExpressionAttributeValues": { ":a": { "S": "p" }, ":b": { "S": "b" }, ":c": { "S": "c" } },
            })
        };

        let between = condition("h = :a AND s BETWEEN :b AND :c");
        let between = Condition::of(&between, "t").unwrap();
        assert!(between.holds("b") && between.holds("c") && !between.holds("d") && !between.holds("a"));
        assert_eq!((between.partition, between.sort), ("p", "s"));
        let prefix = condition("h = :a AND begins_with(s, :b)");
        let prefix = Condition::of(&prefix, "t").unwrap();
        assert!(prefix.holds("bc") && !prefix.holds("c"));
        assert_eq!(prefix.sort, "s");
        let all = condition("h = :a");
        assert_eq!(Condition::of(&all, "t").unwrap().sort, "t");
    }
}
