//! Where things are in this repository. The local stack only ever runs from a checkout.

use std::path::{Path, PathBuf};

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// What this crate keeps between runs.
pub(crate) fn kept() -> PathBuf {
    root().join("target/local")
}

/// A file of this crate that is not Rust.
pub(crate) fn resource(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
