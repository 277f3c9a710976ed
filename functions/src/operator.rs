//! The functions that an operator invokes with IAM rights; they have no route.

pub mod erase_workspace;
pub mod issue_token;
pub mod list_tokens;
pub mod revoke_token;
