//! The Docker network through which containers reach a stack.
//!
//! Whoever reaches the emulator can have it run anything, so not every container may: only those in a network that was
//! made for this. That it is there is the user's consent.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// An engine that takes longer to describe a network does not answer at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// The option with which a network's bridge gets a name of the user's own.
const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
/// Letters of a network's id in the name that Docker gives its bridge.
const ID_IN_BRIDGE_NAME: usize = 12;

/// A bridge between this machine and the containers of a network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// The network interface.
    pub(crate) interface: String,
    /// This machine's address, as the containers see it.
    pub(crate) address: Ipv4Addr,
}

impl Bridge {
    /// The bridge of the network with this name. An error says why containers can't reach this machine.
    pub(crate) async fn of_network(network: &str) -> Result<Self> {
        let mut command = Command::new("docker");
        command.args(["network", "inspect", network]).kill_on_drop(true);
        let output = timeout(PATIENCE, command.stdin(Stdio::null()).output())
            .await
            .context("Docker does not answer")?
            .context("there is no command docker")?;
        if !output.status.success() {
            bail!("{}", complaint(network, &String::from_utf8_lossy(&output.stderr)));
        }
        let networks: Value = serde_json::from_slice(&output.stdout)?;
        Self::described(&networks[0]).with_context(|| {
            format!("the Docker network {network} is not a bridge with an IPv4 gateway; remove it and make it again")
        })
    }

    fn described(network: &Value) -> Result<Self> {
        let driver = network["Driver"].as_str().unwrap_or_default();
        if driver != "bridge" {
            bail!("its driver is {driver}");
        }
        let id = network["Id"].as_str().unwrap_or_default();
        let short = id.get(..ID_IN_BRIDGE_NAME).context("it has no id")?;
        let interface = match network["Options"][BRIDGE_NAME].as_str() {
            Some(name) => name.to_owned(),
            None => format!("br-{short}"),
        };
        let subnets = network["IPAM"]["Config"].as_array().into_iter().flatten();
        let mut gateways = subnets.filter_map(|subnet| subnet["Gateway"].as_str()?.parse().ok());
        let address = gateways.next().ok_or_else(|| anyhow!("it has no gateway"))?;
        Ok(Self { interface, address })
    }
}

/// What the command said, in the words of this project where the remedy is simple.
fn complaint(network: &str, stderr: &str) -> String {
    let last = stderr.lines().last().unwrap_or_default().trim();
    if last.to_lowercase().contains("not found") || last.contains("No such network") {
        return format!(
            "there is no Docker network {network}; make it, then start the stack again: docker network create {network}"
        );
    }
    last.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn network() -> Value {
        json!({
            "Id": "0123456789abcdef0123456789abcdef",
            "Driver": "bridge",
            "IPAM": { "Config": [{ "Subnet": "fd01::/64", "Gateway": "fd01::1" },
                                 { "Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1" }] },
            "Options": {},
        })
    }

    #[test]
    fn a_bridge_is_named_after_its_network_and_has_its_gateways_address() {
        let bridge = Bridge::described(&network()).unwrap();

        assert_eq!(bridge.interface, "br-0123456789ab");
        assert_eq!(bridge.address, Ipv4Addr::new(172, 18, 0, 1));
    }

    #[test]
    fn a_name_that_the_user_gave_the_bridge_counts() {
        let mut network = network();
        network["Options"] = json!({ BRIDGE_NAME: "webhooks0" });

        assert_eq!(Bridge::described(&network).unwrap().interface, "webhooks0");
    }

    #[test]
    fn a_network_that_leads_to_other_machines_is_refused() {
        let mut network = network();
        network["Driver"] = json!("macvlan");

        assert!(Bridge::described(&network).is_err());
    }

    #[test]
    fn a_missing_network_is_explained_by_the_command_that_makes_it() {
        for stderr in [
            "Error: No such network: webhooks\n",
            "Error response from daemon: network webhooks not found\n",
        ] {
            assert!(complaint("webhooks", stderr).ends_with("docker network create webhooks"));
        }
        assert_eq!(
            complaint("webhooks", "Cannot connect to the Docker daemon\n"),
            "Cannot connect to the Docker daemon"
        );
    }
}
