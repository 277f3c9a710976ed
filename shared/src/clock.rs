//! Where time and randomness come from: both are passed on as values, so that the domain has neither.

use jiff::Timestamp;

/// The machine's clock, asked at the boundary only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The present.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine's clock"
    )]
    pub fn now(self) -> Timestamp {
        Timestamp::now()
    }
}

/// Bytes from the operating system's random source.
///
/// # Panics
/// If the operating system has no random source, in which case no secret may be made.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "Linux's getrandom can't fail once the system has booted"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a random source");
    bytes
}

/// Random bytes as a number, for ids.
#[must_use]
pub fn random_number() -> u128 {
    u128::from_be_bytes(random())
}

/// 32 random hexadecimal digits: the version of a secret, or the name of a manual retry.
#[must_use]
pub fn random_token() -> String {
    format!("{:032x}", random_number())
}
