//! `GET /deliveries`: the deliveries of all endpoints of the workspace, newest first.

use jiff::Timestamp;
use lambda_http::Request;
use shared::domain::cursor;
use shared::domain::delivery::Status;
use shared::domain::event_type::EventName;
use shared::domain::id::{DeliveryId, EndpointId, WorkspaceId};
use shared::domain::token::Scope;
use shared::store::AcrossFilter;

use super::list_deliveries::history_filter;
use crate::app::App;
use crate::problem::Problem;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};
use crate::view;

/// The route.
pub const ROUTE: Route = Route {
    variables: &["DELIVERIES_TABLE", "ENDPOINTS_TABLE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Lists the deliveries.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let asked = Asked::parse(Query::of(&request), &caller.workspace)?;
    let endpoints = match &asked.endpoint {
        Some(id) => vec![app.store.endpoint(&caller.workspace, id).await?],
        None => app.store.endpoints(&caller.workspace).await?,
    };
    let endpoints: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.id).collect();
    let page = app
        .store
        .deliveries_across(&endpoints, &asked.filter, asked.newest.clone(), asked.per_page)
        .await?;
    let next = page.next.map(|next| asked.cursor(&next, &caller.workspace));
    Ok(view::deliveries_across(
        &page.deliveries,
        next.as_deref(),
        asked.per_page,
    ))
}

/// What is asked for.
#[derive(Debug)]
struct Asked {
    filter: AcrossFilter,
    endpoint: Option<EndpointId>,
    per_page: usize,
    /// Where the page begins; at the newest delivery, if it is the first.
    newest: Option<DeliveryId>,
}

impl Asked {
    fn parse(mut query: Query, workspace: &WorkspaceId) -> Result<Self, Problem> {
        let filter = AcrossFilter {
            history: history_filter(&mut query)?,
            event: query.take("event", event_name)?,
        };
        let endpoint = query.take("endpoint_id", |text| Ok(text.to_owned()))?;
        let cursor = query.take("cursor", |text| Ok(text.to_owned()))?;
        let per_page = query.take_per_page()?;
        query.finish()?;
        let mut asked = Self {
            filter,
            // What can't be an id names nothing, like one that is not there.
            endpoint: endpoint
                .map(|id| id.parse().map_err(|_| Problem::NotFound))
                .transpose()?,
            per_page,
            newest: None,
        };
        if let Some(cursor) = cursor {
            let newest = cursor::read(&cursor, &asked.list(workspace).each_ref().map(String::as_str));
            asked.newest = Some(newest.ok_or_else(other_cursor)?);
        }
        Ok(asked)
    }

    /// What the list is of: a cursor leads into no other.
    fn list(&self, workspace: &WorkspaceId) -> [String; 6] {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let AcrossFilter { history, event } = &self.filter;
        [
            workspace.to_string(),
            history.status.map(Status::as_str).unwrap_or_default().to_owned(),
            event.as_ref().map(EventName::to_string).unwrap_or_default(),
            self.endpoint
                .as_ref()
                .map(EndpointId::to_string)
                .unwrap_or_default(),
            time(history.from),
            time(history.to),
        ]
    }

    fn cursor(&self, newest: &DeliveryId, workspace: &WorkspaceId) -> String {
        cursor::write(newest, &self.list(workspace).each_ref().map(String::as_str))
    }
}

fn event_name(text: &str) -> Result<EventName, String> {
    EventName::try_from(text.to_owned())
        .map_err(|_| "must be the name of an event type, such as survey.response.created".to_owned())
}

fn other_cursor() -> Problem {
    Problem::Malformed(
        "the query parameter cursor is not one of this list; pass meta.next as it is, with the same filters, or begin without it"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};

    use super::*;

    const WORKSPACE: &str = "ws_1";

    fn asked_in(workspace: &str, query: &str) -> Result<Asked, Problem> {
        let request = http::Request::builder().uri(format!("https://example.com/?{query}"));
        let request = request.body(Body::Empty).unwrap();
        Asked::parse(Query::of(&request), &workspace.parse().unwrap())
    }

    fn asked(query: &str) -> Result<Asked, Problem> {
        asked_in(WORKSPACE, query)
    }

    fn message(query: &str) -> String {
        match asked(query).unwrap_err() {
            Problem::Malformed(message) => message,
            other => panic!("{query}: {other:?}"),
        }
    }

    const FILTERS: [&str; 6] = [
        "",
        "status=failed",
        "event=a.b",
        "endpoint_id=whe_1",
        "from=2026-06-07T10:30:05Z",
        "to=2026-06-07T10:30:05Z",
    ];

    #[test]
    fn a_cursor_leads_on_in_its_list_whatever_the_size_of_the_page_and_the_spelling_of_a_time() {
        let position: DeliveryId = "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        for filter in FILTERS {
            let list = asked(filter).unwrap();
            let cursor = list.cursor(&position, &WORKSPACE.parse().unwrap());
            let filter = filter.replace("10:30:05Z", "12:30:05.0%2B02:00");
            let on = asked(&format!("{filter}&per_page=7&cursor={cursor}")).unwrap();

            assert_eq!(on.newest.as_ref(), Some(&position), "{filter}");
        }
    }

    #[test]
    fn a_cursor_of_other_filters_or_of_another_workspace_is_malformed() {
        let position: DeliveryId = "del_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        for filter in FILTERS {
            let list = asked(filter).unwrap();
            let cursor = list.cursor(&position, &WORKSPACE.parse().unwrap());
            for other in FILTERS.iter().filter(|other| **other != filter) {
                let message = message(&format!("{other}&cursor={cursor}"));
                assert!(message.contains("not one of this list"), "{other}: {message}");
            }
            let elsewhere = asked_in("ws_2", &format!("{filter}&cursor={cursor}"));
            assert!(matches!(elsewhere, Err(Problem::Malformed(_))), "{filter}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_malformed_and_says_what_is_wrong() {
        for (query, part) in [
            ("cursor=", "not one of this list"),
            ("cursor=x&cursor=y", "appears twice"),
            ("event=Nothing", "must be the name of an event type"),
            ("status=lost", "must be delivered, failed or pending"),
            (
                "from=2026-06-08T00:00:00Z&to=2026-06-07T00:00:00Z",
                "from is after to",
            ),
            ("per_page=101", "from 1 to 100"),
            ("page=2", "no query parameter page"),
        ] {
            let message = message(query);
            assert!(message.contains(part), "{query}: {message}");
        }
    }

    #[test]
    fn an_endpoint_that_can_not_be_one_is_not_found() {
        assert!(matches!(asked("endpoint_id=nonsense"), Err(Problem::NotFound)));
    }
}
