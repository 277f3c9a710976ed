//! Ids for the data of the demo and the tests.

use std::time::SystemTime;

use ulid::Ulid;

/// A new id with the given prefix, such as `ws_`.
///
/// # Panics
/// If the operating system has no random numbers.
#[expect(clippy::expect_used, reason = "nothing here works without random numbers")]
#[must_use]
pub fn new_id(prefix: &str) -> String {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the operating system has random numbers");
    let milliseconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let ulid = Ulid::from_parts(
        u64::try_from(milliseconds).unwrap_or_default(),
        u128::from_le_bytes(random),
    );
    format!("{prefix}{ulid}")
}
