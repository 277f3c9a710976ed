//! How a receiver answers: properly, late, or in one of the ways in which endpoints misbehave.

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// The pace of an answer that drips.
const DRIP_INTERVAL: Duration = Duration::from_secs(1);
/// Time for the beginning of an answer to be written.
const CUT_OFF_DELAY: Duration = Duration::from_millis(50);

/// An answer to one request.
#[derive(Debug, Clone)]
pub struct Answer {
    delay: Duration,
    status: StatusCode,
    headers: HeaderMap,
    body: AnswerBody,
}

#[derive(Debug, Clone)]
enum AnswerBody {
    Whole(Bytes),
    Drip,
    CutOff(Bytes),
    Never,
}

impl Answer {
    /// A status with an empty body.
    ///
    /// # Panics
    /// If `status` is not an HTTP status.
    #[expect(clippy::expect_used, reason = "statuses are constants in tests")]
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        Self {
            delay: Duration::ZERO,
            status,
            headers: HeaderMap::new(),
            body: AnswerBody::Whole(Bytes::new()),
        }
    }

    /// A redirect to `target`.
    #[must_use]
    pub fn redirect(target: &str) -> Self {
        Self::status(302).header("location", target)
    }

    /// No answer at all; the connection stays open.
    #[must_use]
    pub fn hang() -> Self {
        Self::status(200).with(AnswerBody::Never)
    }

    /// A 200 whose body comes at one byte a second, without end.
    #[must_use]
    pub fn drip() -> Self {
        Self::status(200).with(AnswerBody::Drip)
    }

    /// A 200 whose body begins with `body` and is cut off there: the connection closes.
    #[must_use]
    pub fn hang_up_after(body: impl Into<Bytes>) -> Self {
        Self::status(200).with(AnswerBody::CutOff(body.into()))
    }

    /// A 200 with a small gzip body that inflates to `inflated_bytes`.
    ///
    /// # Panics
    /// If compressing fails, which it does not in memory.
    #[expect(clippy::expect_used, reason = "writing to memory cannot fail")]
    #[must_use]
    pub fn gzip_bomb(inflated_bytes: usize) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder
            .write_all(&vec![b'a'; inflated_bytes])
            .expect("writing to memory cannot fail");
        let body = encoder.finish().expect("writing to memory cannot fail");
        Self::status(200).header("content-encoding", "gzip").body(body)
    }

    /// Adds a header.
    ///
    /// # Panics
    /// If the name or the value is not allowed in HTTP.
    #[expect(clippy::expect_used, reason = "headers are constants in tests")]
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        self.headers
            .append(name, HeaderValue::from_str(value).expect("a header value"));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with(AnswerBody::Whole(body.into()))
    }

    /// Answers only after `delay`.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn with(self, body: AnswerBody) -> Self {
        Self { body, ..self }
    }

    /// The response to send, once it is time to.
    pub(super) async fn respond(self) -> Response<Body> {
        tokio::time::sleep(self.delay).await;
        if matches!(self.body, AnswerBody::Never) {
            std::future::pending::<()>().await;
        }
        let mut response = Response::new(self.body.into_body());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl AnswerBody {
    fn into_body(self) -> Body {
        match self {
            Self::Whole(bytes) => Full::new(bytes).map_err(never).boxed(),
            Self::Never => Full::new(Bytes::new()).map_err(never).boxed(),
            Self::Drip => BodyExt::boxed(StreamBody::new(drip())),
            Self::CutOff(bytes) => BodyExt::boxed(StreamBody::new(cut_off(bytes))),
        }
    }
}

fn drip() -> impl stream::Stream<Item = io::Result<Frame<Bytes>>> {
    stream::repeat(()).then(|()| async {
        tokio::time::sleep(DRIP_INTERVAL).await;
        Ok(Frame::data(Bytes::from_static(b".")))
    })
}

/// The error makes the server close the connection without ending the body. It comes a moment later: at once,
/// it would discard what has not been written yet.
fn cut_off(bytes: Bytes) -> impl stream::Stream<Item = io::Result<Frame<Bytes>>> {
    let cut = async {
        tokio::time::sleep(CUT_OFF_DELAY).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    stream::iter([Ok(Frame::data(bytes))]).chain(stream::once(cut))
}

fn never(error: Infallible) -> io::Error {
    match error {}
}
