//! Runs the binary of a function and invokes it through Lambda's Runtime API, which this process serves.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::server::Server;
use crate::usage::Usage;

/// An invocation that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks at whether it has asked for its first event.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running function; killed when dropped.
#[derive(Debug)]
pub(crate) struct Function {
    pid: u32,
    /// Owns the process. When it ends, so does the wait for its answers.
    watcher: JoinHandle<()>,
    api: Arc<RuntimeApi>,
    logs: Arc<Logs>,
    invocations: mpsc::UnboundedSender<Invocation>,
    started: Instant,
    _server: Server,
}

/// What a function has logged.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    lines: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Debug)]
struct Invocation {
    event: Bytes,
    answer: oneshot::Sender<Result<Bytes, Bytes>>,
}

#[derive(Debug)]
struct RuntimeApi {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    running: Mutex<HashMap<String, oneshot::Sender<Result<Bytes, Bytes>>>>,
    first_asked: Mutex<Option<Instant>>,
    count: AtomicU64,
}

impl Function {
    /// Starts a command as the function of this name, with nothing in its environment but this and what Lambda adds.
    pub(crate) async fn start(
        mut command: Command,
        name: &str,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let (invocations, waiting) = mpsc::unbounded_channel();
        let api = Arc::new(RuntimeApi {
            waiting: tokio::sync::Mutex::new(waiting),
            running: Mutex::default(),
            first_asked: Mutex::default(),
            count: AtomicU64::default(),
        });
        let serving = Arc::clone(&api);
        let server = Server::start(move |request| respond(Arc::clone(&serving), request)).await?;
        command
            .env_clear()
            .envs(environment)
            .envs(lambda_environment(name, &server));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let started = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", command.as_std().get_program().display()))?;
        let logs = Arc::new(Logs::default());
        let stdout = child.stdout.take().context("no standard output")?;
        tokio::spawn(read_logs(BufReader::new(stdout), Arc::clone(&logs)));
        Ok(Self {
            pid: child.id().context("the function has ended")?,
            watcher: tokio::spawn(watch(child, Arc::clone(&api))),
            api,
            logs,
            invocations,
            started,
            _server: server,
        })
    }

    /// Invokes it and returns its answer.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(
            &self.invoke_raw(Bytes::from(event.to_string())).await?,
        )?)
    }

    /// Invokes it with an event that is already serialized.
    pub(crate) async fn invoke_raw(&self, event: Bytes) -> Result<Bytes> {
        let (answer, answered) = oneshot::channel();
        self.invocations
            .send(Invocation { event, answer })
            .ok()
            .context("the function has ended")?;
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        match answer
            .context("the function did not answer in time")?
            .context("the function has ended")?
        {
            Ok(answer) => Ok(answer),
            Err(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
        }
    }

    /// Asks it to end, as `kill` does, and waits until it has.
    pub(crate) async fn end(mut self) -> Result<()> {
        Command::new("kill").arg(self.pid.to_string()).status().await?;
        (&mut self.watcher)
            .await
            .context("waiting for the function's end")
    }

    /// Waits until it asks for its first event.
    pub(crate) async fn ready(&self) {
        while self.first_asked().is_none() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// When the process was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// When it first asked for an event, which is when its initialization ended.
    pub(crate) fn first_asked(&self) -> Option<Instant> {
        *lock(&self.api.first_asked)
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid)
    }

    /// Lines and bytes logged so far.
    pub(crate) fn logged(&self) -> (u64, u64) {
        (
            self.logs.lines.load(Ordering::Relaxed),
            self.logs.bytes.load(Ordering::Relaxed),
        )
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// Drops all invocations when the process ends.
async fn watch(mut child: Child, api: Arc<RuntimeApi>) {
    let _ = child.wait().await;
    let mut waiting = api.waiting.lock().await;
    waiting.close();
    while waiting.try_recv().is_ok() {}
    lock(&api.running).clear();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lambda_environment(name: &str, server: &Server) -> Vec<(&'static str, String)> {
    vec![
        // Lambda sets it as well; here it is also where the tools are that run a function.
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("_HANDLER", name.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", server.address().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_SESSION_TOKEN", "bench".to_owned()),
    ]
}

async fn read_logs(mut output: BufReader<tokio::process::ChildStdout>, logs: Arc<Logs>) {
    let mut line = Vec::new();
    while matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
        logs.lines.fetch_add(1, Ordering::Relaxed);
        logs.bytes.fetch_add(line.len() as u64, Ordering::Relaxed);
        line.clear();
    }
}

async fn respond(
    api: Arc<RuntimeApi>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut parts = path.trim_start_matches("/2018-06-01/runtime/").split('/');
    let (what, id, how) = (parts.next(), parts.next(), parts.next());
    let response = match (what, id, how) {
        (Some("invocation"), Some("next"), None) => next(&api).await,
        (Some("invocation"), Some(id), Some(how)) => {
            let (id, failed) = (id.to_owned(), how == "error");
            let body = request
                .into_body()
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes);
            let waiting = lock(&api.running).remove(&id);
            let answer = body.unwrap_or_default();
            if let Some(waiting) = waiting {
                let _ = waiting.send(if failed { Err(answer) } else { Ok(answer) });
            }
            accepted()
        }
        _ => accepted(),
    };
    Ok(response)
}

async fn next(api: &RuntimeApi) -> Response<Full<Bytes>> {
    lock(&api.first_asked).get_or_insert_with(Instant::now);
    let Some(invocation) = api.waiting.lock().await.recv().await else {
        return std::future::pending().await;
    };
    let id = api.count.fetch_add(1, Ordering::Relaxed).to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    lock(&api.running).insert(id.clone(), invocation.answer);
    let response = Response::builder()
        .header("lambda-runtime-aws-request-id", id)
        .header(
            "lambda-runtime-deadline-ms",
            (now + Duration::from_secs(40)).as_millis().to_string(),
        )
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench",
        )
        .header("content-type", "application/json");
    response.body(Full::new(invocation.event)).unwrap_or_default()
}

fn accepted() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
