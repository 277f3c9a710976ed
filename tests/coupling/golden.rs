//! The golden files of `tests/compat` and the tests that read them.

use std::fs;

use tests::repository::{files, path};

#[test]
fn every_golden_file_is_read_by_a_test() {
    let folder = path("tests/compat");
    let sources: Vec<_> = files("shared/src", "rs")
        .iter()
        .map(|file| fs::read_to_string(file).expect("a source file"))
        .collect();
    let golden = files("tests/compat", "json");
    assert!(golden.len() > 20, "only {} golden files", golden.len());

    let unread: Vec<_> = golden
        .iter()
        .map(|file| {
            file.strip_prefix(&folder)
                .expect("within the folder")
                .with_extension("")
        })
        .filter(|file| {
            // Without the folder of its release: `items/endpoint`.
            let name: Vec<_> = file.iter().skip(1).filter_map(|part| part.to_str()).collect();
            let name = format!("\"{}\"", name.join("/"));
            !sources.iter().any(|source| source.contains(&name))
        })
        .collect();

    assert!(unread.is_empty(), "no test reads {unread:?}");
}
