//! The tables of the Markdown documents, as far as tests compare them with what they describe.

use crate::repository;

/// The rows of the one table in a document whose header begins with this cell, without the header.
pub fn rows(document: &str, first_header: &str) -> Vec<Vec<String>> {
    let text = repository::read(document);
    let mut tables = text
        .split("\n\n")
        .filter_map(|block| block.trim_start().strip_prefix(&format!("| {first_header} |")));
    let table = tables
        .next()
        .unwrap_or_else(|| panic!("{document} has no table whose first column is `{first_header}`"));
    assert!(
        tables.next().is_none(),
        "{document} has two tables whose first column is `{first_header}`"
    );
    let rows = table.lines().skip(2).filter(|line| line.starts_with('|'));
    rows.map(cells).collect()
}

/// The texts in a cell that are set as code.
pub fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn cells(row: &str) -> Vec<String> {
    let cells = row.trim_matches('|').split('|');
    cells.map(|cell| cell.trim().to_owned()).collect()
}
