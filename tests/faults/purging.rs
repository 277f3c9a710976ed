//! The stream of the endpoints table is read again from the first deletion whose purge is not on its queue.

use http::StatusCode;
use tests::{Workspace, eventually};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

const SEND: &str = "SendMessageBatch PurgesQueue";

/// The purge that the request itself puts on the queue, before it deletes.
const OF_THE_REQUEST: usize = 1;

/// More than the tries of the SDK, so that the function has to give the record back.
const ALL_TRIES: usize = 8;

#[tokio::test]
async fn a_deletion_whose_purge_could_not_be_queued_is_read_again() {
    let _turn = STACK.together().await;
    let workspace = Workspace::new(&STACK).await;
    let endpoint = workspace
        .create_endpoint("https://hooks.example.com/", &["*"])
        .await
        .id;
    let keys = [endpoint.clone()];
    let recording = proxy::record(&keys);
    let fault = Fault::once(SEND, &keys, Effect::FailBefore);
    let injected = proxy::inject(fault.after(OF_THE_REQUEST).times(ALL_TRIES));

    let answer = workspace.delete(&format!("/{endpoint}")).await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    eventually("purges are queued after all", async || {
        let calls = recording.calls();
        let sent = calls.iter().filter(|call| call.name == SEND).count();
        (sent > OF_THE_REQUEST + ALL_TRIES).then_some(())
    })
    .await;
    assert_eq!(injected.hits(), ALL_TRIES);
}
