//! Other tests rely on the receiver, so it has tests of its own.

use std::time::{Duration, Instant};

use super::{Answer, Receiver};

const PATIENCE: Duration = Duration::from_secs(10);

async fn post(receiver: &Receiver) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(3))
        .build()?;
    client
        .post(receiver.url("/hooks?a=b"))
        .header("x-test", "yes")
        .body("{\"a\": 1}")
        .send()
        .await
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_sent() {
    let receiver = Receiver::start(|_| Answer::status(201).header("x-answer", "1").body("ok"))
        .await
        .unwrap();

    let answer = post(&receiver).await.unwrap();

    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-answer"], "1");
    assert_eq!(answer.text().await.unwrap(), "ok");
    let requests = receiver.wait_for(1, PATIENCE).await.unwrap();
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].path, "/hooks?a=b");
    assert_eq!(requests[0].header("x-test"), "yes");
    assert_eq!(requests[0].body, "{\"a\": 1}");
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends() {
    let receiver = Receiver::start_ok().await.unwrap();

    assert!(receiver.wait_for(1, Duration::from_millis(50)).await.is_err());
}

#[tokio::test]
async fn a_late_answer_is_late() {
    let receiver = Receiver::start(|_| Answer::status(200).after(Duration::from_millis(200)))
        .await
        .unwrap();
    let start = Instant::now();

    post(&receiver).await.unwrap();

    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn an_answer_that_hangs_never_comes() {
    let receiver = Receiver::start(|_| Answer::hang()).await.unwrap();

    assert!(post(&receiver).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn an_answer_that_drips_begins_and_does_not_end() {
    let receiver = Receiver::start(|_| Answer::drip()).await.unwrap();

    let mut answer = post(&receiver).await.unwrap();

    assert_eq!(answer.chunk().await.unwrap().unwrap(), ".");
    assert!(answer.text().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_incomplete() {
    let receiver = Receiver::start(|_| Answer::hang_up_after("half")).await.unwrap();

    let mut answer = post(&receiver).await.unwrap();

    assert_eq!(answer.chunk().await.unwrap().unwrap(), "half");
    assert!(answer.chunk().await.is_err());
}

#[tokio::test]
async fn a_gzip_bomb_is_small_until_it_is_inflated() {
    let receiver = Receiver::start(|_| Answer::gzip_bomb(5_000_000)).await.unwrap();
    let raw = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();

    let compressed = raw
        .get(receiver.url("/"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();

    assert!(compressed.len() < 50_000);
    assert_eq!(
        post(&receiver).await.unwrap().bytes().await.unwrap().len(),
        5_000_000
    );
}

#[tokio::test]
async fn a_thousand_requests_share_one_connection() {
    let receiver = Receiver::start_ok().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();

    for _ in 0..1000 {
        client
            .get(receiver.url("/"))
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
    }

    assert_eq!(receiver.wait_for(1000, PATIENCE).await.unwrap().len(), 1000);
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let first = Receiver::start_ok().await.unwrap();
    let port = first.url("").rsplit(':').next().unwrap().parse().unwrap();

    assert!(Receiver::start_at(port, |_| Answer::status(200)).await.is_err());
}

#[tokio::test]
async fn a_received_request_is_printed_with_headers_and_body() {
    let receiver = Receiver::start_ok().await.unwrap();

    post(&receiver).await.unwrap();

    let printed = receiver.wait_for(1, PATIENCE).await.unwrap()[0].to_string();
    assert!(printed.starts_with("POST /hooks?a=b\n"), "{printed}");
    assert!(printed.contains("\nx-test: yes\n"), "{printed}");
    assert!(printed.ends_with("\n\n{\"a\": 1}"), "{printed}");
}

#[tokio::test]
async fn a_signature_verifies_with_the_secret_that_made_it_and_no_other() {
    let receiver = Receiver::start_ok().await.unwrap();
    let webhook = standardwebhooks::Webhook::new("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let timestamp = jiff::Timestamp::now().as_second();
    let signature = webhook.sign("evt_1", timestamp, b"{}").unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();

    let request = client
        .post(receiver.url("/"))
        .header("webhook-id", "evt_1")
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature);
    request.body("{}").send().await.unwrap();

    let received = receiver.wait_for(1, PATIENCE).await.unwrap().remove(0);
    assert!(received.verify("whs_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok());
    assert!(received.verify("whs_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").is_err());
}
