//! The options of a stack.

use std::path::PathBuf;

use crate::progress::Progress;

/// The stack's name, the same as in `samconfig.toml`.
const STACK_NAME: &str = "serverless-webhooks";

/// How a stack differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The stack's name, if it is to have another one than in `samconfig.toml`.
    pub stack_name: Option<String>,
    /// Template parameters, as `(name, value)`; if a name is there twice, its last value counts.
    pub parameters: Vec<(String, String)>,
    /// The folder for logs and `local-stack.json`, used by one stack at a time; the usual one otherwise.
    pub state_dir: Option<PathBuf>,
    /// The emulator's port; a free one otherwise.
    pub port: Option<u16>,
    /// The AWS endpoint that the functions use; the emulator itself otherwise.
    pub function_endpoint: Option<String>,
    /// Whether the functions are optimized, as they are for a deployment; building them takes much longer.
    pub optimized: bool,
    /// Whether to report long steps.
    pub progress: Progress,
}

impl Options {
    /// The stack's name.
    pub(crate) fn stack_name(&self) -> &str {
        self.stack_name.as_deref().unwrap_or(STACK_NAME)
    }

    /// The template parameters to deploy with: those given, and defaults that suit this machine.
    fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = vec![
            ("Architecture".to_owned(), architecture().to_owned()),
            ("AllowInsecureTargets".to_owned(), "true".to_owned()),
            ("TableDeletionProtection".to_owned(), "false".to_owned()),
        ];
        for (name, value) in &self.parameters {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name.clone(), value.clone()));
        }
        parameters
    }

    /// The same as `name=value`, the form in which SAM takes them.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = String> {
        self.parameters()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
    }
}

/// This machine's architecture, by Lambda's name for it.
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
