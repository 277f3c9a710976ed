//! Which page of a list is wanted, and what it shows of where it is.

use serde::Serialize;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The page, from 1.
    pub page: usize,
    /// Entries per page.
    pub per_page: usize,
}

/// Where a page is in its list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Meta {
    total: usize,
    page: usize,
    per_page: usize,
    pages: usize,
}

/// Where a page is in a list that has no total.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct CursorMeta<'a> {
    /// The cursor of the next page; `None` if this is the last.
    pub next: Option<&'a str>,
    /// Entries per page.
    pub per_page: usize,
}

impl PageRequest {
    /// Entries on the pages before.
    #[must_use]
    pub fn skip(self) -> usize {
        (self.page - 1) * self.per_page
    }

    /// Where the page is in a list of `total` entries.
    #[must_use]
    pub fn of(self, total: usize) -> Meta {
        Meta {
            total,
            page: self.page,
            per_page: self.per_page,
            pages: total.div_ceil(self.per_page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_what_is_before_it_and_how_many_there_are() {
        let page = PageRequest {
            page: 3,
            per_page: 100,
        };

        assert_eq!(page.skip(), 200);
        assert_eq!(page.of(101).pages, 2);
        assert_eq!(page.of(0).pages, 0);
    }
}
