//! Query parameters: each at most once, none unknown.

use jiff::Timestamp;
use lambda_http::Request;
use shared::domain::time;

use crate::page::PageRequest;
use crate::problem::Problem;

/// Pages that can be asked for; what is behind them is found by `from` and `to`.
const MAX_PAGE: usize = 1_000_000;

/// Most entries of a page.
const MAX_PER_PAGE: usize = 100;

/// Entries of a page unless something else is asked for.
const DEFAULT_PER_PAGE: usize = 20;

/// The query parameters of a request.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self::parse(request.uri().query().unwrap_or_default())
    }

    fn parse(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Takes a parameter and reads it.
    ///
    /// # Errors
    /// [`Problem::Malformed`] if it appears twice, or can't be read.
    pub fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let Some(index) = self.0.iter().position(|(other, _)| other == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.remove(index);
        if self.0.iter().any(|(other, _)| other == name) {
            return Err(Problem::Malformed(format!(
                "the query parameter {name} appears twice"
            )));
        }
        let value = read(&value)
            .map_err(|message| Problem::Malformed(format!("the query parameter {name} {message}")))?;
        Ok(Some(value))
    }

    /// Takes `page` and `per_page`.
    ///
    /// # Errors
    /// [`Problem::Malformed`] if one is out of range.
    pub fn take_page(&mut self) -> Result<PageRequest, Problem> {
        let page = self.take("page", |text| number(text, MAX_PAGE))?.unwrap_or(1);
        let per_page = self.take_per_page()?;
        Ok(PageRequest { page, per_page })
    }

    /// Takes `per_page`.
    ///
    /// # Errors
    /// [`Problem::Malformed`] if it is out of range.
    pub fn take_per_page(&mut self) -> Result<usize, Problem> {
        let per_page = self.take("per_page", |text| number(text, MAX_PER_PAGE))?;
        Ok(per_page.unwrap_or(DEFAULT_PER_PAGE))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Problem::Malformed`] if there is a parameter that was not taken.
    pub fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(64).collect();
                Err(Problem::Malformed(format!("there is no query parameter {name}")))
            }
        }
    }
}

/// Reads a time.
///
/// # Errors
/// It is not one of RFC 3339.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    time::parse(text)
        .ok_or_else(|| "must be an RFC 3339 time, such as 2026-06-07T10:30:05Z; write + as %2B".to_owned())
}

fn number(text: &str, max: usize) -> Result<usize, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && (1..=max).contains(number));
    number.ok_or(format!("must be a number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_defaults() {
        let page = |query: &str| Query::parse(query).take_page().unwrap();

        assert_eq!(
            page(""),
            PageRequest {
                page: 1,
                per_page: 20
            }
        );
        assert_eq!(
            page("page=3&per_page=100"),
            PageRequest {
                page: 3,
                per_page: 100
            }
        );
    }

    #[test]
    fn anything_else_is_malformed() {
        for bad in [
            "page=0",
            "page=-1",
            "page=+1",
            "page=1.5",
            "page=x",
            "page=",
            "per_page=101",
            "page=1&page=2",
            "page=99999999999999999999",
        ] {
            assert!(
                matches!(Query::parse(bad).take_page(), Err(Problem::Malformed(_))),
                "{bad}"
            );
        }
        assert!(Query::parse("pge=1").finish().is_err());
    }
}
