//! The golden files of `tests/compat`: what each release writes that outlives it, a folder for each. `CONTRIBUTING.md`
//! says when files are added; those of a release stay as they are.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::domain::task::{Kind, Task};

/// Where the folders are, by the versions that they are named after.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/compat");

/// An event as its producer wrote it.
pub(crate) const EVENT: &str = r#"{"id":"evt_01HXYZ","event":"survey.response.created","created_at":"2026-06-07T10:30:00Z","workspace_id":"ws_acme","data":{"score":9}}"#;

/// The first attempt, whose body travels with it.
pub(crate) fn first_attempt() -> Task {
    Task {
        workspace: "ws_acme".parse().unwrap(),
        endpoint: "whe_01KT0000000000000000000000".parse().unwrap(),
        delivery: "del_01KT0000000000000000000001".parse().unwrap(),
        event_id: "evt_01HXYZ".parse().unwrap(),
        event: "survey.response.created".to_owned().try_into().unwrap(),
        attempt: 1,
        kind: Kind::Automatic,
        manual_retry: None,
        body: Some(EVENT.to_owned()),
    }
}

/// Panics unless the file of every release means `value`, and that of the newest is what is written today.
pub(crate) fn check<T: Debug + PartialEq>(
    name: &str,
    value: &T,
    write: impl FnOnce(&T) -> Value,
    read: impl Fn(&Value) -> T,
) {
    let written = write(value);
    let newest = files(name).pop().map(|(_, file)| file);
    assert!(
        newest.as_ref() == Some(&written),
        "{name} is not written as before: see CONTRIBUTING.md, and write tests/compat/{}/{name}.json:\n{written:#}",
        env!("CARGO_PKG_VERSION")
    );
    check_reading(name, value, read);
}

/// Panics unless the file of every release means `value`: for what others write, or an expression.
pub(crate) fn check_reading<T: Debug + PartialEq>(name: &str, value: &T, read: impl Fn(&Value) -> T) {
    let files = files(name);
    assert!(!files.is_empty(), "no release has {name}");
    for (release, file) in files {
        assert_eq!(
            &read(&file),
            value,
            "{name} of {release} means something else now"
        );
    }
}

/// The file of this name in every release that has one, the newest last.
fn files(name: &str) -> Vec<(String, Value)> {
    let entries = fs::read_dir(FOLDER).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut releases: Vec<_> = folders
        .map(|folder| folder.file_name().into_string().unwrap())
        .collect();
    releases.sort_by_key(|release| number(release));
    let file = |release: String| {
        let path = Path::new(FOLDER).join(&release).join(format!("{name}.json"));
        let text = fs::read_to_string(path).ok()?;
        Some((release, serde_json::from_str(&text).unwrap()))
    };
    releases.into_iter().filter_map(file).collect()
}

/// `0.10.0` comes after `0.9.0`.
fn number(release: &str) -> Vec<u32> {
    release.split('.').map(|part| part.parse().unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_in_the_order_of_their_numbers() {
        assert!(number("0.10.0") > number("0.9.12"));
    }
}
