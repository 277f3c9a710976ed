//! The queue functions, one file each, and what they share: how long a message waits before it comes back.

pub mod deliver;
pub mod fan_out;
mod job;
pub mod purge;
pub mod retry;

use std::collections::HashMap;

use crate::app::App;
use crate::serve::Message;

/// The wait before a message comes back for the first time, in seconds; it doubles each time.
const FIRST_WAIT_SECONDS: i32 = 2;

/// The longest such wait: the visibility time-out of the queues, in seconds.
const LONGEST_WAIT_SECONDS: i32 = 180;

/// Hands messages back to their queue: they come again after a wait that doubles each time. Returns their ids.
async fn hand_back(app: &App, messages: Vec<&Message>) -> Vec<String> {
    let mut waits: HashMap<(&str, i32), Vec<String>> = HashMap::new();
    for message in &messages {
        let doublings = message.receive_count().saturating_sub(1).min(10);
        let wait = FIRST_WAIT_SECONDS
            .saturating_mul(1 << doublings)
            .min(LONGEST_WAIT_SECONDS);
        if let Some(url) = app.config.queues.url_of(&message.queue_arn) {
            waits
                .entry((url, wait))
                .or_default()
                .push(message.receipt_handle.clone());
        }
    }
    for ((url, wait), handles) in waits {
        app.queues.make_visible_in(url, wait, &handles).await;
    }
    messages.into_iter().map(|message| message.id.clone()).collect()
}
