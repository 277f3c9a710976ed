//! The raw limit: the HTTP client of `deliver` and nothing else, in a process of its own with one thread, as `deliver`
//! has. It sends recorded requests, so the bytes are those that `deliver` signed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName};
use local::receiver::Received;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// Requests on each connection before the measured ones, because the connections of `deliver` are warm as well.
const WARM_UP_ROUNDS: usize = 5;

/// A request as `deliver` sent it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recorded {
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What the bare client has to do.
#[derive(Debug, Serialize, Deserialize)]
struct Task {
    requests: Vec<Recorded>,
    count: usize,
    in_flight: usize,
}

/// The requests that were received, ready to be sent again.
pub(crate) fn record(received: &[Received]) -> Vec<Recorded> {
    received.iter().map(recorded).collect()
}

/// Sends `count` of the requests, `in_flight` at a time, from a process of its own; returns how long that
/// took, in seconds.
pub(crate) async fn run(requests: &[Recorded], count: usize, in_flight: usize) -> Result<f64> {
    let task = Task {
        requests: requests.to_vec(),
        count,
        in_flight,
    };
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), serde_json::to_vec(&task)?)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--raw-client").arg(file.path()).kill_on_drop(true);
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The bare client itself: prints how long its requests took, in seconds.
pub(crate) fn main(task: &Path) -> Result<()> {
    let task: Task = serde_json::from_slice(&std::fs::read(task)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let took = runtime.block_on(send(&task))?;
    Ok(writeln!(std::io::stdout(), "{}", took.as_secs_f64())?)
}

async fn send(task: &Task) -> Result<Duration> {
    let client = client()?;
    let requests: Result<Vec<_>> = task.requests.iter().map(Recorded::parse).collect();
    let requests = requests?;
    send_all(
        &client,
        &requests,
        task.in_flight * WARM_UP_ROUNDS,
        task.in_flight,
    )
    .await?;
    let start = Instant::now();
    send_all(&client, &requests, task.count, task.in_flight).await?;
    Ok(start.elapsed())
}

/// Set up as in `shared::sender`, without its resolver, which numeric addresses do not need.
fn client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .tcp_nodelay(true);
    Ok(client.build()?)
}

async fn send_all(
    client: &reqwest::Client,
    requests: &[Parsed],
    count: usize,
    in_flight: usize,
) -> Result<()> {
    let mut answers = stream::iter(requests.iter().cycle().take(count))
        .map(|request| send_one(client, request))
        .buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        answer.context("a request of the bare client")?;
    }
    Ok(())
}

async fn send_one(client: &reqwest::Client, request: &Parsed) -> Result<()> {
    let call = client
        .post(request.url.clone())
        .headers(request.headers.clone())
        .body(request.body.clone());
    call.send().await?.error_for_status()?.bytes().await?;
    Ok(())
}

/// A parsed request, ready to be sent.
struct Parsed {
    url: reqwest::Url,
    headers: HeaderMap,
    body: Bytes,
}

impl Recorded {
    fn parse(&self) -> Result<Parsed> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, value.parse()?);
        }
        Ok(Parsed {
            url: self.url.parse()?,
            headers,
            body: Bytes::from(self.body.clone()),
        })
    }
}

fn recorded(received: &Received) -> Recorded {
    let own = |name: &str| matches!(name, "host" | "content-length");
    let headers = received
        .headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| !own(name));
    Recorded {
        url: format!("http://{}{}", received.header("host"), received.path),
        headers: headers
            .map(|name| (name.to_owned(), received.header(name).to_owned()))
            .collect(),
        body: String::from_utf8_lossy(&received.body).into_owned(),
    }
}
