//! The arguments of `cargo local`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use local::{Options, TokenRequest};

/// The template parameter that allows plain HTTP and private addresses as targets.
const INSECURE_TARGETS: &str = "AllowInsecureTargets";
/// Where `receive` listens unless told otherwise, and where the endpoint of the printed guide is.
pub(crate) const RECEIVER_PORT: u16 = 8000;

/// Runs template.yaml on this machine and shows an event arriving, signed. Ctrl-C ends it.
#[derive(Debug, Parser)]
#[command(
    name = "cargo local",
    bin_name = "cargo local",
    args_conflicts_with_subcommands = true,
    after_help = "Endpoints may have plain HTTP and private addresses here. \
                  `cargo local up --parameter AllowInsecureTargets=false` checks urls as production does."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) stack: StackArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the stack without the demo.
    Up(StackArguments),
    /// Answers 200 to every request and prints it: a receiver for endpoints of the stack.
    Receive(ReceiveArguments),
    /// Issues an API token for the running stack and prints it.
    Token(TokenArguments),
    /// Checks the templates with the pinned SAM CLI and its linter.
    Validate,
}

#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// Overrides a template parameter; may be given several times.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Keeps the logs and local-stack.json in this folder; needed for a second stack.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The emulator's port; a free one if left out.
    #[arg(long)]
    port: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiveArguments {
    /// The port to listen on.
    #[arg(long, default_value_t = RECEIVER_PORT)]
    pub(crate) port: u16,
    /// An endpoint's secret, to verify signatures with; may be given several times.
    #[arg(long = "secret", value_name = "whs_…")]
    pub(crate) secrets: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// The workspace that the token is for; the one that `cargo local` uses itself if left out.
    #[arg(long, value_name = "ws_…")]
    workspace: Option<String>,
    /// What the token allows: webhooks:read, webhooks:write or webhooks:retry; may be repeated; everything if left out.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// When the token expires, such as 2030-01-01T00:00:00Z; never if left out.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// The --state-dir of the running stack.
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

impl StackArguments {
    /// Whether endpoints may be on this machine, which is so unless a parameter says otherwise.
    pub(crate) fn allow_local_targets(&self) -> bool {
        let given = self.parameters.iter().rev();
        let mut values = given.filter(|(name, _)| name == INSECURE_TARGETS);
        values.next().is_none_or(|(_, value)| value == "true")
    }
}

impl From<StackArguments> for Options {
    fn from(arguments: StackArguments) -> Self {
        Self {
            parameters: arguments.parameters,
            state_dir: arguments.state_dir,
            port: arguments.port,
            ..Self::default()
        }
    }
}

impl TokenArguments {
    /// What to ask the stack for, whose own workspace is the default.
    pub(crate) fn request(self, workspace_id: &str) -> TokenRequest {
        TokenRequest {
            workspace_id: self.workspace.unwrap_or_else(|| workspace_id.to_owned()),
            scopes: self.scopes,
            expires_at: self.expires_at,
        }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as Name=Value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn stack(arguments: &[&str]) -> StackArguments {
        let arguments = [&["cargo local"], arguments].concat();
        Arguments::try_parse_from(arguments).unwrap().stack
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn targets_on_this_machine_are_allowed_unless_the_last_parameter_forbids_them() {
        let allow = "--parameter=AllowInsecureTargets=true";
        let forbid = "--parameter=AllowInsecureTargets=false";

        assert!(stack(&[]).allow_local_targets());
        assert!(!stack(&[allow, forbid]).allow_local_targets());
        assert!(stack(&[forbid, allow]).allow_local_targets());
    }

    #[test]
    fn a_parameter_without_a_value_is_an_error() {
        assert!(Arguments::try_parse_from(["cargo local", "--parameter", "RetrySchedule"]).is_err());
    }

    #[test]
    fn the_port_of_up_is_the_emulators() {
        let arguments = Arguments::try_parse_from(["cargo local", "up", "--port", "4000"]).unwrap();

        assert!(matches!(arguments.command, Some(Command::Up(stack)) if stack.port == Some(4000)));
    }
}
