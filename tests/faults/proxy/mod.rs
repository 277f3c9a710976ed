//! A proxy between the functions and AWS that fails on demand, and remembers who was called.
//!
//! A fault concerns one call, such as `SendMessageBatch RetriesQueue`, and only requests that hold one of its keys:
//! the ids of a workspace and its endpoint, usually, so that stories do not meet each other's faults.

mod answer;
mod call;
mod fault;
mod limit;
mod serve;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use call::Call;
pub(crate) use fault::{Effect, Fault};
pub(crate) use limit::limit_writes;

use fault::Rule;
use limit::Limit;

static PROXY: OnceLock<Proxy> = OnceLock::new();

struct Proxy {
    upstream: String,
    client: reqwest::Client,
    rules: Mutex<Vec<Arc<Rule>>>,
    recordings: Mutex<Vec<Arc<Recorded>>>,
    limits: Mutex<Vec<Arc<Limit>>>,
}

struct Recorded {
    keys: Vec<String>,
    calls: Mutex<Vec<Call>>,
}

/// A fault that is there until this is dropped.
pub(crate) struct Injected(Arc<Rule>);

/// The calls that hold one of some keys, from its creation until it is dropped.
pub(crate) struct Recording(Arc<Recorded>);

/// Starts the proxy of this suite, once, and returns its url. It ends with the process.
pub(crate) fn start(upstream: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(256);
    let proxy = Proxy {
        upstream: upstream.to_owned(),
        client: client.build().expect("an HTTP client"),
        rules: Mutex::default(),
        recordings: Mutex::default(),
        limits: Mutex::default(),
    };
    assert!(PROXY.set(proxy).is_ok(), "one proxy for the suite");
    serve::on_a_thread()
}

/// Lets a call fail.
pub(crate) fn inject(fault: Fault) -> Injected {
    let rule = Arc::new(Rule::new(fault));
    lock(&proxy().rules).push(Arc::clone(&rule));
    Injected(rule)
}

/// Records the calls whose requests hold one of `keys`.
pub(crate) fn record(keys: &[String]) -> Recording {
    let recorded = Arc::new(Recorded {
        keys: keys.to_vec(),
        calls: Mutex::default(),
    });
    lock(&proxy().recordings).push(Arc::clone(&recorded));
    Recording(recorded)
}

impl Injected {
    /// How many calls it has made fail.
    pub(crate) fn hits(&self) -> usize {
        self.0.hits()
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        lock(&proxy().rules).retain(|rule| !Arc::ptr_eq(rule, &self.0));
    }
}

impl Recording {
    /// The calls so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.0.calls).clone()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        lock(&proxy().recordings).retain(|recorded| !Arc::ptr_eq(recorded, &self.0));
    }
}

fn proxy() -> &'static Proxy {
    PROXY.get().expect("the stack is started first")
}

/// Writes a call down and says what is to go wrong with it.
fn effect_on(call: &Call) -> Option<Effect> {
    for recorded in lock(&proxy().recordings).iter() {
        if call.holds_any(&recorded.keys) {
            lock(&recorded.calls).push(call.clone());
        }
    }
    lock(&proxy().rules).iter().find_map(|rule| rule.effect_on(call))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
