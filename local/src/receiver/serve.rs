//! The server side: accepts connections, keeps them alive, records what comes.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::answer::{Answer, Body};
use super::log::Log;
use super::received::Received;

type Answerer = dyn Fn(&Received) -> Answer + Send + Sync;

/// Serves until dropped, and with it every connection.
pub(super) async fn serve(listener: TcpListener, log: Arc<Log>, answer: Arc<Answerer>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely; they are freed as connections end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        log.add_connection();
        // Best effort: without it an answer may come a little later.
        let _ = stream.set_nodelay(true);
        let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
        let service = service_fn(move |request| respond(request, Arc::clone(&log), Arc::clone(&answer)));
        // A broken connection is the sender's problem; what arrived is in the log.
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

async fn respond(
    request: Request<Incoming>,
    log: Arc<Log>,
    answer: Arc<Answerer>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (at, time) = (Instant::now(), SystemTime::now());
    let received = Received {
        method: head.method,
        path,
        headers: head.headers,
        body,
        at,
        time,
    };
    let answer = answer(&received);
    log.add(received);
    Ok(answer.respond().await)
}
