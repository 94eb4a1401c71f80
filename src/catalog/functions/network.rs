//! Addresses and networks.

use super::compare::items;
use super::{Answer, malformed, text_of, truth, two};
use cel::common::value::CowVal;
use std::net::IpAddr;

/// A network: its address as a number, its length, and the length of the whole address.
#[derive(Clone, Copy)]
struct Network {
    bits: u128,
    prefix: u32,
    width: u32,
}

/// `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`. An IPv4 address that is written as IPv6 counts as IPv4.
fn parse(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) if prefix.bytes().all(|digit| digit.is_ascii_digit()) => {
            (address, Some(prefix.parse::<u32>().ok()?))
        }
        Some(_) => return None,
        None => (text, None),
    };
    let written: IpAddr = address.parse().ok()?;
    let canonical = written.to_canonical();
    let (bits, width) = match canonical {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    };
    let mapped = if written == canonical { 0 } else { 96 };
    let prefix = match prefix {
        Some(prefix) => prefix.checked_sub(mapped)?,
        None => width,
    };
    (prefix <= width).then_some(Network { bits, prefix, width })
}

fn within(inner: Network, outer: Network) -> bool {
    inner.width == outer.width && inner.prefix >= outer.prefix && {
        let host = outer.width - outer.prefix;
        inner.bits.checked_shr(host).unwrap_or(0) == outer.bits.checked_shr(host).unwrap_or(0)
    }
}

/// `cidr_within(address, networks)`.
pub(super) fn cidr_within<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (address, networks) = two(&args)?;
    let wrong = || malformed("cidr_within was given a text that is neither an address nor a network");
    let inner = parse(text_of(address, "cidr_within")?).ok_or_else(wrong)?;
    let mut trouble = None;
    for network in items(networks)? {
        match text_of(network, "cidr_within").and_then(|text| parse(text).ok_or_else(wrong)) {
            Ok(outer) if within(inner, outer) => return truth(true),
            Ok(_) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or_else(|| truth(false), Err)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_lie_in_networks() {
        let lies = |inner: &str, outer: &str| within(parse(inner).unwrap(), parse(outer).unwrap());
        assert!(lies("10.1.2.3", "10.0.0.0/8") && lies("10.1.0.0/16", "10.0.0.0/8") && lies("1.2.3.4", "0.0.0.0/0"));
        assert!(!lies("10.0.0.0/7", "10.0.0.0/8") && !lies("11.0.0.1", "10.0.0.0/8") && !lies("::1", "0.0.0.0/0"));
        assert!(lies("fd00::1", "fd00::/8") && lies("::ffff:10.1.2.3", "10.0.0.0/8") && lies("::1", "::/0"));
        assert!(lies("::ffff:10.0.0.0/104", "10.0.0.0/8"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/", "host", "::ffff:10.0.0.0/8"] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}
