//! Takes the Rust snippets out of the pages of the documents, so that tests compile and run what stands there.

use std::path::Path;
use std::{env, fs};

/// Each page, what its snippet is called there, and the file that it is written to.
const SNIPPETS: [(&str, &str, &str); 2] = [
    ("../docs/receivers.md", "verify", "verify.rs"),
    ("../docs/producers.md", "send", "send.rs"),
];

#[expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "this is how a build script reads its environment and fails"
)]
fn main() {
    let folder = env::var("OUT_DIR").expect("cargo names the folder");
    for (page, name, file) in SNIPPETS {
        println!("cargo::rerun-if-changed={page}");
        let text = fs::read_to_string(page).expect("the page");
        let snippet = text
            .split(&format!("```rust {name}\n"))
            .nth(1)
            .expect("a Rust snippet");
        let snippet = snippet.split("```").next().unwrap_or_default();
        fs::write(Path::new(&folder).join(file), snippet).expect("the snippet is written");
    }
}
