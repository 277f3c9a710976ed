//! The functions that an operator invokes with IAM rights; they have no route.

pub mod create_portal_link;
pub mod erase_workspace;
pub mod issue_token;
pub mod list_tokens;
pub mod revoke_token;

use shared::domain::token::Scope;

/// What a token allows if nothing else is asked for.
fn all_scopes() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write]
}
