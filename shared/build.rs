//! Compiles the event types in: `event-types/` becomes two constants of `domain::event_type`. A wrong file fails the build
//! with a sentence that names it.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "this runs when the package is built; Cargo tells a build script by the environment where it may write"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/domain/event_type/files.rs"]
mod files;
#[path = "src/domain/event_type/rule.rs"]
mod rule;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(files::FOLDER);
    // Cargo looks at all that is in the folder, and so sees files come and go.
    println!("cargo::rerun-if-changed={}", folder.display());
    for source in ["files", "rule"] {
        println!("cargo::rerun-if-changed=src/domain/event_type/{source}.rs");
    }
    match files::source_of(&folder) {
        Ok(source) => {
            let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo names a folder"));
            fs::write(out.join("event_types.rs"), source).expect("Cargo's folder can be written to");
        }
        Err(mistakes) => {
            for mistake in mistakes {
                println!("cargo::error={mistake}");
            }
        }
    }
}
