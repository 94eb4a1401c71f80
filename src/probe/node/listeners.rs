//! Listening sockets, from the kernel's tables.

use super::answer::{self, Answer};
use super::host::Clock;
use crate::evidence::{Fact, Listener, Listing, Reason};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads the sockets that listen.
pub(super) fn read(answer: &mut Answer<'_>, clock: &Clock) -> Listing<Listener> {
    let mut listed = answer.table("listen", 6, "listeners", "the listening sockets");
    if matches!(answer.got("listen"), super::answer::Got::Absent) {
        // Every Linux has the table; without it nothing was seen.
        answer.gap("listeners", Reason::NotVisible, "the kernel's table of sockets is not there");
        return Listing::default();
    }
    let mut items: Vec<Listener> = Vec::new();
    for row in &listed.items {
        match listener(row, clock.big_endian) {
            Some(found) => {
                if !items.contains(&found) {
                    items.push(found);
                }
            }
            None => {
                listed.complete = false;
                answer.gap(
                    "listeners",
                    Reason::Malformed,
                    "a line of the kernel's table of sockets could not be understood",
                );
            }
        }
    }
    items.sort_by(|a, b| (a.port, &a.protocol, &a.address).cmp(&(b.port, &b.protocol, &b.address)));
    Listing { items, complete: listed.complete }
}

fn listener(row: &[String], big_endian: bool) -> Option<Listener> {
    let [protocol, address, port, _inode, pid, comm] = row else { return None };
    let address = match protocol.as_str() {
        "tcp" => IpAddr::V4(Ipv4Addr::from(words::<1>(address, big_endian)?[0])),
        "tcp6" => {
            let [a, b, c, d] = words::<4>(address, big_endian)?;
            let high = u128::from(a) << 96 | u128::from(b) << 64;
            IpAddr::V6(Ipv6Addr::from(high | u128::from(c) << 32 | u128::from(d)))
        }
        _ => return None,
    };
    let port: u16 = port.parse().ok()?;
    let process = answer::column(comm).map_or(Fact::Unread, |name| Fact::Known(name.to_owned()));
    let pid_fact = answer::number(pid);
    let unread = match (&pid_fact, &process) {
        (Fact::Known(_), Fact::Known(_)) => None,
        _ if pid == "-" => Some(Reason::NotVisible),
        _ => Some(Reason::Forbidden),
    };
    let shown = match address {
        IpAddr::V4(v4) => format!("{v4}:{port}"),
        IpAddr::V6(v6) => format!("[{v6}]:{port}"),
    };
    let owner = process.known().map_or(String::new(), |name| format!(" ({name})"));
    Some(Listener {
        name: format!("{protocol} {shown}{owner}"),
        protocol: protocol.clone(),
        address: address.to_string(),
        port: i64::from(port),
        exposed: !loopback(address),
        pid: pid_fact,
        process,
        unread,
    })
}

/// Only this machine itself reaches such an address.
fn loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

/// Words of 32 bits as the kernel prints them: in the byte order of the machine.
fn words<const N: usize>(hex: &str, big_endian: bool) -> Option<[u32; N]> {
    if hex.len() != N * 8 || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let mut found = [0; N];
    for (number, word) in found.iter_mut().enumerate() {
        let value = u32::from_str_radix(hex.get(number * 8..number * 8 + 8)?, 16).ok()?;
        *word = if big_endian { value } else { value.swap_bytes() };
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    fn one(line: &str) -> Listener {
        let mut listed = assembled(&[record("listen", "-", &format!("{line}\n"))]).listeners;
        assert!(listed.complete);
        listed.items.remove(0)
    }

    #[test]
    fn addresses_are_turned_round_and_loopback_is_told() {
        for (line, name, exposed) in [
            ("tcp\t00000000\t22\t1\t9\tsshd", "tcp 0.0.0.0:22 (sshd)", true),
            ("tcp\t0100007F\t10248\t1\t9\tkubelet", "tcp 127.0.0.1:10248 (kubelet)", false),
            ("tcp\t0200580A\t2379\t1\t9\tetcd", "tcp 10.88.0.2:2379 (etcd)", true),
            ("tcp6\t00000000000000000000000000000000\t10250\t1\t9\tkubelet", "tcp6 [::]:10250 (kubelet)", true),
            ("tcp6\t00000000000000000000000001000000\t25\t1\t9\tx", "tcp6 [::1]:25 (x)", false),
            ("tcp6\t0000000000000000FFFF00000100007F\t25\t1\t9\tx", "tcp6 [::ffff:127.0.0.1]:25 (x)", false),
            ("tcp6\tB80D0120000000000000000001000000\t443\t1\t9\tx", "tcp6 [2001:db8::1]:443 (x)", true),
        ] {
            let found = one(line);
            assert_eq!((found.name.as_str(), found.exposed), (name, exposed), "{line}");
        }
    }

    #[test]
    fn an_owner_that_may_not_be_seen_is_unread() {
        let found = one("tcp\t00000000\t22\t1\t?\t?");
        assert_eq!(
            (found.name.as_str(), found.pid, found.unread),
            ("tcp 0.0.0.0:22", Fact::Unread, Some(Reason::Forbidden))
        );
        assert_eq!(one("tcp\t00000000\t2049\t1\t-\t-").unread, Some(Reason::NotVisible));
    }

    #[test]
    fn a_line_that_is_not_understood_makes_the_list_partial() {
        for line in ["tcp\t0000\t22\t1\t9\tsshd", "tcp\t00000000\t99999\t1\t9\tx", "udp\t00000000\t22\t1\t9\tx", "tcp"]
        {
            let listed = assembled(&[record("listen", "-", &format!("{line}\n"))]).listeners;
            assert!(!listed.complete && listed.items.is_empty(), "{line}");
        }
    }
}
