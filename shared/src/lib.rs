//! The library of serverless-webhooks: the domain, and the adapters to AWS and to the endpoints.
//!
//! Nothing in here knows Lambda. `domain` is pure: no AWS, no HTTP client, no clock, no environment.

pub mod aws;
pub mod backoff;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
#[cfg(test)]
mod golden;
pub mod http;
pub mod queues;
pub mod schedules;
pub mod secrets;
pub mod sender;
pub mod store;

pub use error::{Conflict, Error};
