//! Networks, and sets of sources made of them.

use std::net::IpAddr;

/// A network: address and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Net {
    address: IpAddr,
    length: u8,
}

impl Net {
    /// Reads `10.0.0.0/8` or an address alone. None for anything else, masks that are no prefix among it.
    pub(super) fn parse(text: &str) -> Option<Net> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= whole)?,
            None => whole,
        };
        Some(Net { address, length })
    }

    /// Whether it is of IPv6.
    pub(super) fn is_v6(self) -> bool {
        self.address.is_ipv6()
    }

    /// Whether every address of it is the node's own loopback.
    pub(super) fn is_loopback(self) -> bool {
        self.address.is_loopback() && (self.is_v6() || self.length >= 8)
    }

    /// The bits, with the highest one first.
    fn bits(self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
            IpAddr::V6(address) => u128::from(address),
        }
    }

    fn holds(self, other: Net) -> bool {
        let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
        self.is_v6() == other.is_v6() && self.length <= other.length && self.bits() & mask == other.bits() & mask
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// From where a packet may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sources {
    /// From everywhere.
    Any,
    /// From these networks at most.
    Only(Vec<Net>),
}

impl Sources {
    /// From nowhere.
    pub(super) fn none() -> Self {
        Sources::Only(Vec::new())
    }

    /// Whether nothing can come.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Sources::Only(nets) if nets.is_empty())
    }

    /// Networks; one that holds every address is everywhere.
    pub(super) fn of(nets: Vec<Net>) -> Self {
        if nets.iter().any(|net| net.length == 0) || halves(&nets) { Sources::Any } else { Sources::Only(nets) }
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Sources) -> Sources {
        let (a, b) = match (self, other) {
            (Sources::Any, rest) | (rest, Sources::Any) => return rest.clone(),
            (Sources::Only(a), Sources::Only(b)) => (a, b),
        };
        let mut both: Vec<Net> = Vec::new();
        for (one, two) in a.iter().flat_map(|one| b.iter().map(move |two| (*one, *two))) {
            let narrow = match (one.holds(two), two.holds(one)) {
                (true, _) => two,
                (_, true) => one,
                _ => continue,
            };
            if !both.contains(&narrow) {
                both.push(narrow);
            }
        }
        Sources::Only(both)
    }

    /// Adds what is in the other.
    pub(super) fn add(&mut self, other: &Sources) {
        match (&mut *self, other) {
            (Sources::Any, _) => {}
            (_, Sources::Any) => *self = Sources::Any,
            (Sources::Only(nets), Sources::Only(more)) => {
                for net in more {
                    if !nets.iter().any(|known| known.holds(*net)) {
                        nets.retain(|known| !net.holds(*known));
                        nets.push(*net);
                    }
                }
                if halves(nets) {
                    *self = Sources::Any;
                }
            }
        }
    }
}

/// Whether 0.0.0.0/1 and 128.0.0.0/1 are both there: everywhere, as sets of intervals have to write it.
fn halves(nets: &[Net]) -> bool {
    let half = |v6: bool, top: u128| nets.iter().any(|n| n.length == 1 && n.is_v6() == v6 && n.bits() >> 127 == top);
    [false, true].into_iter().any(|v6| half(v6, 0) && half(v6, 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn only(nets: &[&str]) -> Sources {
        Sources::of(nets.iter().map(|net| Net::parse(net).unwrap()).collect())
    }

    #[test]
    fn networks_meet_and_join() {
        assert_eq!(only(&["10.0.0.0/8"]).and(&only(&["10.1.0.0/16", "192.168.0.0/16"])), only(&["10.1.0.0/16"]));
        assert!(only(&["10.0.0.0/8"]).and(&only(&["fd00::/8"])).is_none());
        assert_eq!(only(&["0.0.0.0/0"]), Sources::Any);
        let mut both = only(&["10.1.0.0/16", "10.2.3.4"]);
        both.add(&only(&["10.1.7.0/24", "10.2.0.0/16"]));
        assert_eq!(both, only(&["10.1.0.0/16", "10.2.0.0/16"]));
        assert!(Net::parse("127.0.0.0/8").unwrap().is_loopback() && !Net::parse("127.0.0.0/4").unwrap().is_loopback());
        for bad in ["10.0.0.0/33", "10.0.0.0/255.0.0.0", "mgmt", "", "10.0.0/8", "::/129"] {
            assert_eq!(Net::parse(bad), None, "{bad}");
        }
    }
}
