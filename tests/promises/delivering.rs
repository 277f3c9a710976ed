//! An event put on the queue arrives at the endpoint.

use tests::signature::verifies;
use tests::{PATIENCE, Workspace, receivers};

use crate::promises::STACK;

#[tokio::test]
async fn an_event_arrives_signed_and_is_listed_as_delivered() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/hooks"), &["*"]).await;

    let event = workspace.send_event("survey.response.created").await;

    let requests = receiver.wait_for(1, PATIENCE).await.expect("the event arrives");
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].path, "/hooks");
    assert_eq!(requests[0].header("content-type"), "application/json");
    assert_eq!(requests[0].header("webhook-id"), event.id);
    assert_eq!(requests[0].body, event.body);
    assert!(verifies(&STACK, &requests[0], &endpoint.secret));
    let delivery = workspace
        .wait_for_delivery(&endpoint.id, &event, "delivered")
        .await;
    assert_eq!(delivery["event"], "survey.response.created");
    assert_eq!(delivery["http_status"], 200);
    assert_eq!(delivery["attempt_count"], 1);
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_signature_is_void_once_a_byte_is_flipped() {
    let workspace = Workspace::new(&STACK).await;
    let receiver = receivers::healthy().await;
    let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await;

    workspace.send_event("poster.scanned").await;

    let mut requests = receiver.wait_for(1, PATIENCE).await.expect("the event arrives");
    let request = requests.remove(0);
    assert!(verifies(&STACK, &request, &endpoint.secret));
    let mut body = request.clone();
    body.body = body.body.iter().map(|byte| byte ^ 1).collect();
    assert!(!verifies(&STACK, &body, &endpoint.secret));
    for header in ["webhook-id", "webhook-timestamp"] {
        let mut forged = request.clone();
        let value = format!("{}1", request.header(header));
        forged
            .headers
            .insert(header, value.parse().expect("a header value"));
        assert!(!verifies(&STACK, &forged, &endpoint.secret), "{header}");
    }
}
