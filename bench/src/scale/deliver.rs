//! What an invocation of `deliver` does: it reads what it needs, makes the attempts, and records what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::domain::lane::SLOW_AFTER;
use shared::domain::slots::slots;
use shared::domain::wait;

use super::burst::Receiver;
use super::limits::{Limit, Source, Table};
use super::simulation::{Simulation, Step};
use super::stack::{ANSWER, Stack, record_units};
use super::tables::Access;

/// The attempts of a batch, by when they end.
#[derive(Default)]
struct Attempts {
    /// They are answered, the last of them after so long.
    answered: Vec<usize>,
    answered_after: Duration,
    /// They are cut off at the deadline, in one round or a second one.
    cut_off: [Vec<usize>; 2],
    /// They had to wait, and go to the retries when the first round is cut off.
    deferred: Vec<usize>,
}

impl Simulation<'_> {
    /// Reads the endpoints and the records of a batch.
    pub(super) fn read(&mut self, invocation: usize) {
        let deliveries = self.invocations[invocation].deliveries.clone();
        let mut endpoints = BTreeSet::new();
        let mut wait = Duration::ZERO;
        for delivery in &deliveries {
            let endpoint = self.deliveries[*delivery].endpoint;
            wait = wait.max(self.take(Access::Read, Table::Deliveries, endpoint, 1));
            if endpoints.insert(endpoint) {
                let workspace = self.endpoints[endpoint].workspace;
                wait = wait.max(self.take(Access::Read, Table::Endpoints, workspace, 1));
            }
        }
        let reading = Stack::reading(deliveries.len() + endpoints.len());
        self.goes_on(invocation, reading + wait, Step::Post);
    }

    /// Makes the attempts of a batch, but for those that are better made later.
    pub(super) fn post(&mut self, invocation: usize) {
        let source = self.invocations[invocation].source;
        let deliveries = self.invocations[invocation].deliveries.clone();
        let now = self.timestamp();
        let mut moved = Vec::new();
        let mut by_endpoint: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut parts = 0;
        for delivery in &deliveries {
            let known = self.deliveries[*delivery];
            if wait::is_early(known.due, now) {
                let seconds = wait::delay_seconds(known.due, now);
                self.outcome.hops += 1;
                self.send(
                    Source::Retries,
                    Duration::from_secs(seconds.into()),
                    vec![*delivery],
                );
            } else if source == Source::Deliveries && self.endpoints[known.endpoint].is_in_trouble {
                moved.push(*delivery);
            } else {
                by_endpoint.entry(known.endpoint).or_default().push(*delivery);
            }
        }
        self.send(Source::Retries, Stack::calls(1), moved);
        let begin = self.secrets(invocation, by_endpoint.keys().copied().collect());
        let attempts = self.attempts(source, deliveries.len(), by_endpoint, begin);
        let deadline = self.stack.post_deadline;
        let processing = self.stack.processing(attempts.answered.len());
        let [first, second] = attempts.cut_off;
        for (ended, after) in [
            (attempts.answered, begin + attempts.answered_after + processing),
            (first, begin + deadline),
            (second, begin + deadline * 2),
        ] {
            if !ended.is_empty() {
                parts += 1;
                self.goes_on(invocation, after, Step::Record(ended));
            }
        }
        self.send(Source::Retries, begin + deadline, attempts.deferred);
        self.invocations[invocation].open = parts.max(1);
        if parts == 0 {
            self.goes_on(invocation, Stack::calls(1), Step::End);
        }
    }

    /// Fetches the secrets that the process does not have, all at once, and says how long that takes.
    fn secrets(&mut self, invocation: usize, endpoints: Vec<usize>) -> Duration {
        let process = self.invocations[invocation].process;
        let mut longest = Duration::ZERO;
        for endpoint in endpoints {
            if !std::mem::replace(&mut self.known[process][endpoint], true) {
                let wait = self.secrets.take(self.now, 1.0);
                self.meters.waits(Limit::Secrets, self.now, self.now + wait);
                longest = longest.max(Stack::calls(1) + wait);
            }
        }
        longest
    }

    /// When each attempt of a batch ends.
    fn attempts(
        &mut self,
        source: Source,
        messages: usize,
        by_endpoint: BTreeMap<usize, Vec<usize>>,
        begin: Duration,
    ) -> Attempts {
        let mut attempts = Attempts::default();
        for (endpoint, deliveries) in by_endpoint {
            let slots = slots(self.endpoints[endpoint].receiver != Receiver::Healthy, messages);
            if self.endpoints[endpoint].receiver != Receiver::Hanging {
                let rounds = deliveries.len().div_ceil(slots);
                let answers = ANSWER * u32::try_from(rounds).unwrap_or(u32::MAX);
                attempts.answered_after = attempts.answered_after.max(answers);
                attempts.answered.extend(deliveries);
                continue;
            }
            self.note(endpoint, begin + SLOW_AFTER);
            let (first, others) = deliveries.split_at(slots.min(deliveries.len()));
            attempts.cut_off[0].extend(first);
            match source {
                Source::Deliveries => attempts.deferred.extend(others),
                _ => attempts.cut_off[1].extend(others),
            }
        }
        attempts
    }

    /// Records what came of attempts.
    pub(super) fn record(&mut self, invocation: usize, deliveries: Vec<usize>) {
        let mut wait = Duration::ZERO;
        for delivery in &deliveries {
            let known = self.deliveries[*delivery];
            let succeeded = self.endpoints[known.endpoint].receiver == Receiver::Healthy;
            let failed = usize::try_from(known.attempt).unwrap_or(usize::MAX) - usize::from(succeeded);
            let units = record_units(failed);
            wait = wait.max(self.take(Access::Write, Table::Deliveries, known.endpoint, units));
            if succeeded {
                self.delivered();
            } else if known.attempt == 1 {
                wait = wait.max(self.take(Access::Write, Table::Undelivered, known.endpoint, 1));
                self.outcome.last_first_failure = self.now;
            }
        }
        let writing = Stack::writing(deliveries.len());
        self.goes_on(invocation, writing + wait, Step::Recorded(deliveries));
    }

    /// Hands over what failed.
    pub(super) fn recorded(&mut self, invocation: usize, deliveries: Vec<usize>) {
        let failed = |delivery: &usize| {
            let endpoint = self.deliveries[*delivery].endpoint;
            self.endpoints[endpoint].receiver != Receiver::Healthy
        };
        let failed: Vec<_> = deliveries.into_iter().filter(failed).collect();
        if failed.is_empty() {
            return self.goes_on(invocation, Duration::ZERO, Step::End);
        }
        for delivery in &failed {
            let endpoint = self.deliveries[*delivery].endpoint;
            self.endpoints[endpoint].is_in_trouble = true;
        }
        self.send(Source::FailedAttempts, Stack::calls(1), failed);
        self.goes_on(invocation, Stack::calls(1), Step::End);
    }
}
