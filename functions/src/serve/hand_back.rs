//! Handing messages back: they come again after a wait that doubles each time.

use std::collections::HashMap;

use super::Message;
use crate::app::App;

/// The wait before a message comes back for the first time, in seconds; it doubles each time.
const FIRST_WAIT_SECONDS: i32 = 2;

/// The longest such wait, in seconds: the visibility time-out of the queues whose messages are handed back.
pub const LONGEST_WAIT_SECONDS: i32 = 180;

/// Hands messages back to their queue. Where that fails they come after the queue's visibility time-out.
pub(super) async fn hand_back(app: &App, messages: &[&Message]) {
    let mut waits: HashMap<(&str, i32), Vec<String>> = HashMap::new();
    for message in messages {
        if let Some(url) = app.config.queues.url_of(&message.queue_arn) {
            let wait = wait_seconds(message.receive_count());
            let handles = waits.entry((url, wait)).or_default();
            handles.push(message.receipt_handle.clone());
        }
    }
    for ((url, wait), handles) in waits {
        app.queues.make_visible_in(url, wait, &handles).await;
    }
}

/// How long a message waits after this many receives, in whole seconds as SQS takes them.
fn wait_seconds(receive_count: u32) -> i32 {
    let doublings = receive_count.saturating_sub(1).min(10);
    FIRST_WAIT_SECONDS
        .saturating_mul(1 << doublings)
        .min(LONGEST_WAIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        assert_eq!((wait_seconds(1), wait_seconds(2), wait_seconds(3)), (2, 4, 8));
        assert_eq!(
            (wait_seconds(7), wait_seconds(8), wait_seconds(99)),
            (128, 180, 180)
        );
    }
}
