//! What AWS would bill: calls by service and action, and units by the rules of each service.

use std::collections::BTreeMap;

use serde::Serialize;

/// SQS bills a call as one request for each 64 KB that it carries.
const QUEUE_REQUEST_BYTES: usize = 64 * 1024;

/// What some work used.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Bill {
    /// Calls by service and action.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Requests that SQS bills.
    pub(crate) queue_requests: u64,
    /// Write request units of DynamoDB.
    pub(crate) write_units: f64,
    /// Read request units of DynamoDB.
    pub(crate) read_units: f64,
    /// Bytes of new items.
    pub(crate) stored_bytes: u64,
    /// New items, including entries of indexes.
    pub(crate) stored_items: u64,
}

impl Bill {
    /// One call.
    pub(crate) fn call(&mut self, service: &str, action: &str) {
        *self.calls.entry(format!("{service} {action}")).or_default() += 1;
    }

    /// One call to SQS that carries this many bytes.
    pub(crate) fn queue_call(&mut self, action: &str, bytes: usize) {
        self.call("SQS", action);
        self.queue_requests += bytes.div_ceil(QUEUE_REQUEST_BYTES).max(1) as u64;
    }

    /// Adds another bill to this one.
    pub(crate) fn add(&mut self, other: Self) {
        for (name, count) in other.calls {
            *self.calls.entry(name).or_default() += count;
        }
        self.queue_requests += other.queue_requests;
        self.write_units += other.write_units;
        self.read_units += other.read_units;
        self.stored_bytes += other.stored_bytes;
        self.stored_items += other.stored_items;
    }

    /// Calls of all services, or of those whose name begins so.
    pub(crate) fn calls_of(&self, prefix: &str) -> u64 {
        self.calls
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, count)| count)
            .sum()
    }
}
