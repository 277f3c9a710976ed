//! How much is measured. Published figures are measured with the defaults; less is enough for a quick look.

use clap::Args;
use serde::Serialize;

/// How much is measured.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub(crate) struct Sizes {
    /// Events in a round; slow rounds send only a part of them.
    #[arg(long, default_value_t = 5000)]
    pub(crate) events: usize,
    /// Rounds of `deliver` and of the bare client, in turn.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Batches of which calls, cost and instructions are counted; the processor's time is sampled during ten times as many.
    #[arg(long, default_value_t = 40)]
    pub(crate) batches: usize,
    /// Starts of each function.
    #[arg(long, default_value_t = 20)]
    pub(crate) starts: usize,
    /// Deliveries in the longest history.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) history: usize,
}
