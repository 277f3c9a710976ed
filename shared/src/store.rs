//! The tables. Each file holds the queries of one table, with its item struct, which nobody else sees.

mod attribute;
mod batch_read;
mod deliveries;
mod delivery_item;
mod endpoint_item;
mod endpoints;
mod events;
mod history;
mod partiql;
mod spans;
mod tokens;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};

pub use batch_read::{BatchKeys, BatchRows};
pub use deliveries::{DeliveryWrite, Expected, Written};
pub use endpoints::EndpointChange;
pub use events::{Insertion, NewEvent, StoredEvent};
pub use history::{HistoryFilter, HistoryPage};

use crate::config::{Config, Tables};

/// The tables of the deployment.
#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    retention: SignedDuration,
    /// So long after an invocation announced a late delivery, it has recorded it or never will.
    settled_after: SignedDuration,
}

/// More than clocks differ.
const CLOCK_MARGIN: Duration = Duration::from_secs(30);

impl Store {
    /// The tables that the configuration names.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            client: Client::new(aws),
            tables: config.tables.clone(),
            retention: config.retention,
            settled_after: SignedDuration::try_from(config.longest_recording() + CLOCK_MARGIN)
                .unwrap_or(SignedDuration::MAX),
        }
    }

    /// When something that was accepted at this time is no longer kept, in seconds since 1970 as DynamoDB's TTL takes it.
    fn expiry(&self, accepted_at: Timestamp) -> i64 {
        accepted_at
            .saturating_add(self.retention)
            .unwrap_or(Timestamp::MAX)
            .as_second()
    }
}
