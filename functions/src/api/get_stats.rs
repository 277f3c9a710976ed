//! `GET /:id/stats`: an endpoint's deliveries, counted by hours or days.

use jiff::Timestamp;
use lambda_http::Request;
use shared::domain::id::EndpointId;
use shared::domain::statistics::{Bucket, InvalidWindow, Window};
use shared::domain::token::Scope;

use crate::app::App;
use crate::problem::Problem;
use crate::request::{self, Query};
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// The route.
pub const ROUTE: Route = Route {
    variables: &[
        "DELIVERIES_TABLE",
        "ENDPOINTS_TABLE",
        "RETENTION_DAYS",
        "TOKENS_TABLE",
    ],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Counts the deliveries, as far as one request may.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let now = app.clock.now();
    let window = parse(Query::of(&request), now)?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let counted = app.store.statistics(&endpoint, window, now).await?;
    Ok(view::statistics(&counted))
}

fn parse(mut query: Query, now: Timestamp) -> Result<Window, Problem> {
    let from = query.take("from", request::instant)?;
    let to = query.take("to", request::instant)?;
    let bucket = query.take("bucket", bucket)?.unwrap_or_default();
    query.finish()?;
    Window::new(from, to, bucket, now).map_err(|invalid| Problem::Malformed(explained(invalid).to_owned()))
}

fn bucket(text: &str) -> Result<Bucket, String> {
    match text {
        "hour" => Ok(Bucket::Hour),
        "day" => Ok(Bucket::Day),
        _ => Err("must be hour or day".to_owned()),
    }
}

fn explained(invalid: InvalidWindow) -> &'static str {
    match invalid {
        InvalidWindow::Reversed => "the query parameter from is after to",
        InvalidWindow::TooLong => {
            "the query parameters from and to are more than 31 days apart, in whole hours or days; ask for less at once"
        }
        InvalidWindow::OutOfRange => "the query parameters from and to lead beyond the calendar",
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};

    use super::*;

    fn parsed(query: &str) -> Result<Window, String> {
        let request = http::Request::builder().uri(format!("https://example.com/?{query}"));
        let request = request.body(Body::Empty).unwrap();
        let now = "2026-06-07T10:30:00Z".parse().unwrap();
        parse(Query::of(&request), now).map_err(|problem| match problem {
            Problem::Malformed(message) => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_window_is_read_with_its_defaults() {
        assert_eq!(parsed("").unwrap().buckets().count(), 24);
        assert_eq!(parsed("bucket=day").unwrap().buckets().count(), 7);
        let month = "from=2026-05-07T12:00:00%2B02:00&bucket=day";
        assert_eq!(parsed(month).unwrap_err(), explained(InvalidWindow::TooLong));
        let month = "from=2026-05-08T12:00:00%2B02:00&bucket=day";
        assert_eq!(parsed(month).unwrap().buckets().count(), 31);
    }

    #[test]
    fn anything_else_is_malformed_and_says_what_is_wrong() {
        for (query, part) in [
            ("bucket=minute", "bucket must be hour or day"),
            ("bucket=hour&bucket=hour", "appears twice"),
            ("from=yesterday", "from must be an RFC 3339 time"),
            ("from=2026-06-08T00:00:00Z", "from is after to"),
            ("page=1", "no query parameter page"),
            ("to=9999-12-30T12:00:00Z&bucket=day", "calendar"),
        ] {
            let message = parsed(query).unwrap_err();
            assert!(message.contains(part), "{query}: {message}");
        }
    }
}
