//! The dashboard: how it is served, whether its files fit the API, and what people do with it in a real browser.

mod files;
mod serving;
mod stories;

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{repository, snippets};

/// A folder with what checks the dashboard, a copy of it, and the API's description.
pub(super) async fn workshop() -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&repository::path("tests/dashboard"), folder.path());
    copy(&repository::path("dashboard"), &folder.path().join("dashboard"));
    let description = folder.path().join("openapi.yaml");
    fs::copy(repository::path("openapi.yaml"), description).expect("it is copied");
    let mut command = snippets::node(folder.path()).await;
    command.current_dir(folder.path());
    (folder, command)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder is made");
    for entry in fs::read_dir(from).expect("the folder is read") {
        let path = entry.expect("the folder is read").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the file is copied");
        }
    }
}
