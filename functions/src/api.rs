//! The routes, one file each: request, handler, answer.

pub mod cancel_recovery;
pub mod create_endpoint;
pub mod create_recovery;
pub mod create_session;
pub mod delete_endpoint;
pub mod get_delivery;
pub mod get_endpoint;
pub mod get_event;
pub mod get_recovery;
pub mod get_stats;
pub mod get_token;
pub mod list_all_deliveries;
pub mod list_deliveries;
pub mod list_endpoints;
pub mod list_event_types;
pub mod list_recoveries;
pub mod retry_delivery;
pub mod rotate_secret;
pub mod send_test_event;
pub mod update_endpoint;

use std::time::Duration;

use shared::domain::target::TargetUrl;
use shared::sender;

use crate::app::App;
use crate::problem::{FieldErrors, Problem};

/// How long a name may take to be looked up when a url is saved.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(2);

/// Checks that the url's name leads to addresses that may be sent to.
async fn check_addresses(app: &App, url: &TargetUrl) -> Result<(), Problem> {
    let look_up = sender::system_look_up();
    if sender::is_allowed(*app.config.targets, &look_up, url, LOOK_UP_DEADLINE).await {
        return Ok(());
    }
    Err(FieldErrors::one("url", "leads to a private or reserved address").into())
}

/// Reads a field that is true or false.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the readers of fields take their value"
)]
fn boolean(value: serde_json::Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}
