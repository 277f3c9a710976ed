//! What a run by hand may change: the sizes and seeds of the long tests.

use std::fmt::Debug;
use std::str::FromStr;

/// The environment variable `FAULTS_<NAME>`, or what the test command takes.
pub(crate) fn setting<T: FromStr<Err: Debug>>(name: &str, usual: T) -> T {
    match std::env::var(format!("FAULTS_{name}")) {
        Ok(text) => text.parse().expect("a setting of the right form"),
        Err(_) => usual,
    }
}
