//! The proxy's HTTP: every request is read whole, passed on as it is, and answered, or not.

use std::io;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Call, Effect, answer, effect_on, limit, proxy};

/// Serves on a runtime of its own, which outlives that of any test, and returns the proxy's url.
pub(super) fn on_a_thread() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime
        .block_on(TcpListener::bind(("127.0.0.1", 0)))
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || runtime.block_on(serve(listener)));
    url
}

async fn serve(listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond));
        tokio::spawn(connection);
    }
}

/// An error closes the connection without an answer.
async fn respond(request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let call = Call::of(&head, body);
    match effect_on(&call) {
        None => match limit::of_writes(&call) {
            None => pass_on(head, call.body).await,
            Some(limited) => limited.answer().await,
        },
        Some(Effect::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            pass_on(head, call.body).await
        }
        Some(Effect::FailBefore) => Ok(answer::failure()),
        Some(Effect::DropBefore) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Effect::HangBefore) => std::future::pending().await,
        Some(Effect::HangAfter) => {
            pass_on(head, call.body).await?;
            std::future::pending().await
        }
        Some(Effect::RefuseForQuota) => Ok(answer::quota()),
        Some(Effect::Throttle) => Ok(answer::throttle(&call)),
        Some(Effect::RefuseItems) => {
            Ok(answer::refuse_items(&call).unwrap_or_else(|| answer::throttle(&call)))
        }
        Some(Effect::FailAfter) => {
            pass_on(head, call.body).await?;
            Ok(answer::failure())
        }
        Some(Effect::DropAfter) => {
            pass_on(head, call.body).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

/// The headers stay as they are, `host` too: it is signed.
async fn pass_on(head: Parts, body: Bytes) -> io::Result<Response<Full<Bytes>>> {
    let url = format!("{}{}", proxy().upstream, head.uri);
    let request = proxy().client.request(head.method, url);
    let answer = request
        .headers(head.headers)
        .body(body)
        .send()
        .await
        .map_err(io::Error::other)?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(io::Error::other)?;
    for name in ["content-length", "transfer-encoding", "connection"] {
        headers.remove(name);
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
