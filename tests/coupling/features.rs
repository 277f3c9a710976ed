//! The functions of the local stack have the features of dependencies that the whole workspace needs, and those of a deployment
//! only their own. None of the difference may change what a function does.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use tests::repository;

/// What the local stack's functions have in addition: event streams of other clients of AWS, HTTP servers, processes and their
/// signals, a clock that tests stop, and traits that no function uses.
const ADDED: [(&str, &[&str]); 9] = [
    ("aws-runtime", &["event-stream"]),
    ("aws-sigv4", &["sign-eventstream"]),
    ("aws-smithy-http", &["aws-smithy-eventstream", "event-stream"]),
    ("bitflags", &["std"]),
    ("crc32fast", &["default"]),
    ("getrandom", &["std", "sys_rng"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server"]),
    (
        "tokio",
        &["process", "signal", "signal-hook-registry", "test-util"],
    ),
];

#[test]
fn the_functions_of_the_local_stack_have_no_feature_that_changes_what_is_deployed() {
    let deployed = features(&["--package", "functions"]);
    let local = features(&["--workspace"]);

    let mut added = BTreeMap::new();
    for (package, features) in &deployed {
        let more: BTreeSet<_> = local[package].difference(features).cloned().collect();
        if !more.is_empty() {
            let name = package.split(' ').next().unwrap_or_default();
            added.insert(name.to_owned(), more);
        }
    }

    let known = ADDED.map(|(name, features)| {
        let features = features.iter().map(|&feature| feature.to_owned());
        (name.to_owned(), features.collect::<BTreeSet<_>>())
    });
    assert_eq!(added, BTreeMap::from(known));
}

/// The features of each dependency, by its name and version.
fn features(of: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}|{f}"])
        .args(of)
        .current_dir(repository::path(""))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text
        .lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    lines
        .map(|(package, features)| {
            let features = features.split(',').filter(|feature| !feature.is_empty());
            (package.to_owned(), features.map(str::to_owned).collect())
        })
        .collect()
}
