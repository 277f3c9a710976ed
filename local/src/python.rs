//! Finds a Python that is new enough to run the supervisor and to make the virtual environments.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

const CANDIDATES: [&str; 6] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];
const PROBE: &str =
    "import sys, venv, ensurepip; print(sys.executable); sys.exit(sys.version_info < (3, 10))";

/// The path of a Python of at least 3.10 that can make virtual environments.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("PYTHON") {
        if let Some(path) = probe(Path::new(&named)) {
            return Ok(path);
        }
        bail!(
            "PYTHON is {}, which is not Python 3.10 or later with venv",
            named.display()
        );
    }
    match CANDIDATES.iter().find_map(|name| probe(Path::new(name))) {
        Some(path) => Ok(path),
        None => bail!(
            "found no Python 3.10 or later with venv\n\
             install one (on Debian and Ubuntu: apt install python3 python3-venv), \
             or name one: PYTHON=/path/to/python3 cargo local"
        ),
    }
}

/// Running it is the only proof: a name on the path may be a shim with no Python behind it.
fn probe(program: &Path) -> Option<PathBuf> {
    let output = Command::new(program).args(["-c", PROBE]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}
