//! Compiles the dashboard in: each file of `dashboard/` that a browser asks for, as it is and compressed, because an HTTP
//! API does not compress. One hash over all of them is in their addresses, so they may be kept for good. Also strips what is
//! built for the local stack.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "this runs when the package is built; Cargo tells a build script by the environment where it may write"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Where the page names its files; the hash takes its place.
const PLACEHOLDER: &str = "assets/";

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard");
    // Cargo looks at all that is in the folder, and so sees files come and go.
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    // The local stack unpacks the binary for each function, and two thirds of it are symbols. What is optimized is stripped by
    // its profile.
    if env::var("PROFILE").as_deref() == Ok("debug") {
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo names a folder"));
    let files = files(&folder);
    let hash = hash(&files);
    let mut source = format!("pub(super) const HASH: &str = {hash:?};\nstatic FILES: &[File] = &[\n");
    for (number, (name, content)) in files.iter().enumerate() {
        let content = if name == "index.html" {
            let page = String::from_utf8(content.clone()).expect("the page is UTF-8");
            page.replace(PLACEHOLDER, &format!("{hash}/")).into_bytes()
        } else {
            content.clone()
        };
        fs::write(out.join(format!("{number}.plain")), &content).expect("Cargo's folder can be written to");
        fs::write(out.join(format!("{number}.gz")), compressed(&content))
            .expect("Cargo's folder can be written to");
        writeln!(
            source,
            "    File {{ name: {name:?}, plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.plain\")), \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.gz\")) }},"
        )
        .expect("a string can be written to");
    }
    source.push_str("];\n");
    fs::write(out.join("dashboard.rs"), source).expect("Cargo's folder can be written to");
}

/// What a browser may ask for, by name: the page, its sheet, and scripts.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder of the dashboard can be read") {
            let path = entry.expect("the folder of the dashboard can be read").path();
            let is_served = path
                .extension()
                .is_some_and(|extension| ["html", "css", "js"].iter().any(|served| extension == *served));
            if path.is_dir() {
                folders.push(path);
            } else if is_served {
                let name = path.strip_prefix(folder).expect("it is in the folder");
                let name = name.to_str().expect("names are ASCII").replace('\\', "/");
                found.push((
                    name,
                    fs::read(&path).expect("a file of the dashboard can be read"),
                ));
            }
        }
    }
    found.sort();
    found
}

fn hash(files: &[(String, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(format!("{name}\n{}\n", content.len()));
        hash.update(content);
    }
    hash.finalize()[..8]
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}
