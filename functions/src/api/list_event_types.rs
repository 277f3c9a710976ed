//! `GET /event-types`: the catalogue, with a sample of each event type.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use shared::Error;
use shared::domain::event;
use shared::domain::event_type::EventType;
use shared::domain::token::Scope;

use crate::answer;
use crate::app::App;
use crate::request::Query;
use crate::serve::{Answer, Caller, Route};

/// The id of the event in every sample.
const SAMPLE_EVENT_ID: &str = "evt_01HXYZ";

#[derive(Serialize)]
struct EventTypeView {
    name: &'static str,
    description: &'static str,
    sample: Box<RawValue>,
}

#[derive(Serialize)]
struct EventTypesView {
    data: Vec<EventTypeView>,
}

/// The route.
pub const ROUTE: Route = Route {
    variables: &["OPERATOR_WORKSPACE", "TOKENS_TABLE"],
    scope: Some(Scope::Read),
    handler: |app, caller, request| Box::pin(handle(app, caller, request)),
};

/// Lists the event types.
#[expect(clippy::unused_async, reason = "every handler has the same signature")]
async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    Query::of(&request).finish()?;
    let views = app
        .catalogue(&caller.workspace)
        .event_types()
        .map(|event_type| view(app, caller, event_type).map_err(Error::sample(event_type.name)));
    let data = views.collect::<Result<_, _>>()?;
    Ok(answer::json(StatusCode::OK, &EventTypesView { data }))
}

fn view(app: &App, caller: &Caller, event_type: &EventType) -> Result<EventTypeView, serde_json::Error> {
    let sample = event::sample_body(
        event_type,
        caller.workspace.as_str(),
        SAMPLE_EVENT_ID,
        app.clock.now(),
    )?;
    Ok(EventTypeView {
        name: event_type.name,
        description: event_type.description,
        sample: RawValue::from_string(sample)?,
    })
}
