//! Tables in memory, with the units that reading and writing them would be billed as.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::bill::Bill;
use super::item::{object, read_units, size, write_units};
use super::partiql::{self, Statement};
use super::query;
use super::table::Table;
use crate::history;
use crate::template::TableSchema;

/// A write to one table, as `PutItem`, `UpdateItem` and `DeleteItem` do it.
type Write = fn(&mut Table, &Value, &mut Bill) -> Value;

/// The writes of a transaction, by their names in it.
const TRANSACTED: [(&str, Write); 4] = [
    ("ConditionCheck", Table::check_condition),
    ("Put", Table::put_item),
    ("Update", Table::update_item),
    ("Delete", Table::delete_item),
];

/// All tables.
#[derive(Debug)]
pub(super) struct Tables(BTreeMap<String, Table>);

impl Tables {
    /// Empty tables.
    pub(super) fn new(schemas: BTreeMap<String, TableSchema>) -> Self {
        let table = |(name, schema)| (name, Table::new(schema));
        Self(schemas.into_iter().map(table).collect())
    }

    /// Answers a call and bills it.
    pub(super) fn answer(&mut self, action: &str, input: &Value, bill: &mut Bill) -> Value {
        match action {
            "BatchGetItem" => self.batch_get(input, bill),
            "BatchExecuteStatement" => self.batch_execute(input, bill),
            "TransactWriteItems" => self.transact(input, bill),
            "GetItem" => self.get(input, bill),
            "Query" => self.query(input, bill),
            "PutItem" => self.write(input, Table::put_item, bill),
            "UpdateItem" => self.write(input, Table::update_item, bill),
            "DeleteItem" => self.write(input, Table::delete_item, bill),
            _ => json!({}),
        }
    }

    /// Adds records to the history of an endpoint: copies of one that it has, spread over the time before this moment.
    pub(super) fn lengthen_history(&mut self, endpoint: &str, deliveries: usize, spread: SignedDuration) {
        let Some(table) = self.0.get_mut("DeliveriesTable") else {
            return;
        };
        let Some(original) = table.partition(endpoint).next().cloned() else {
            return;
        };
        for copy in history::copies(endpoint, deliveries, Timestamp::now(), spread) {
            let mut record = original.clone();
            let mut set = |name: &str, value: String| record.insert(name.to_owned(), json!({ "S": value }));
            set("delivery", copy.delivery.to_string());
            set("event_id", copy.event.to_string());
            if copy.has_failed {
                set("status", "failed".to_owned());
                set("undelivered", format!("failed#{}", copy.delivery));
            }
            record.insert(
                "expires_at".to_owned(),
                json!({ "N": copy.expires_at.to_string() }),
            );
            table.keep(record);
        }
    }

    /// Keeps an item without billing it.
    pub(super) fn keep(&mut self, table: &str, item: Value) {
        if let (Some(table), Value::Object(item)) = (self.0.get_mut(table), item) {
            table.keep(item);
        }
    }

    fn named(&self, input: &Value) -> Option<&Table> {
        self.0.get(input["TableName"].as_str()?)
    }

    fn write(&mut self, input: &Value, write: Write, bill: &mut Bill) -> Value {
        let Some(table) = input["TableName"].as_str().and_then(|name| self.0.get_mut(name)) else {
            return json!({});
        };
        if table.allows(input) {
            return write(table, input, bill);
        }
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "the condition failed" })
    }

    fn batch_get(&self, input: &Value, bill: &mut Bill) -> Value {
        let mut responses = serde_json::Map::new();
        for (name, wanted) in input["RequestItems"].as_object().into_iter().flatten() {
            let Some(table) = self.0.get(name) else { continue };
            let mut found = Vec::new();
            for key in wanted["Keys"].as_array().into_iter().flatten() {
                let item = table.get(&object(key));
                bill.read_units += read_units(item.map_or(0, size), wanted.get("ConsistentRead"));
                found.extend(item.cloned().map(Value::Object));
            }
            responses.insert(name.clone(), Value::Array(found));
        }
        json!({ "Responses": responses, "UnprocessedKeys": {} })
    }

    fn batch_execute(&mut self, input: &Value, bill: &mut Bill) -> Value {
        let statements = input["Statements"].as_array().into_iter().flatten();
        let responses = statements.map(|statement| {
            let parameters = statement["Parameters"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let code = match partiql::parse(statement["Statement"].as_str().unwrap_or_default(), parameters) {
                Some(statement) => self.execute(statement, bill),
                None => Some("ValidationError"),
            };
            code.map_or_else(
                || json!({}),
                |code| json!({ "Error": { "Code": code, "Message": "the condition failed" } }),
            )
        });
        json!({ "Responses": responses.collect::<Vec<_>>() })
    }

    /// Runs a statement; returns the code of the error if it fails.
    fn execute(&mut self, statement: Statement, bill: &mut Bill) -> Option<&'static str> {
        match statement {
            Statement::Insert { table, item } => {
                let Some(table) = self.0.get_mut(&table) else {
                    return Some("ResourceNotFound");
                };
                if table.get(&item).is_some() {
                    bill.write_units += write_units(size(&item));
                    return Some("DuplicateItem");
                }
                table.put(item, bill);
            }
            Statement::Update {
                table,
                set,
                remove,
                condition,
                missing,
            } => {
                let Some(table) = self.0.get_mut(&table) else {
                    return Some("ResourceNotFound");
                };
                let mut item = table.get(&condition).cloned().unwrap_or_default();
                let differs = condition
                    .iter()
                    .any(|(name, value)| item.get(name) != Some(value));
                if differs || missing.iter().any(|name| item.contains_key(name)) {
                    bill.write_units += write_units(size(&item));
                    return Some("ConditionalCheckFailed");
                }
                item.extend(set);
                for name in &remove {
                    item.remove(name);
                }
                table.put(item, bill);
            }
        }
        None
    }

    /// All writes or none. A transaction costs twice the units.
    fn transact(&mut self, input: &Value, bill: &mut Bill) -> Value {
        let items = input["TransactItems"].as_array().map(Vec::as_slice);
        let writes: Vec<(&Value, Write)> = items
            .unwrap_or_default()
            .iter()
            .flat_map(|item| TRANSACTED.map(|(name, write)| item.get(name).map(|input| (input, write))))
            .flatten()
            .collect();
        let is_allowed = |input: &Value| self.named(input).is_some_and(|table| table.allows(input));
        let reason = |input| {
            let code = if is_allowed(input) {
                "None"
            } else {
                "ConditionalCheckFailed"
            };
            json!({ "Code": code })
        };
        if !writes.iter().all(|(input, _)| is_allowed(input)) {
            return json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "the condition failed",
                "CancellationReasons": writes.iter().map(|(input, _)| reason(input)).collect::<Vec<_>>(),
            });
        }
        let before = bill.write_units;
        for (input, write) in writes {
            self.write(input, write, bill);
        }
        bill.write_units += bill.write_units - before;
        json!({})
    }

    fn get(&self, input: &Value, bill: &mut Bill) -> Value {
        let item = self
            .named(input)
            .and_then(|table| table.get(&object(&input["Key"])));
        bill.read_units += read_units(item.map_or(0, size), input.get("ConsistentRead"));
        item.map_or_else(|| json!({}), |item| json!({ "Item": item }))
    }

    fn query(&self, input: &Value, bill: &mut Bill) -> Value {
        self.named(input)
            .map_or_else(|| json!({}), |table| query::answer(table, input, bill))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn tables() -> Tables {
        Tables::new(Template::read().unwrap().tables())
    }

    fn insert(tables: &mut Tables, bill: &mut Bill, undelivered: Option<&str>) -> Value {
        let mut names = vec!["'endpoint': ?", "'delivery': ?"];
        let mut parameters = vec![json!({ "S": "whe_1" }), json!({ "S": "del_1" })];
        if let Some(undelivered) = undelivered {
            names.push("'undelivered': ?");
            parameters.push(json!({ "S": undelivered }));
        }
        let text = format!("INSERT INTO \"DeliveriesTable\" VALUE {{{}}}", names.join(", "));
        let input = json!({ "Statements": [{ "Statement": text, "Parameters": parameters }] });
        tables.answer("BatchExecuteStatement", &input, bill)
    }

    #[test]
    fn an_item_is_inserted_once() {
        let (mut tables, mut bill) = (tables(), Bill::default());

        assert_eq!(insert(&mut tables, &mut bill, None)["Responses"][0], json!({}));
        assert_eq!(
            insert(&mut tables, &mut bill, None)["Responses"][0]["Error"]["Code"],
            "DuplicateItem"
        );
        assert!((bill.write_units - 2.0).abs() < f64::EPSILON);
        assert_eq!(bill.stored_items, 1);
    }

    #[test]
    fn an_entry_of_a_sparse_index_is_one_more_unit() {
        let (mut tables, mut bill) = (tables(), Bill::default());

        insert(&mut tables, &mut bill, Some("pending#del_1"));

        assert!((bill.write_units - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_transaction_writes_everything_at_twice_the_units_or_nothing() {
        let (mut tables, mut bill) = (tables(), Bill::default());
        let put = json!({
            "TableName": "TokensTable",
            "Item": { "token_hash": { "S": "1" } },
            "ConditionExpression": "attribute_not_exists(token_hash)",
        });
        let transaction = json!({ "TransactItems": [{ "Put": put }] });

        assert_eq!(
            tables.answer("TransactWriteItems", &transaction, &mut bill),
            json!({})
        );
        let again = tables.answer("TransactWriteItems", &transaction, &mut bill);

        assert_eq!(again["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
        assert!((bill.write_units - 2.0).abs() < f64::EPSILON);
    }
}
