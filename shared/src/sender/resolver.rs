//! Name look-up for the HTTP client of events: a name is dialled only if every address it has may be sent to.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::target::TargetPolicy;

/// A way to look a name up.
#[derive(Clone)]
pub struct LookUp(Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>);

impl LookUp {
    /// Looks names up by this function.
    pub fn new<F>(look_up: F) -> Self
    where
        F: Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
    {
        Self(Arc::new(look_up))
    }

    /// Looks one name up.
    ///
    /// # Errors
    /// There is no such name, or no answer.
    pub async fn addresses(&self, name: String) -> io::Result<Vec<IpAddr>> {
        (self.0)(name).await
    }
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookUp")
    }
}

/// The system's way to look a name up.
#[must_use]
pub fn system_look_up() -> LookUp {
    LookUp::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// A name that has an address that may not be sent to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private or reserved address")]
pub(super) struct RefusedAddress;

/// A name that could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be looked up")]
pub(super) struct LookUpFailed(#[source] Option<io::Error>);

/// The resolver that the connections dial from.
pub(super) struct CheckingResolver {
    policy: TargetPolicy,
    look_up: LookUp,
}

impl CheckingResolver {
    pub(super) fn new(policy: TargetPolicy, look_up: LookUp) -> Self {
        Self { policy, look_up }
    }
}

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, look_up) = (self.policy, self.look_up.clone());
        Box::pin(async move {
            let addresses = checked(policy, look_up.addresses(name.as_str().to_owned()).await)?;
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// Whether every one of a name's addresses may be sent to.
pub(super) fn are_allowed(policy: TargetPolicy, addresses: &[IpAddr]) -> bool {
    addresses.iter().all(|address| policy.allows(*address))
}

fn checked(
    policy: TargetPolicy,
    answer: io::Result<Vec<IpAddr>>,
) -> Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>> {
    let addresses = answer.map_err(|error| LookUpFailed(Some(error)))?;
    if addresses.is_empty() {
        return Err(LookUpFailed(None).into());
    }
    if !are_allowed(policy, &addresses) {
        return Err(RefusedAddress.into());
    }
    Ok(addresses)
}
