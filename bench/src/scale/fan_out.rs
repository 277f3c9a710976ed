//! What an invocation of `fan-out` does: it stores events, reads the endpoints of their workspaces, and queues tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::limits::{Source, Table};
use super::simulation::{Simulation, Step};
use super::stack::{EVENT_UNITS, Stack, endpoints_units};
use super::tables::Access;

impl Simulation<'_> {
    /// Stores the events of a batch and reads the endpoints of their workspaces.
    pub(super) fn store(&mut self, invocation: usize) {
        let deliveries = self.invocations[invocation].deliveries.clone();
        let mut workspaces = BTreeSet::new();
        let mut wait = Duration::ZERO;
        for delivery in &deliveries {
            let workspace = self.endpoints[self.deliveries[*delivery].endpoint].workspace;
            workspaces.insert(workspace);
            wait = wait.max(self.take(Access::Write, Table::Events, workspace, EVENT_UNITS));
        }
        let units = endpoints_units(self.burst.endpoints_each());
        for workspace in workspaces {
            wait = wait.max(self.take(Access::Read, Table::Endpoints, workspace, units));
        }
        let calls = Stack::writing(deliveries.len()) + Stack::calls(1);
        let processing = self.stack.processing(deliveries.len());
        self.goes_on(invocation, calls + processing + wait, Step::Send);
    }

    /// Queues the tasks: those for endpoints in trouble wait with the retries. Up to 16 calls of ten are made at once.
    pub(super) fn send_tasks(&mut self, invocation: usize) {
        let deliveries = self.invocations[invocation].deliveries.clone();
        let in_trouble = |delivery: &usize| self.endpoints[self.deliveries[*delivery].endpoint].is_in_trouble;
        let (retries, first) = deliveries.into_iter().partition(in_trouble);
        let call = Stack::calls(1);
        self.send(Source::Deliveries, call, first);
        self.send(Source::Retries, call, retries);
        self.goes_on(invocation, call, Step::End);
    }
}
