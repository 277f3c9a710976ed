//! `GET /:id/deliveries`: an endpoint's deliveries, newest first.

use lambda_http::Request;
use shared::domain::delivery::Status;
use shared::domain::id::EndpointId;
use shared::domain::token::Scope;
use shared::store::HistoryFilter;

use crate::app::App;
use crate::page::PageRequest;
use crate::problem::Problem;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};
use crate::{request, view};

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

/// Lists the deliveries.
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id: EndpointId = request::path_id(&request, "id")?;
    let (filter, page) = parse(Query::of(&request))?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    let found = app
        .store
        .history(&endpoint, filter, page.skip(), page.per_page, app.clock.now())
        .await?;
    Ok(view::deliveries(&found.deliveries, found.total, page))
}

fn parse(mut query: Query) -> Result<(HistoryFilter, PageRequest), Problem> {
    let filter = history_filter(&mut query)?;
    let page = query.take_page()?;
    query.finish()?;
    Ok((filter, page))
}

/// Takes the parameters that say when deliveries were accepted, and their status.
pub(super) fn history_filter(query: &mut Query) -> Result<HistoryFilter, Problem> {
    let filter = HistoryFilter {
        from: query.take("from", request::instant)?,
        to: query.take("to", request::instant)?,
        status: query.take("status", status)?,
    };
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from > to
    {
        return Err(Problem::Malformed(
            "the query parameter from is after to".to_owned(),
        ));
    }
    Ok(filter)
}

fn status(text: &str) -> Result<Status, String> {
    let known = [Status::Delivered, Status::Failed, Status::Pending];
    let status = known.into_iter().find(|status| status.as_str() == text);
    status.ok_or_else(|| "must be delivered, failed or pending".to_owned())
}
