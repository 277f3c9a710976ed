//! The commands in the Markdown documents, for the tests that run them.

use crate::repository;

/// The lines of the one block of shell commands in a document that begins with this text.
pub fn beginning_with(document: &str, beginning: &str) -> Vec<String> {
    let text = repository::read(document);
    let blocks = text.split("```sh\n").skip(1);
    let mut blocks = blocks.filter(|block| block.starts_with(beginning));
    let block = blocks
        .next()
        .unwrap_or_else(|| panic!("{document} has no commands that begin with `{beginning}`"));
    assert!(
        blocks.next().is_none(),
        "{document} has two blocks of commands that begin with `{beginning}`"
    );
    let lines = block.split("```").next().unwrap_or_default().lines();
    lines.map(str::to_owned).collect()
}
