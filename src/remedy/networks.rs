//! The networks from which a site is managed, and whether this seat is among them.

use super::plan::Refusal;
use crate::evidence::{ChannelKind, Evidence, NodeEvidence};
use std::net::IpAddr;

/// One network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// `10.0.8.0/24`, `fd00::/8`, or an address alone. Bits beyond the prefix are taken away.
    fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.bytes().all(|digit| digit.is_ascii_digit()) => {
                (address, Some(prefix.parse::<u8>().ok()?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then(|| Network { address: masked(address, prefix), prefix })
    }

    fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(four) & mask).into())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(six) & mask).into())
        }
    }
}

/// The management networks of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Networks(Vec<Network>);

impl Networks {
    /// Those that the site names. Refused where it names none, where one is everybody, and where the address from which
    /// this node sees this seat is in none of them: that would shut the person out.
    pub(super) fn of(evidence: &Evidence, node: &NodeEvidence) -> Result<Self, Refusal> {
        let named = evidence.site.management_networks.as_deref().unwrap_or_default();
        if named.is_empty() {
            return Err(Refusal::new(
                "the site names no networks from which it is managed. Write management_networks into the site file (--site)",
            ));
        }
        let mut networks = Vec::new();
        for name in named {
            match Network::read(name) {
                Some(network) if network.prefix > 0 => networks.push(network),
                _ => {
                    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                    return Err(Refusal::new(format!(
                        "{name}, of the site's management_networks, is no network of some addresses. Mend the site file"
                    )));
                }
            }
        }
        let networks = Networks(networks);
        let login = node.login.known();
        let from = login.and_then(|login| login.from.known());
        match from.map(|from| from.parse::<IpAddr>().map(|address| address.to_canonical())) {
            Some(Ok(address)) if networks.0.iter().any(|network| network.has(address)) => Ok(networks),
            Some(Ok(address)) => Err(Refusal::new(format!(
                "{}: the node sees you at {address}, which is in none of the site's management_networks ({}), so this would \
                 shut you out. Come from one of them, or add it to the site file",
                node.name,
                networks.names().join(", ")
            ))),
            // At the node itself no address is asked for.
            None if node.channel == ChannelKind::Local && login.is_some() => Ok(networks),
            Some(Err(_)) | None => Err(Refusal::new(format!(
                "{}: from which address the node sees you was not read, so it is not known whether this would shut you out. \
                 Scan again",
                node.name
            ))),
        }
    }

    /// As a person writes them: `10.0.8.0/24`.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|network| format!("{}/{}", network.address, network.prefix)).collect()
    }

    /// The names of one family.
    pub(super) fn of_family(&self, v6: bool) -> Vec<String> {
        let family = self.0.iter().filter(|network| network.address.is_ipv6() == v6).copied().collect();
        Networks(family).names()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn addresses_are_in_their_networks_and_in_no_others() {
        let has = |network: &str, address: &str| Network::read(network).unwrap().has(address.parse().unwrap());
        assert!(has("10.0.8.7/24", "10.0.8.255") && has("10.0.0.1", "10.0.0.1") && has("fd00::/8", "fd12::1"));
        assert!(!has("10.0.8.0/24", "10.0.9.0") && !has("10.0.0.0/8", "::1") && !has("10.0.0.1", "10.0.0.2"));
        assert!(has("0.0.0.0/0", "1.2.3.4") && has("::/0", "::1"));
        for wrong in ["", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/+8", "node1"] {
            assert_eq!(Network::read(wrong), None, "{wrong}");
        }
    }
}
