//! The HTTP client of events against real sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const DEADLINE: Duration = Duration::from_secs(5);

/// Answers every connection with these bytes and counts them.
async fn receiver(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    (address, count)
}

fn answering(addresses: &[&str]) -> LookUp {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    LookUp::new(move |_| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

async fn attempt(sender: &Sender, url: &str, deadline: Duration) -> Attempt {
    let (event_id, secret) = ("evt_1".parse().unwrap(), Secret::new([1; 24]));
    let request = Request {
        url,
        event_id: &event_id,
        body: "{}",
        secret: &secret,
    };
    sender.attempt(request, Timestamp::UNIX_EPOCH, deadline).await
}

#[tokio::test]
async fn a_name_with_one_bad_address_is_refused_and_never_dialled() {
    #[derive(Deserialize)]
    struct Vectors {
        dns_answers: Vec<Answers>,
    }
    #[derive(Deserialize)]
    struct Answers {
        answers: Vec<String>,
        expect: String,
    }
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../tests/vectors/ssrf-addresses.json")).unwrap();

    for vector in vectors
        .dns_answers
        .iter()
        .filter(|vector| vector.expect.starts_with("refused"))
    {
        let answers: Vec<&str> = vector.answers.iter().map(String::as_str).collect();
        let sender = Sender::with_look_up(TargetPolicy::PublicOnly, answering(&answers)).unwrap();
        let target = TargetUrl::parse("https://hooks.example.com/", TargetPolicy::PublicOnly).unwrap();

        assert!(
            !is_allowed(TargetPolicy::PublicOnly, &answering(&answers), &target, DEADLINE).await,
            "{answers:?} at creation"
        );
        let attempt = attempt(&sender, "https://hooks.example.com/", DEADLINE).await;
        assert_eq!(
            attempt.failure,
            Some(Failure::RefusedAddress),
            "{answers:?} at connection"
        );
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_exactly_that_address_is_dialled() {
    let (address, connections) = receiver(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let look_ups = Arc::new(AtomicUsize::new(0));
    let counter = look_ups.clone();
    let look_up = LookUp::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    });
    let sender = Sender::with_look_up(TargetPolicy::InsecureToo, look_up).unwrap();

    let attempt = attempt(
        &sender,
        &format!("http://hooks.example.com:{}/", address.port()),
        DEADLINE,
    )
    .await;

    assert_eq!(attempt.failure, None);
    assert_eq!(look_ups.load(Ordering::SeqCst), 1);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn every_refused_url_of_the_vectors_is_refused_at_connection_too() {
    #[derive(Deserialize)]
    struct Vectors {
        must_block: Vec<IpAddr>,
        refused_urls: Vec<String>,
    }
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../tests/vectors/ssrf-addresses.json")).unwrap();
    let sender = Sender::new(TargetPolicy::PublicOnly).unwrap();
    let literals = vectors.must_block.iter().map(|address| match address {
        IpAddr::V4(v4) => format!("https://{v4}/"),
        IpAddr::V6(v6) => format!("https://[{v6}]/"),
    });

    for url in vectors.refused_urls.iter().cloned().chain(literals) {
        assert_eq!(
            attempt(&sender, &url, DEADLINE).await.failure,
            Some(Failure::RefusedAddress),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_dns_failure() {
    let look_up = LookUp::new(|_| Box::pin(async { Err(std::io::Error::other("no such name")) }));
    let sender = Sender::with_look_up(TargetPolicy::PublicOnly, look_up).unwrap();

    assert_eq!(
        attempt(&sender, "https://hooks.example.com/", DEADLINE)
            .await
            .failure,
        Some(Failure::Dns)
    );
}

#[tokio::test]
async fn a_receiver_that_speaks_no_tls_is_a_tls_failure() {
    let (address, _) = receiver(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();

    assert_eq!(
        attempt(&sender, &format!("https://{address}/"), DEADLINE)
            .await
            .failure,
        Some(Failure::Tls)
    );
}

#[tokio::test]
async fn a_redirect_is_a_failed_attempt_whose_target_is_never_visited() {
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();
    let (address, connections) =
        receiver(b"HTTP/1.1 307 X\r\nlocation: /next\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await;

    let attempt = attempt(&sender, &format!("http://{address}/"), DEADLINE).await;

    assert_eq!(
        (attempt.http_status, attempt.failure),
        (Some(307), Some(Failure::Status))
    );
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_at_the_deadline() {
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();
    let (address, _) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\na").await;

    let attempt = attempt(&sender, &format!("http://{address}/"), Duration::from_millis(300)).await;

    assert_eq!(attempt.failure, Some(Failure::Timeout));
    assert!((300..2000).contains(&attempt.duration_ms));
}

#[tokio::test]
async fn a_head_that_never_ends_is_too_large() {
    let (address, _) = receiver(Box::leak(
        [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 1 << 20]]
            .concat()
            .into_boxed_slice(),
    ))
    .await;
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();

    assert_eq!(
        attempt(&sender, &format!("http://{address}/"), DEADLINE)
            .await
            .failure,
        Some(Failure::TooLarge)
    );
}

#[tokio::test]
async fn a_receiver_that_nobody_listens_at_is_a_connect_failure() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();

    assert_eq!(
        attempt(&sender, &format!("http://{free}/"), DEADLINE)
            .await
            .failure,
        Some(Failure::Connect)
    );
}

#[tokio::test]
async fn a_hint_counts_only_on_429_and_503() {
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();
    let (busy, _) = receiver(b"HTTP/1.1 429 X\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;
    let (broken, _) = receiver(b"HTTP/1.1 500 X\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;

    assert_eq!(
        attempt(&sender, &format!("http://{busy}/"), DEADLINE)
            .await
            .retry_after_seconds,
        Some(120)
    );
    assert_eq!(
        attempt(&sender, &format!("http://{broken}/"), DEADLINE)
            .await
            .retry_after_seconds,
        None
    );
}

#[tokio::test]
async fn the_headers_of_a_response_are_kept_of_a_failed_attempt_only() {
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();
    let headers = async |answer: &'static [u8]| {
        let (address, _) = receiver(answer).await;
        let attempt = attempt(&sender, &format!("http://{address}/"), Duration::from_millis(300)).await;
        attempt.response_headers.by_name().clone()
    };

    let failed = headers(
        b"HTTP/1.1 503 X\r\nRetry-After: soon\r\nserver: a\xff\r\nset-cookie: b\r\ncontent-length: 0\r\n\r\n",
    );
    let succeeded = headers(b"HTTP/1.1 200 OK\r\nserver: a\r\ncontent-length: 0\r\n\r\n");
    let cut_off = headers(b"HTTP/1.1 200 OK\r\nserver: a\r\ncontent-length: 100\r\n\r\na");

    let expected = [("retry-after", "soon"), ("server", "a\u{fffd}")];
    assert_eq!(
        failed.await,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    assert!(succeeded.await.is_empty());
    assert_eq!(cut_off.await["server"], "a", "it was not received");
}

#[tokio::test]
async fn every_attempt_names_the_version_that_made_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    };
    let sender = Sender::new(TargetPolicy::InsecureToo).unwrap();

    let (request, _) = tokio::join!(receive, attempt(&sender, &url, DEADLINE));

    let version = format!(
        "user-agent: serverless-webhooks/{}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(request.contains(&version), "{request}");
}
