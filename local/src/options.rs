//! What can be chosen about a stack.

use std::path::PathBuf;

use crate::progress::Progress;

/// How a stack differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Template parameters, as `(name, value)`; the last of a name counts.
    pub parameters: Vec<(String, String)>,
    /// Where the stack keeps its log and describes itself; one stack at a time.
    pub state_dir: Option<PathBuf>,
    /// The emulator's port; a free one otherwise.
    pub port: Option<u16>,
    /// The AWS endpoint that functions are given; the emulator itself otherwise.
    pub function_endpoint: Option<String>,
    /// What to tell about long steps.
    pub progress: Progress,
}

impl Options {
    /// The template's parameters, with what suits a stack on this machine unless told otherwise.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = vec![
            ("Architecture".to_owned(), architecture().to_owned()),
            ("AllowInsecureTargets".to_owned(), "true".to_owned()),
        ];
        for (name, value) in &self.parameters {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name.clone(), value.clone()));
        }
        parameters
    }
}

/// This machine's architecture, as Lambda calls it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_parameter_replaces_the_local_default() {
        let given = ("AllowInsecureTargets".to_owned(), "false".to_owned());
        let options = Options {
            parameters: vec![given.clone()],
            ..Options::default()
        };

        let parameters = options.parameters();

        assert_eq!(
            parameters
                .iter()
                .filter(|(name, _)| *name == given.0)
                .collect::<Vec<_>>(),
            [&given]
        );
        assert!(parameters.contains(&("Architecture".to_owned(), architecture().to_owned())));
    }
}
