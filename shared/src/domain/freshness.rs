//! How a change of an endpoint takes effect at once, although attempts are made from what was read before.
//!
//! An attempt begins only while the endpoint it is made from was read less than [`FRESH_FOR`] ago. So a request that
//! deletes an endpoint, disables it or rotates its secret waits [`SETTLED_AFTER`] between its write and its answer:
//! by then every attempt that did not see the write has begun. Only durations are compared, never clocks of two machines.

use std::time::Duration;

/// For how long an endpoint that was read may be used to begin an attempt.
pub const FRESH_FOR: Duration = Duration::from_secs(1);

/// For how long a change that must hold at its answer is waited for.
pub const SETTLED_AFTER: Duration = Duration::from_millis(1500);

/// How often an endpoint is read again for an attempt, because what was read is not fresh any more when it could begin.
/// Where reading takes so long, the message fails.
pub const MAX_REREADS: u32 = 2;
