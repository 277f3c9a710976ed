//! What to try with a running stack.

use std::path::Path;

use local::{SamLocal, StackState};

use crate::arguments::RECEIVER_PORT;

/// Where the endpoints of a stack may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Targets {
    /// On this machine as well.
    Anywhere,
    /// Only where production allows them.
    Public,
}

/// The stack's addresses, and commands to copy.
pub(crate) fn guide(
    state: &StackState,
    description: &Path,
    sam_local: &SamLocal,
    targets: Targets,
) -> String {
    format!(
        "The stack is up, and described in {description}\n\
         The emulator's log is {log}\n\n\
         The dashboard, signed in:\n\n    \
         {api_url}/dashboard/#token={token}\n\n\
         In another terminal:\n\n    \
         API='{api}'\n    \
         AUTH='Authorization: Bearer {token}'\n    \
         QUEUE='{queue}'\n\n\
         {create}\n\n\
         {send}\n\n\
         List the endpoints (those of the demo among them), or what was delivered to one:\n\n    \
         curl -sS -H \"$AUTH\" \"$API\"\n    \
         curl -sS -H \"$AUTH\" \"$API/whe_…/deliveries\"\n\n\
         Tokens for other workspaces and scopes: cargo local token --help\n\
         {sam_local}\n\
         {rules}\n\
         Ctrl-C ends the stack.",
        description = description.display(),
        log = state.log_file.display(),
        api = state.api,
        api_url = state.api_url,
        token = state.token,
        queue = state.events_queue_url,
        create = create(targets),
        send = send(state),
        sam_local = in_a_container(sam_local),
        rules = rules(targets),
    )
}

fn create(targets: Targets) -> String {
    match targets {
        Targets::Anywhere => format!(
            "Create an endpoint, then receive what is sent to it, in a third terminal:\n\n    \
             {}\n    \
             cargo local receive --secret whs_…    # the secret in the answer",
            create_at(&format!("http://127.0.0.1:{RECEIVER_PORT}/"))
        ),
        Targets::Public => format!(
            "Create an endpoint, at a receiver of yours that the internet can reach:\n\n    {}",
            create_at("https://hooks.example.com/webhooks")
        ),
    }
}

fn create_at(url: &str) -> String {
    format!(
        "curl -H \"$AUTH\" -H 'Content-Type: application/json' \\\n        \
         -d '{{\"url\": \"{url}\", \"events\": [\"*\"]}}' \"$API\""
    )
}

/// The region is an option because version 1 of the AWS CLI reads it from another variable than version 2. The id is
/// made anew each time: an id that was sent before is the same event, and would not be delivered again.
fn send(state: &StackState) -> String {
    format!(
        "Send an event:\n\n    \
         AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} \\\n    \
         aws --region {region} --endpoint-url {url} sqs send-message --queue-url \"$QUEUE\" \\\n        \
         --message-group-id {workspace} --message-body \\\n        \
         '{{\"id\": \"evt_'$(date +%s)'\", \"workspace_id\": \"{workspace}\", \"created_at\": \"2026-06-07T10:30:00Z\",\n          \
         \"event\": \"poster.scanned\", \"data\": {{\"poster\": 7}}}}'",
        key = state.access_key_id,
        secret = state.secret_access_key,
        region = state.region,
        url = state.aws_endpoint_url,
        workspace = state.workspace_id,
    )
}

/// Where `sam local` finds the environment of the functions, and whether its containers reach the stack.
fn in_a_container(sam_local: &SamLocal) -> String {
    let (config, environment) = (sam_local.config.display(), sam_local.environment.display());
    match &sam_local.unreachable {
        None => format!(
            "sam local (docs/sam-local.md): --config-file {config}, with the environment in {environment}"
        ),
        Some(reason) => format!(
            "sam local (docs/sam-local.md) finds the functions' environment in {environment}, but can't reach the stack:\n    \
             {reason}"
        ),
    }
}

fn rules(targets: Targets) -> &'static str {
    match targets {
        Targets::Anywhere => {
            "Urls as in production, HTTPS and public only: cargo local up --parameter AllowInsecureTargets=false"
        }
        Targets::Public => "Urls must be as in production: HTTPS and public.",
    }
}
