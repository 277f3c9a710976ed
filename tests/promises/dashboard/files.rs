//! The dashboard's files, checked in their own language.

use std::fs;

use tests::snippets;

use super::workshop;

#[tokio::test]
async fn the_dashboard_fits_the_description_of_the_api_and_what_is_vendored_is_as_published() {
    let (_folder, mut command) = workshop().await;
    command.arg("check.mjs");

    snippets::run(command, "").await;
}

#[tokio::test]
async fn a_field_that_is_renamed_in_the_description_of_the_api_is_found() {
    let (folder, mut command) = workshop().await;
    let path = folder.path().join("openapi.yaml");
    let description = fs::read_to_string(&path).expect("it is there");
    let renamed = description.replace("disabled_reason", "reason_for_disabling");
    fs::write(path, renamed).expect("it is written");
    command.arg("check.mjs");

    let said = snippets::refused(command).await;

    assert!(
        said.contains("Property 'disabled_reason' does not exist"),
        "{said}"
    );
}
