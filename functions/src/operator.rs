//! The functions that an operator invokes with IAM rights; they have no route.

pub mod create_portal_link;
pub mod erase_workspace;
pub mod issue_token;
pub mod list_tokens;
pub mod revoke_token;

use shared::domain::id::WorkspaceId;
use shared::domain::token::Scope;

use crate::serve::CommandError;

/// What a token allows if nothing else is asked for.
fn all_scopes() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write]
}

/// Reads the workspace that a command is about.
fn workspace(text: &str) -> Result<WorkspaceId, CommandError> {
    text.parse()
        .map_err(|error| invalid(format!("workspace_id {error}")))
}

/// Reads what a token is to allow.
fn scopes(scopes: Vec<Scope>) -> Result<Vec<Scope>, CommandError> {
    if scopes.is_empty() {
        return Err(invalid("scopes must name at least one scope"));
    }
    Ok(scopes)
}

fn invalid(message: impl Into<String>) -> CommandError {
    CommandError::InvalidInput(message.into())
}
