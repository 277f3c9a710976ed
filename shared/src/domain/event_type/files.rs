//! The files of `event-types/`, read and checked when this package is built. The build script and the tests use this
//! module; nothing that is deployed does.
//!
//! A mistake is one sentence that names the file and, where it is about one, the field.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::rule::{MAX_NAME_CHARS, is_event_name};

/// The folder, within the repository.
pub(super) const FOLDER: &str = "event-types";

/// The folder within it that holds the operational events, whose names belong to this system.
const OPERATIONAL: &str = "operational";

/// The fields of a file.
const FIELDS: [&str; 2] = ["description", "sample"];

/// What a file says of its event type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventTypeFile {
    description: String,
    /// The `data` of a sample event.
    sample: String,
}

/// Event types by name, and so in the order in which they are listed.
type EventTypes = BTreeMap<String, EventTypeFile>;

/// Reads both folders and returns the source of two constants, in which everything is sorted by name.
///
/// # Errors
/// Everything that is wrong, a sentence each.
pub(super) fn source_of(folder: &Path) -> Result<String, Vec<String>> {
    let mut mistakes = Vec::new();
    let operational = read_folder(
        &folder.join(OPERATIONAL),
        &format!("{FOLDER}/{OPERATIONAL}"),
        &mut mistakes,
    );
    let own = read_folder(folder, FOLDER, &mut mistakes);
    for name in own.keys().filter(|name| operational.contains_key(*name)) {
        mistakes.push(format!(
            "{FOLDER}/{name}.json: the name belongs to an operational event; choose another"
        ));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(constant("CATALOGUE", "Those of the product's own events.", &own)
        + &constant(
            "OPERATIONAL",
            "Those of what happens to endpoints, for the operator's workspace.",
            &operational,
        ))
}

/// The event types of a folder. `shown` is its path as a mistake names it.
fn read_folder(folder: &Path, shown: &str, mistakes: &mut Vec<String>) -> EventTypes {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            mistakes.push(format!("{shown}: the folder can't be read: {error}"));
            return EventTypes::new();
        }
    };
    let mut event_types = EventTypes::new();
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let is_ours = shown == FOLDER && file == OPERATIONAL;
        // Editors and file managers leave hidden files.
        if is_ours || file.starts_with('.') {
            continue;
        }
        let read =
            fs::read_to_string(entry.path()).map_err(|error| format!("the file can't be read: {error}"));
        match name_of(&file).and_then(|name| Ok((name, parse(&read?)?))) {
            Ok((name, event_type)) => drop(event_types.insert(name, event_type)),
            Err(mistake) => mistakes.push(format!("{shown}/{file}: {mistake}")),
        }
    }
    mistakes.sort();
    event_types
}

fn name_of(file: &str) -> Result<String, String> {
    let Some(name) = file.strip_suffix(".json") else {
        return Err("only files named <event type>.json belong here".to_owned());
    };
    if is_event_name(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "the name before `.json` must be words of lower-case letters, digits and `_`, joined by full stops, at most {MAX_NAME_CHARS} characters"
    ))
}

fn parse(text: &str) -> Result<EventTypeFile, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))?;
    let Value::Object(mut fields) = value else {
        return Err("must be a JSON object with `description` and `sample`".to_owned());
    };
    let is_known = |name: &&String| FIELDS.contains(&name.as_str());
    if let Some(unknown) = fields.keys().find(|name| !is_known(name)) {
        return Err(format!(
            "`{unknown}` is not a field of an event type; there are `description` and `sample`"
        ));
    }
    Ok(EventTypeFile {
        description: description(&mut fields)?,
        sample: sample(&mut fields)?,
    })
}

fn description(fields: &mut Map<String, Value>) -> Result<String, String> {
    match fields.remove("description") {
        None => Err("`description` is missing".to_owned()),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(Value::String(_)) => Err("`description` must not be empty".to_owned()),
        Some(_) => Err("`description` must be a text".to_owned()),
    }
}

fn sample(fields: &mut Map<String, Value>) -> Result<String, String> {
    match fields.remove("sample") {
        None => Err("`sample` is missing".to_owned()),
        Some(sample @ Value::Object(_)) => Ok(sample.to_string()),
        Some(_) => Err("`sample` must be an object, the `data` of a sample event".to_owned()),
    }
}

fn constant(name: &str, doc: &str, event_types: &EventTypes) -> String {
    let mut source = format!("/// {doc}\npub(super) const {name}: &[EventType] = &[\n");
    for (name, EventTypeFile { description, sample }) in event_types {
        // What `{:?}` writes of a text is a literal of Rust.
        let written = writeln!(
            source,
            "    EventType {{ name: {name:?}, description: {description:?}, sample_data: {sample:?} }},"
        );
        written.expect("a text takes everything");
    }
    source + "];\n"
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const GOOD: &str = r#"{ "description": "An order was paid.", "sample": { "order": "7" } }"#;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join(OPERATIONAL)).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
        source_of(folder(files).path()).unwrap_err()
    }

    #[test]
    fn each_wrong_file_is_named_with_what_is_wrong_in_it() {
        for (file, text, mistake) in [
            (
                "paid.json",
                GOOD,
                "paid.json: the name before `.json` must be words of",
            ),
            (
                "Order.paid.json",
                GOOD,
                "Order.paid.json: the name before `.json` must be words of",
            ),
            (
                "order.paid.txt",
                GOOD,
                "order.paid.txt: only files named <event type>.json belong here",
            ),
            (
                "order.paid.json",
                "{",
                "order.paid.json: not valid JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                "order.paid.json",
                "[]",
                "order.paid.json: must be a JSON object with `description` and `sample`",
            ),
            (
                "order.paid.json",
                "{}",
                "order.paid.json: `description` is missing",
            ),
            (
                "order.paid.json",
                r#"{"description": "x"}"#,
                "order.paid.json: `sample` is missing",
            ),
            (
                "order.paid.json",
                r#"{"description": 7, "sample": {}}"#,
                "order.paid.json: `description` must be a text",
            ),
            (
                "order.paid.json",
                r#"{"description": " ", "sample": {}}"#,
                "order.paid.json: `description` must not be empty",
            ),
            (
                "order.paid.json",
                r#"{"description": "x", "sample": []}"#,
                "order.paid.json: `sample` must be an object",
            ),
            (
                "order.paid.json",
                r#"{"description": "x", "samples": {}}"#,
                "order.paid.json: `samples` is not a field of an event type",
            ),
        ] {
            let mistakes = mistakes(&[(file, text)]);
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(
                mistakes[0].starts_with(&format!("event-types/{mistake}")),
                "{mistakes:?}"
            );
        }
    }

    #[test]
    fn all_wrong_files_are_named_at_once() {
        let mistakes = mistakes(&[("b.b.json", "{}"), ("a.a.json", "{}"), ("c.c.json", GOOD)]);

        assert_eq!(
            mistakes,
            [
                "event-types/a.a.json: `description` is missing",
                "event-types/b.b.json: `description` is missing"
            ]
        );
    }

    #[test]
    fn the_names_of_operational_events_are_taken() {
        let mistakes = mistakes(&[
            ("endpoint.failing.json", GOOD),
            ("operational/endpoint.failing.json", GOOD),
        ]);

        assert_eq!(
            mistakes,
            ["event-types/endpoint.failing.json: the name belongs to an operational event; choose another"]
        );
    }

    #[test]
    fn a_mistake_in_an_operational_event_is_found_as_well() {
        assert_eq!(
            mistakes(&[("operational/endpoint.failing.json", "{}")]),
            ["event-types/operational/endpoint.failing.json: `description` is missing"]
        );
    }

    #[test]
    fn event_types_are_listed_by_name_however_the_folder_lists_them() {
        let folder = folder(&[
            ("b.b.json", GOOD),
            (
                "a.a.json",
                r#"{"sample": {"it": "\"is\"\\"}, "description": "Quite\n\"so\""}"#,
            ),
            (".DS_Store", ""),
        ]);

        let source = source_of(folder.path()).unwrap();

        let first = r#"    EventType { name: "a.a", description: "Quite\n\"so\"", sample_data: "{\"it\":\"\\\"is\\\"\\\\\"}" },"#;
        let lines: Vec<_> = source.lines().collect();
        assert_eq!(lines[2], first);
        assert!(lines[3].starts_with(r#"    EventType { name: "b.b""#));
    }
}
