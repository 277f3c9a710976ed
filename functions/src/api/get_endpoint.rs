//! `GET /:id`: one endpoint.

use lambda_http::Request;

use crate::app::App;
use crate::serve::{Answer, Caller};
use crate::{request, view};

/// Shows the endpoint.
pub async fn handle(app: &App, caller: &Caller, request: Request) -> Answer {
    let id = request::path_id(&request, "id")?;
    let endpoint = app.store.endpoint(&caller.workspace, &id).await?;
    Ok(view::endpoint(&endpoint))
}
