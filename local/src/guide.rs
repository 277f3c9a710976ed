//! What to try with a running stack.

use std::path::Path;

use local::{StackState, new_id};
use serde_json::json;

/// The stack's addresses, and three commands to copy.
pub(crate) fn guide(state: &StackState, announced: Option<&Path>) -> String {
    let announced = announced
        .map(|path| format!("Described in {}\n", path.display()))
        .unwrap_or_default();
    format!(
        "The stack is up.\n{announced}\n\
         API          {api}/api/integrations/webhooks\n\
         token        {token}\n\
         workspace    {workspace}\n\
         events queue {queue}\n\
         log          {log}\n\n\
         Try:\n\n\
         {list}\n\n\
         {create}\n\n\
         {send}\n\n\
         Ctrl-C ends it.",
        api = state.api_url,
        token = state.token,
        workspace = state.workspace_id,
        queue = state.events_queue_url,
        log = state.log_file.display(),
        list = list(state),
        create = create(state),
        send = send(state),
    )
}

fn list(state: &StackState) -> String {
    format!(
        "curl -H 'Authorization: Bearer {}' '{}/api/integrations/webhooks'",
        state.token, state.api_url
    )
}

fn create(state: &StackState) -> String {
    format!(
        "curl -X POST -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\\n    \
         -d '{}' '{}/api/integrations/webhooks'",
        state.token,
        json!({ "url": "http://127.0.0.1:8000/", "events": ["*"] }),
        state.api_url,
    )
}

fn send(state: &StackState) -> String {
    let event = json!({
        "id": new_id("evt_"),
        "event": "poster.scanned",
        "created_at": "2026-06-07T10:30:00Z",
        "workspace_id": state.workspace_id,
        "data": { "poster": 7 },
    });
    format!(
        "AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_REGION={} \\\n    \
         aws --endpoint-url {} sqs send-message --queue-url '{}' \\\n    \
         --message-group-id {} --message-body '{event}'",
        state.access_key_id,
        state.secret_access_key,
        state.region,
        state.aws_endpoint_url,
        state.events_queue_url,
        state.workspace_id,
    )
}
