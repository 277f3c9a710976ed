//! What webhooks are about, as values: no AWS, no HTTP client, no clock, no environment.

pub mod address;
pub mod annotations;
pub mod credential;
pub mod cursor;
pub mod delivery;
pub mod durations;
pub mod endpoint;
pub mod erasure;
pub mod event;
pub mod event_type;
pub mod failure_record;
pub mod fan_out;
pub mod freshness;
pub mod health;
pub mod id;
pub mod lane;
pub mod link;
pub mod manual_retry;
pub mod operational;
pub mod plan;
pub mod recovery;
pub mod response_headers;
pub mod retry_after;
pub mod schedule;
pub mod secret;
pub mod slots;
pub mod statistics;
pub mod target;
pub mod task;
pub mod time;
pub mod token;
pub mod wait;

#[cfg(test)]
pub(crate) mod testing;
