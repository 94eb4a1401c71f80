//! Criteria of Match blocks, and whether a connection meets them.

use super::sshd_lines::pattern;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One criterion of a Match block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// What it asks about, in lower case: `user`, `group`, `host`, `address`, `localaddress`, `localport`, `rdomain`,
    /// `version`, `invalid-user`, `all`; any other word stands for itself.
    pub kind: String,
    /// The patterns, as written; empty for a criterion that takes none.
    pub value: String,
}

/// Whether something holds for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That cannot be told from what is known of the connection: a group, a client's version.
    Unknown,
}

impl Applies {
    fn of(truth: bool) -> Self {
        if truth { Applies::Yes } else { Applies::No }
    }

    /// Whether both hold.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Applies::No, _) | (_, Applies::No) => Applies::No,
            (Applies::Yes, Applies::Yes) => Applies::Yes,
            _ => Applies::Unknown,
        }
    }
}

/// Reads the arguments of a Match line.
pub(super) fn criteria(words: &[String]) -> Vec<Criterion> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (kind, value) = match word.split_once('=') {
            Some((kind, value)) => (kind.to_ascii_lowercase(), Some(value.to_owned())),
            None => (word.to_ascii_lowercase(), None),
        };
        let value = match (value, kind.as_str()) {
            (Some(value), _) => value,
            (None, "all" | "invalid-user") => String::new(),
            (None, _) => words.next().cloned().unwrap_or_default(),
        };
        found.push(Criterion { kind, value });
    }
    found
}

/// Whether a connection, described as for `sshd -T -C`, meets a criterion. One that is described by nothing is the
/// daemon as such: only `all` holds for it.
pub(super) fn meets(criterion: &Criterion, connection: &BTreeMap<String, String>) -> Applies {
    if criterion.kind == "all" {
        return Applies::Yes;
    }
    if connection.is_empty() {
        return Applies::No;
    }
    let key = match criterion.kind.as_str() {
        "user" => "user",
        "host" => "host",
        "address" => "addr",
        "localaddress" => "laddr",
        "localport" => "lport",
        "rdomain" => "rdomain",
        _ => return Applies::Unknown,
    };
    let Some(actual) = connection.get(key) else { return Applies::Unknown };
    Applies::of(match key {
        "addr" | "laddr" => address_in(&criterion.value, actual),
        "lport" => criterion.value.split(',').any(|port| port.trim() == actual),
        "host" => in_list(&criterion.value.to_ascii_lowercase(), &actual.to_ascii_lowercase(), pattern),
        _ => in_list(&criterion.value, actual, pattern),
    })
}

/// A comma-separated list in which `!` turns a match into a refusal of the whole.
fn in_list(list: &str, actual: &str, matches: impl Fn(&str, &str) -> bool) -> bool {
    let mut found = false;
    for item in list.split(',') {
        match item.strip_prefix('!') {
            Some(item) if matches(item, actual) => return false,
            Some(_) => {}
            None => found |= matches(item, actual),
        }
    }
    found
}

fn address_in(list: &str, actual: &str) -> bool {
    in_list(list, actual, |item, actual| match (network(item), actual.parse::<IpAddr>()) {
        (Some((network, bits)), Ok(address)) => contains(network, bits, address),
        _ => pattern(item, actual),
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    match text.split_once('/') {
        Some((address, bits)) => {
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            (bits <= most).then_some((address, bits))
        }
        None => {
            let address: IpAddr = text.parse().ok()?;
            Some((address, if address.is_ipv4() { 32 } else { 128 }))
        }
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let number = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let width: u8 = if network.is_ipv4() { 32 } else { 128 };
    if network.is_ipv4() != address.is_ipv4() {
        return false;
    }
    let ignored = u32::from(width.saturating_sub(bits));
    number(network).checked_shr(ignored) == number(address).checked_shr(ignored)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn meets_text(kind: &str, value: &str, key: &str, actual: &str) -> Applies {
        let connection = [(key.to_owned(), actual.to_owned())].into();
        meets(&Criterion { kind: kind.to_owned(), value: value.to_owned() }, &connection)
    }

    #[test]
    fn addresses_match_by_network_and_by_pattern() {
        for (list, address, met) in [
            ("10.0.0.0/8,127.0.0.1", "10.9.9.9", Applies::Yes),
            ("10.0.0.0/8,127.0.0.1", "127.0.0.1", Applies::Yes),
            ("10.0.0.0/8", "11.0.0.1", Applies::No),
            ("10.0.0.0/8,!10.1.0.0/16", "10.1.2.3", Applies::No),
            ("0.0.0.0/0", "203.0.113.5", Applies::Yes),
            ("192.168.*", "192.168.4.4", Applies::Yes),
            ("2001:db8::/32", "2001:db8::1", Applies::Yes),
            ("2001:db8::/32", "10.0.0.1", Applies::No),
            ("::/0", "2001:db8::1", Applies::Yes),
        ] {
            assert_eq!(meets_text("address", list, "addr", address), met, "{list} {address}");
        }
    }

    #[test]
    fn a_group_cannot_be_told() {
        assert_eq!(meets_text("group", "sudo", "user", "alice"), Applies::Unknown);
        assert_eq!(meets_text("user", "bob,al*", "user", "alice"), Applies::Yes);
        assert_eq!(meets_text("address", "10.0.0.0/8", "user", "alice"), Applies::Unknown);
    }

    #[test]
    fn the_daemon_as_such_meets_only_all() {
        let none = BTreeMap::new();
        let criterion = |kind: &str| Criterion { kind: kind.to_owned(), value: "*".to_owned() };
        assert_eq!(meets(&criterion("all"), &none), Applies::Yes);
        assert_eq!(meets(&criterion("group"), &none), Applies::No);
    }

    #[test]
    fn criteria_are_read_with_blanks_and_with_equals_signs() {
        let words: Vec<String> = ["User", "bob", "address=10.0.0.0/8", "invalid-user"].map(str::to_owned).to_vec();
        let kinds: Vec<(String, String)> = criteria(&words).into_iter().map(|one| (one.kind, one.value)).collect();
        let want = [("user", "bob"), ("address", "10.0.0.0/8"), ("invalid-user", "")];
        assert_eq!(kinds, want.map(|(kind, value)| (kind.to_owned(), value.to_owned())));
    }

    proptest! {
        #[test]
        fn any_criterion_is_answered(kind in "(user|address|localport|host|.{0,6})", value in "\\PC{0,30}", actual in "\\PC{0,30}") {
            for key in ["user", "addr", "lport", "host"] {
                let _ = meets_text(&kind, &value, key, &actual);
            }
        }
    }
}
