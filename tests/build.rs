//! Takes the Rust snippet out of `docs/receivers.md`, so that a test compiles and runs what stands on the page.

use std::path::Path;
use std::{env, fs};

const PAGE: &str = "../docs/receivers.md";

#[expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "this is how a build script reads its environment and fails"
)]
fn main() {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE).expect("the page for receivers");
    let snippet = page.split("```rust verify\n").nth(1).expect("a Rust snippet");
    let snippet = snippet.split("```").next().unwrap_or_default();
    let folder = env::var("OUT_DIR").expect("cargo names the folder");
    fs::write(Path::new(&folder).join("verify.rs"), snippet).expect("the snippet is written");
}
