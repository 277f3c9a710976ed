//! The part of `PartiQL` that the functions use: an insert of one item, an update of one item under conditions.

use serde_json::Value;

use super::item::Item;

/// A statement with its parameters in place.
#[derive(Debug, PartialEq)]
pub(super) enum Statement {
    /// Writes an item that must not exist.
    Insert { table: String, item: Item },
    /// Changes an item that must have the attributes of `condition`, including those of its key.
    Update {
        table: String,
        set: Item,
        remove: Vec<String>,
        condition: Item,
        missing: Vec<String>,
    },
}

/// Reads a statement; `None` if it is of another kind.
pub(super) fn parse(text: &str, parameters: &[Value]) -> Option<Statement> {
    let mut parameters = parameters.iter().cloned();
    let table = quoted(text, '"').next()?.to_owned();
    if text.starts_with("INSERT") {
        let item = quoted(text, '\'').map(str::to_owned).zip(parameters).collect();
        return Some(Statement::Insert { table, item });
    }
    let (change, condition) = text.strip_prefix("UPDATE")?.split_once(" WHERE ")?;
    let (mut set, mut remove) = (Item::new(), Vec::new());
    let mut keyword = "";
    // The word before each quoted name says what happens to it; after a comma it is the same word again.
    let pieces: Vec<&str> = change.split('"').collect();
    for pair in pieces[2..].chunks_exact(2) {
        let before = pair[0].trim_matches([' ', '=', '?', ',']);
        keyword = if before.is_empty() { keyword } else { before };
        match keyword {
            "SET" => drop(set.insert(pair[1].to_owned(), parameters.next()?)),
            _ => remove.push(pair[1].to_owned()),
        }
    }
    let (missing, present): (Vec<&str>, Vec<&str>) = condition
        .split(" AND ")
        .partition(|part| part.ends_with("IS MISSING"));
    let names = |parts: Vec<&str>| {
        let names = parts.into_iter().filter_map(|part| quoted(part, '"').next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    Some(Statement::Update {
        table,
        set,
        remove,
        condition: names(present).into_iter().zip(parameters).collect(),
        missing: names(missing),
    })
}

fn quoted(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.split(mark).skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: &Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_insert_gives_names_their_parameters() {
        let parsed = parse("INSERT INTO \"t\" VALUE {'a': ?, 'b': ?}", &[json!(1), json!(2)]);

        let expected = Statement::Insert {
            table: "t".to_owned(),
            item: item(&json!({ "a": 1, "b": 2 })),
        };
        assert_eq!(parsed, Some(expected));
    }

    #[test]
    fn an_update_gives_names_their_parameters() {
        let text = "UPDATE \"t\" SET \"a\" = ? SET \"b\" = ? REMOVE \"c\" REMOVE \"d\" WHERE \"k\" = ? AND \"l\" = ? AND \"m\" IS MISSING";

        let parsed = parse(text, &[json!(1), json!(2), json!(3), json!(4)]);

        let expected = Statement::Update {
            table: "t".to_owned(),
            set: item(&json!({ "a": 1, "b": 2 })),
            remove: vec!["c".to_owned(), "d".to_owned()],
            condition: item(&json!({ "k": 3, "l": 4 })),
            missing: vec!["m".to_owned()],
        };
        assert_eq!(parsed, Some(expected));
    }
}
