//! `docs/delivery.md` names the tests of each promise; this looks for them.

use std::fs;
use std::path::Path;

use tests::repository::{files, read};
use tests::table::code;

/// Where tests are.
const FOLDERS: [&str; 4] = ["functions", "local", "shared", "tests"];

#[test]
fn every_test_that_a_promise_names_exists() {
    let page = read("docs/delivery.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let named: Vec<_> = rows
        .filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next())
        .flat_map(code)
        .filter_map(|name| name.split_once("::"))
        .collect();
    assert!(named.len() > 60, "only {} tests are named", named.len());

    let sources: Vec<_> = FOLDERS.iter().flat_map(|folder| files(folder, "rs")).collect();
    let missing: Vec<_> = named
        .into_iter()
        .filter(|(module, test)| {
            !sources
                .iter()
                .any(|file| is_in(file, module) && defines(file, test))
        })
        .map(|(module, test)| format!("{module}::{test}"))
        .collect();

    assert!(missing.is_empty(), "there is no test {}", missing.join(", nor "));
}

/// Whether a file is a module of this name, or in a folder that is.
fn is_in(file: &Path, module: &str) -> bool {
    file.with_extension("")
        .components()
        .any(|part| part.as_os_str() == module)
}

fn defines(file: &Path, test: &str) -> bool {
    let text = fs::read_to_string(file).expect("a source file");
    text.contains(&format!("fn {test}("))
}
