//! What an invocation of `retry` does: it decides what follows failed attempts, records that, and puts the next ones on
//! their way.

use std::time::Duration;

use shared::aws::CALL_TIMEOUT;
use shared::domain::id::DeliveryId;
use shared::domain::time::ceil_second;
use shared::domain::wait::{self, Wait};

use super::limits::{Limit, Source, Table};
use super::simulation::{Simulation, Step};
use super::stack::{Stack, record_units};
use super::tables::Access;

/// Entries of the index that change when a delivery fails for good: what was pending goes, what failed comes.
const ENTRIES_OF_AN_END: usize = 2;

impl Simulation<'_> {
    /// Reads the endpoints and the records of a batch.
    pub(super) fn read_failed(&mut self, invocation: usize) {
        let deliveries = self.invocations[invocation].deliveries.clone();
        let mut wait = Duration::ZERO;
        for delivery in &deliveries {
            let endpoint = self.deliveries[*delivery].endpoint;
            let workspace = self.endpoints[endpoint].workspace;
            wait = wait.max(self.take(Access::Read, Table::Deliveries, endpoint, 1));
            wait = wait.max(self.take(Access::Read, Table::Endpoints, workspace, 1));
        }
        let reading = Stack::reading(deliveries.len() * 2);
        self.goes_on(invocation, reading + wait, Step::Decide);
    }

    /// Decides what follows, and records it.
    pub(super) fn decide(&mut self, invocation: usize) {
        let deliveries = self.invocations[invocation].deliveries.clone();
        let now = self.timestamp();
        let (mut wait, mut followed) = (Duration::ZERO, Vec::new());
        for delivery in &deliveries {
            let known = self.deliveries[*delivery];
            let failed = usize::try_from(known.attempt).unwrap_or(usize::MAX);
            let units = record_units(failed);
            wait = wait.max(self.take(Access::Write, Table::Deliveries, known.endpoint, units));
            let next = self
                .stack
                .schedule
                .next_attempt_at(&id(*delivery), known.attempt, now, None);
            if let Some(due) = next {
                let followed_by = &mut self.deliveries[*delivery];
                (followed_by.due, followed_by.attempt) = (due, known.attempt + 1);
                followed.push(*delivery);
                continue;
            }
            let entries = ENTRIES_OF_AN_END;
            wait = wait.max(self.take(Access::Write, Table::Undelivered, known.endpoint, entries));
            self.ended();
        }
        let writing = Stack::writing(deliveries.len()) + self.stack.processing(deliveries.len());
        self.goes_on(invocation, writing + wait, Step::PutOnTheirWay(followed));
    }

    /// Puts the next attempts on their way: by the delay of the queue, by a schedule, or in hops.
    pub(super) fn put_on_their_way(&mut self, invocation: usize, deliveries: Vec<usize>) {
        let now = self.timestamp();
        let mut longest = Duration::ZERO;
        for delivery in deliveries {
            let due = self.deliveries[delivery].due;
            let seconds = match Wait::until(due, now, self.stack.scheduler_threshold) {
                Wait::Delay(seconds) => seconds,
                Wait::Schedule => {
                    let (is_made, took) = self.schedule();
                    longest = longest.max(took);
                    if is_made {
                        let after = ceil_second(due).duration_since(now);
                        self.fire(delivery, Duration::try_from(after).unwrap_or_default());
                        continue;
                    }
                    wait::delay_seconds(due, now)
                }
            };
            self.send(
                Source::Retries,
                Duration::from_secs(seconds.into()),
                vec![delivery],
            );
        }
        self.goes_on(invocation, Stack::calls(1) + longest, Step::End);
    }

    /// Makes a schedule, and says whether it is made and how long that took. The scheduler refuses if it has too many, or if
    /// the call is throttled for as long as it is tried.
    fn schedule(&mut self) -> (bool, Duration) {
        let now = self.now;
        if self.schedules >= self.quotas.schedules {
            self.meters.waits(Limit::Schedules, now, now + Stack::calls(1));
            return (false, Stack::calls(1));
        }
        let wait = self.created.wait(now, 1.0);
        let took = wait.min(CALL_TIMEOUT);
        self.meters.waits(Limit::SchedulesCreated, now, now + took);
        if wait > CALL_TIMEOUT {
            return (false, took);
        }
        (true, self.created.take(now, 1.0))
    }
}

/// An id for a delivery, of which its jitter is a function.
#[expect(clippy::expect_used, reason = "digits are a valid id")]
fn id(delivery: usize) -> DeliveryId {
    format!("del_{delivery:026}")
        .parse()
        .expect("digits are a valid id")
}
