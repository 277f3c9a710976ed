//! What is to go wrong, with which calls, and for how long.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Call, lock};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It arrives late.
    Delay(Duration),
    /// It does not arrive; the answer is a 500.
    FailBefore,
    /// It takes effect; the answer is a 500.
    FailAfter,
    /// It does not arrive, and the connection breaks.
    DropBefore,
    /// It takes effect, and the connection breaks.
    DropAfter,
    /// It does not arrive, and no answer ever comes.
    HangBefore,
    /// It takes effect, and no answer ever comes.
    HangAfter,
    /// The service has no room for what the call would create.
    RefuseForQuota,
    /// The service asks for time, in its own words.
    Throttle,
    /// The call succeeds for none of the items of its batch. Calls without batches are throttled.
    RefuseItems,
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lasting {
    Calls(usize),
    Time(Duration),
}

/// A fault to inject.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    call: String,
    keys: Vec<String>,
    skipped: usize,
    lasting: Lasting,
    effect: Effect,
}

impl Fault {
    /// Lets the first call of this name whose request holds one of `keys` go wrong.
    pub(crate) fn once(call: &str, keys: &[String], effect: Effect) -> Self {
        Self {
            call: call.to_owned(),
            keys: keys.to_vec(),
            skipped: 0,
            lasting: Lasting::Calls(1),
            effect,
        }
    }

    /// So many calls go well first.
    pub(crate) fn after(self, skipped: usize) -> Self {
        Self { skipped, ..self }
    }

    /// So many calls go wrong.
    pub(crate) fn times(self, calls: usize) -> Self {
        Self {
            lasting: Lasting::Calls(calls),
            ..self
        }
    }

    /// All calls go wrong for a time that begins with the first.
    pub(crate) fn during(self, time: Duration) -> Self {
        Self {
            lasting: Lasting::Time(time),
            ..self
        }
    }
}

/// A fault at work.
pub(super) struct Rule {
    fault: Fault,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    seen: usize,
    hits: usize,
    first: Option<Instant>,
}

impl Rule {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            fault,
            progress: Mutex::default(),
        }
    }

    pub(super) fn hits(&self) -> usize {
        lock(&self.progress).hits
    }

    pub(super) fn effect_on(&self, call: &Call) -> Option<Effect> {
        let concerned =
            call.name == self.fault.call && (call.is_keyless() || call.holds_any(&self.fault.keys));
        if !concerned {
            return None;
        }
        let mut progress = lock(&self.progress);
        progress.seen += 1;
        let started = *progress.first.get_or_insert_with(Instant::now);
        if progress.seen <= self.fault.skipped {
            progress.first = None;
            return None;
        }
        let goes_on = match self.fault.lasting {
            Lasting::Calls(calls) => progress.hits < calls,
            Lasting::Time(time) => started.elapsed() < time,
        };
        goes_on.then(|| {
            progress.hits += 1;
            self.fault.effect
        })
    }
}
