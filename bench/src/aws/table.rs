//! One table in memory. It bills each write. Of a condition it checks only whether an attribute exists, or has a value: in
//! the benchmark everything else holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bill::Bill;
use super::expression;
use super::item::{Item, object, size, write_units};
use crate::template::{Keys, TableSchema};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    schema: TableSchema,
    items: BTreeMap<Vec<String>, Item>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(schema: TableSchema) -> Self {
        Self {
            schema,
            items: BTreeMap::new(),
        }
    }

    /// The item whose key attributes are those in `key`.
    pub(super) fn get(&self, key: &Item) -> Option<&Item> {
        self.items.get(&self.schema.key.of(key))
    }

    /// The items of a partition, in the order of their sort keys.
    pub(super) fn partition(&self, partition: &str) -> impl Iterator<Item = &Item> {
        let from = self.items.range(vec![partition.to_owned()]..);
        let items = from.take_while(move |(key, _)| key[0] == partition);
        items.map(|(_, item)| item)
    }

    /// The attribute by which the items of a partition are sorted.
    pub(super) fn sort_key(&self) -> &str {
        self.schema.key.attributes.last().map_or("", String::as_str)
    }

    /// What an index has of an item, which projects keys only: the keys of the table, and its own sort key.
    pub(super) fn index_entry(&self, item: &Item, sort: &str) -> Item {
        let is_key = |name: &str| name == sort || self.schema.key.attributes.iter().any(|key| key == name);
        let keys = item.iter().filter(|(name, _)| is_key(name));
        keys.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Whether the condition of a write holds, which has an item or a key.
    pub(super) fn allows(&self, write: &Value) -> bool {
        let key = write.get("Item").or(write.get("Key")).map(object);
        let item = key.and_then(|key| self.get(&key));
        let has = |name: &str| item.is_some_and(|item| item.contains_key(name));
        let condition = write["ConditionExpression"].as_str().unwrap_or_default();
        let (function, rest) = condition.split_once('(').unwrap_or_default();
        let name = rest.split(')').next().unwrap_or_default();
        let exists = match function {
            "attribute_exists" => has(name),
            "attribute_not_exists" => !has(name),
            _ => true,
        };
        let equals = |part: &str| {
            let Some((name, value)) = part.split_once(" = ") else {
                return true;
            };
            let name = write["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
            item.and_then(|item| item.get(name)) == write["ExpressionAttributeValues"].get(value)
        };
        exists && (condition.contains(" OR ") || condition.split(" AND ").all(equals))
    }

    /// `ConditionCheck`, whose condition has been checked: it writes nothing and is billed as if it did.
    pub(super) fn check_condition(&mut self, check: &Value, bill: &mut Bill) -> Value {
        bill.write_units += write_units(self.get(&object(&check["Key"])).map_or(0, size));
        json!({})
    }

    /// `PutItem`, whose condition has been checked.
    pub(super) fn put_item(&mut self, write: &Value, bill: &mut Bill) -> Value {
        self.put(object(&write["Item"]), bill);
        json!({})
    }

    /// `UpdateItem`, whose condition has been checked.
    pub(super) fn update_item(&mut self, write: &Value, bill: &mut Bill) -> Value {
        let key = object(&write["Key"]);
        let old = self.get(&key).cloned().unwrap_or(key);
        let new = expression::updated(old, write);
        self.put(new.clone(), bill);
        json!({ "Attributes": new })
    }

    /// `DeleteItem`, whose condition has been checked.
    pub(super) fn delete_item(&mut self, write: &Value, bill: &mut Bill) -> Value {
        let old = self.items.remove(&self.schema.key.of(&object(&write["Key"])));
        bill.write_units += write_units(old.as_ref().map_or(0, size));
        json!({})
    }

    /// Writes an item.
    pub(super) fn put(&mut self, item: Item, bill: &mut Bill) {
        let old = self.get(&item);
        let bytes = size(&item);
        bill.write_units += write_units(bytes.max(old.map_or(0, size)));
        for index in &self.schema.indexes {
            bill.write_units += index_units(index, &self.schema.key, old, &item);
        }
        if old.is_none() {
            bill.stored_items += 1;
            bill.stored_bytes += bytes as u64;
        }
        self.items.insert(self.schema.key.of(&item), item);
    }

    /// Adds an item without billing it.
    pub(super) fn keep(&mut self, item: Item) {
        self.items.insert(self.schema.key.of(&item), item);
    }
}

impl Keys {
    /// The key of an item.
    fn of(&self, item: &Item) -> Vec<String> {
        let text = |name: &String| {
            item.get(name)
                .and_then(|value| value["S"].as_str())
                .unwrap_or_default()
                .to_owned()
        };
        self.attributes.iter().map(text).collect()
    }

    fn has(&self, item: &Item) -> bool {
        self.attributes.iter().all(|name| item.contains_key(name))
    }
}

/// Units for keeping an index of keys: one for an entry that is added or removed, two for one that moves.
fn index_units(index: &Keys, key: &Keys, old: Option<&Item>, new: &Item) -> f64 {
    let entry = |item: &Item| index.has(item).then(|| (index.of(item), key.of(item)));
    match (old.and_then(entry), entry(new)) {
        (None, None) => 0.0,
        (Some(before), Some(after)) if before == after => 0.0,
        (Some(_), Some(_)) => 2.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let key = Keys {
            attributes: vec!["id".to_owned()],
        };
        Table::new(TableSchema {
            key,
            indexes: Vec::new(),
        })
    }

    #[test]
    fn a_condition_on_existence_is_checked() {
        let (mut table, mut bill) = (table(), Bill::default());
        let put =
            json!({ "Item": { "id": { "S": "1" } }, "ConditionExpression": "attribute_not_exists(id)" });
        let delete = json!({ "Key": { "id": { "S": "1" } }, "ConditionExpression": "attribute_exists(id) AND a = :a" });

        assert!(table.allows(&put) && !table.allows(&delete));

        table.put_item(&put, &mut bill);

        assert!(!table.allows(&put) && table.allows(&delete));
    }

    #[test]
    fn a_condition_on_values_is_checked() {
        let (mut table, mut bill) = (table(), Bill::default());
        table.put_item(
            &json!({ "Item": { "id": { "S": "1" }, "a": { "N": "1" } } }),
            &mut bill,
        );
        let if_a_is = |value: &str| {
            json!({
                "Key": { "id": { "S": "1" } },
                "ConditionExpression": "id = :id AND #a = :a",
                "ExpressionAttributeNames": { "#a": "a" },
                "ExpressionAttributeValues": { ":id": { "S": "1" }, ":a": { "N": value } },
            })
        };

        assert!(table.allows(&if_a_is("1")) && !table.allows(&if_a_is("2")));
    }

    #[test]
    fn an_update_answers_with_the_new_item() {
        let (mut table, mut bill) = (table(), Bill::default());
        let update = json!({
            "Key": { "id": { "S": "1" } },
            "UpdateExpression": "SET a = :a",
            "ExpressionAttributeValues": { ":a": { "N": "1" } },
        });

        let answer = table.update_item(&update, &mut bill);

        assert_eq!(
            answer["Attributes"],
            json!({ "id": { "S": "1" }, "a": { "N": "1" } })
        );
    }
}
