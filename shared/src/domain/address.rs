//! Which IP addresses a webhook may be sent to: only those that are globally reachable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Refused IPv4 ranges. Source: IANA IPv4 Special-Purpose Address Registry, with multicast,
/// the former class E and the deprecated 6to4 relays.
const REFUSED_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// The only IPv6 range that IANA hands out for global unicast. Everything else is refused: loopback,
/// unique-local, link-local, multicast, and the forms that carry an IPv4 address (mapped, NAT64).
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Refused parts of [`GLOBAL_V6`]. Source: IANA IPv6 Special-Purpose Address Registry.
const REFUSED_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Whether a webhook may be sent to this address.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !REFUSED_V4.iter().any(|range| range.contains(&v4)),
        IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !REFUSED_V6.iter().any(|range| range.contains(&v6)),
    }
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(s: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(
        Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]),
        prefix,
    )
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
    }

    #[test]
    fn every_address_of_the_vectors_is_refused_or_allowed_as_listed() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../tests/vectors/ssrf-addresses.json")).unwrap();

        for address in vectors.must_block {
            assert!(!is_public(address), "{address} must be refused");
        }
        for address in vectors.must_allow {
            assert!(is_public(address), "{address} must be allowed");
        }
    }

    proptest! {
        #[test]
        fn an_address_the_standard_library_calls_special_is_refused(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();

            prop_assert!(!(special && is_public(v4.into())));
        }

        #[test]
        fn no_ipv4_address_is_reached_through_ipv6(bits: u32) {
            let v4 = Ipv4Addr::from(bits);

            prop_assert!(!is_public(v4.to_ipv6_mapped().into()));
            prop_assert!(!is_public(v4.to_ipv6_compatible().into()));
            prop_assert!(!is_public(Ipv6Addr::from(0x0064_ff9b_u128 << 96 | u128::from(bits)).into()));
        }
    }
}
