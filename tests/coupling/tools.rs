//! The tools of those who deploy are the ones that the tests use.

use tests::{commands, repository};

#[test]
fn the_readme_and_the_page_install_the_same_pinned_tools() {
    let lines = commands::beginning_with("README.md", "python3 -m venv");

    assert_eq!(
        lines,
        commands::beginning_with("docs/deploying.md", "python3 -m venv")
    );
    assert_eq!(
        lines[1],
        "pip install --no-deps --requirement local/requirements/deploy.txt"
    );
    let pins = repository::read("local/requirements/deploy.txt");
    assert!(
        pins.contains("\n-r sam.txt\n") && pins.contains("\nziglang=="),
        "{pins}"
    );
    let pins = repository::read("local/requirements/sam.txt");
    for tool in ["aws-sam-cli==", "cargo-lambda=="] {
        assert!(pins.contains(tool), "{tool}");
    }
    assert!(
        !pins.contains("ziglang"),
        "it is larger than all others, and needed by none of them"
    );
}

#[test]
fn the_rust_of_those_who_deploy_is_the_oldest_that_the_workspace_takes() {
    let manifest = repository::read("Cargo.toml");
    let least = manifest
        .split("rust-version = \"")
        .nth(1)
        .expect("a rust-version");
    let least = least.split('"').next().unwrap_or_default();
    let lines = commands::beginning_with("README.md", "python3 -m venv");

    let install = format!("rustup toolchain install {least}.0 --target aarch64-unknown-linux-gnu");

    assert_eq!(
        lines[2],
        format!("{install} && export RUSTUP_TOOLCHAIN={least}.0")
    );
}
