//! The url of an endpoint: parsed once, and then known to be one that may be sent to.

use std::net::IpAddr;

use url::{Host, Url};

use super::address;

/// Most characters of a url.
pub const MAX_URL_CHARS: usize = 2048;

/// Names that never are a public host. Sources: RFC 6761 (`localhost`), RFC 6762 (`local`),
/// RFC 8375 (`home.arpa`), ICANN's reservation of `internal`.
const PRIVATE_SUFFIXES: &[&str] = &["localhost", "local", "internal", "home.arpa"];

/// Which targets a deployment allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetPolicy {
    /// `https` to public hosts only.
    PublicOnly,
    /// Plain HTTP and private addresses as well; for a stack on a developer's machine.
    InsecureToo,
}

impl TargetPolicy {
    /// Whether a webhook may be sent to this address: the one place that says so, for addresses in urls and for those
    /// that a name is looked up to.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::InsecureToo || address::is_public(address)
    }
}

/// An absolute url that the deployment's [`TargetPolicy`] allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl(Url);

/// Why a url is refused. The caller is told in words of the API (`functions::request`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedUrl {
    /// Longer than [`MAX_URL_CHARS`].
    TooLong,
    /// Spaces or line breaks around it, as copying leaves them.
    Padded,
    /// Not an absolute url.
    NotAUrl,
    /// Another scheme.
    NotHttps,
    /// `user:password@`.
    UserInfo,
    /// `#…`.
    Fragment,
    /// Port 0.
    PortZero,
    /// A name that can't be looked up, or that only has a meaning inside a network.
    PrivateHost,
    /// An address of a private or special range.
    PrivateAddress,
}

impl TargetUrl {
    /// Reads a url and checks everything that needs no name look-up.
    ///
    /// # Errors
    /// [`RefusedUrl`] says why not.
    pub fn parse(text: &str, policy: TargetPolicy) -> Result<Self, RefusedUrl> {
        if text.chars().count() > MAX_URL_CHARS {
            return Err(RefusedUrl::TooLong);
        }
        if text.trim() != text {
            return Err(RefusedUrl::Padded);
        }
        // The url standard would repair `https:/x`, `https:\\x`, blanks and control characters; a saved url is what it says.
        let clean = !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
        let url = Url::parse(text)
            .ok()
            .filter(|_| clean && text.contains("://"))
            .ok_or(RefusedUrl::NotAUrl)?;
        match (url.scheme(), policy) {
            ("https", _) | ("http", TargetPolicy::InsecureToo) => {}
            _ => return Err(RefusedUrl::NotHttps),
        }
        if text.contains(":///") {
            return Err(RefusedUrl::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedUrl::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(RefusedUrl::Fragment);
        }
        if url.port() == Some(0) {
            return Err(RefusedUrl::PortZero);
        }
        check_host(&url, policy)?;
        // The url is saved as it is sent; non-ASCII letters take more characters there.
        if url.as_str().len() > MAX_URL_CHARS {
            return Err(RefusedUrl::TooLong);
        }
        Ok(Self(url))
    }

    /// The parsed url.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The parsed url, given away.
    #[must_use]
    pub fn into_url(self) -> Url {
        self.0
    }

    /// The name to look up, or `None` if the url holds an address.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.0.domain()
    }
}

/// The address in a url that holds one instead of a name. HTTP clients skip their resolver for it.
#[must_use]
pub fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

fn check_host(url: &Url, policy: TargetPolicy) -> Result<(), RefusedUrl> {
    if let Some(address) = literal_address(url) {
        return if policy.allows(address) {
            Ok(())
        } else {
            Err(RefusedUrl::PrivateAddress)
        };
    }
    let name = url.domain().ok_or(RefusedUrl::NotAUrl)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    if !is_host_name(name) || (policy == TargetPolicy::PublicOnly && !is_public_name(name)) {
        return Err(RefusedUrl::PrivateHost);
    }
    Ok(())
}

/// Whether DNS could hold the name: RFC 1035 allows 253 characters in labels of 1 to 63.
fn is_host_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

fn is_public_name(name: &str) -> bool {
    let private = |suffix: &&str| {
        name.strip_suffix(*suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !PRIVATE_SUFFIXES.iter().any(private)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vectors {
        must_block: Vec<IpAddr>,
        must_allow: Vec<IpAddr>,
        refused_urls: Vec<String>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/vectors/ssrf-addresses.json")).unwrap()
    }

    fn with_host(address: IpAddr) -> String {
        match address {
            IpAddr::V4(v4) => format!("https://{v4}/hook"),
            IpAddr::V6(v6) => format!("https://[{v6}]:8443/hook"),
        }
    }

    #[test]
    fn every_url_of_the_vectors_is_refused() {
        for text in vectors().refused_urls {
            assert!(
                TargetUrl::parse(&text, TargetPolicy::PublicOnly).is_err(),
                "{text} must be refused"
            );
        }
    }

    #[test]
    fn an_address_in_a_url_is_judged_like_the_address() {
        for address in vectors().must_block {
            assert_eq!(
                TargetUrl::parse(&with_host(address), TargetPolicy::PublicOnly),
                Err(RefusedUrl::PrivateAddress),
                "{address}"
            );
        }
        for address in vectors().must_allow {
            assert!(
                TargetUrl::parse(&with_host(address), TargetPolicy::PublicOnly).is_ok(),
                "{address}"
            );
        }
    }

    #[test]
    fn an_ordinary_url_is_allowed_and_kept_as_it_is() {
        for text in [
            "https://hooks.example.com/enafeedback",
            "https://hooks.example.com:8443/a?b=c",
            "https://bücher.example/x",
        ] {
            assert!(TargetUrl::parse(text, TargetPolicy::PublicOnly).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let refusal = |text: &str| TargetUrl::parse(text, TargetPolicy::PublicOnly).unwrap_err();

        assert_eq!(refusal("http://example.com/"), RefusedUrl::NotHttps);
        assert_eq!(refusal("https://a:b@example.com/"), RefusedUrl::UserInfo);
        assert_eq!(refusal("https://example.com/#x"), RefusedUrl::Fragment);
        assert_eq!(refusal("https://localhost./"), RefusedUrl::PrivateHost);
        assert_eq!(refusal("https://example.com:0/"), RefusedUrl::PortZero);
        assert_eq!(
            refusal(&format!("https://example.com/{}", "a".repeat(2048))),
            RefusedUrl::TooLong
        );
        assert_eq!(
            refusal(&format!("https://example.com/{}", "ü".repeat(1900))),
            RefusedUrl::TooLong
        );
        assert_eq!(refusal("https://exa mple.com/"), RefusedUrl::NotAUrl);
        assert_eq!(refusal("https://example.com/\n"), RefusedUrl::Padded);
    }

    #[test]
    fn a_local_stack_may_send_to_itself() {
        assert!(TargetUrl::parse("http://127.0.0.1:9000/hook", TargetPolicy::InsecureToo).is_ok());
        assert!(TargetUrl::parse("http://localhost:9000/hook", TargetPolicy::InsecureToo).is_ok());
        assert!(TargetUrl::parse("ftp://127.0.0.1/", TargetPolicy::InsecureToo).is_err());
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_number_gets_a_private_address_through(
            network in proptest::sample::select(vec![[10, 0], [127, 0], [169, 254], [172, 16], [192, 168]]),
            [c, d]: [u8; 2],
        ) {
            let address = std::net::Ipv4Addr::new(network[0], network[1], c, d);
            let bits = u32::from(address);
            let [a, b, c, d] = address.octets();

            for host in [format!("{bits}"), format!("0x{bits:x}"), format!("0{bits:o}"), format!("{a}.{b}.{}", u32::from(c) << 8 | u32::from(d)), format!("0x{a:x}.0{b:o}.{c}.{d}")] {
                prop_assert!(TargetUrl::parse(&format!("https://{host}/"), TargetPolicy::PublicOnly).is_err(), "{host}");
            }
        }

        #[test]
        fn parsing_never_panics(text: String) {
            let _ = TargetUrl::parse(&text, TargetPolicy::PublicOnly);
        }
    }
}
