//! The files of this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A path that is given from the root of the repository.
pub fn path(from_root: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(from_root)
}

/// The text of a file.
pub fn read(from_root: &str) -> String {
    fs::read_to_string(path(from_root)).unwrap_or_else(|error| panic!("{from_root}: {error}"))
}

/// The names, without their extension, of the files in a folder that have it.
pub fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let files = fs::read_dir(path(folder))
        .expect("the folder")
        .map(|file| file.expect("a file").path());
    let named = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    named
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// Every file below a folder whose name has this extension.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut folders = vec![path(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == extension) {
                found.push(path);
            }
        }
    }
    found
}
