//! The dashboard's files, checked in their own language.

use tests::snippets;

use super::workshop;

#[tokio::test]
async fn the_dashboard_fits_the_description_of_the_api_and_what_is_vendored_is_as_published() {
    let (_folder, mut command) = workshop().await;
    command.arg("check.mjs");

    snippets::run(command, "").await;
}
