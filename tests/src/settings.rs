//! What a run by hand may change: the sizes and seeds of the long tests.

use std::fmt::Debug;
use std::str::FromStr;

/// The environment variable of this name, or what the test command takes.
pub fn setting<T: FromStr<Err: Debug>>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a setting of the right form"),
        Err(_) => usual,
    }
}
