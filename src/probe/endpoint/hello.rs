//! The first message of a TLS connection, made by hand: which version and which suites a server picks is told by its plain
//! answer alone, so that suites can be tried which no library of today speaks (RC4, 3DES, EXPORT).

use openssl::rand::rand_bytes;
use std::net::IpAddr;

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// TLS 1.0.
    V10,
    /// TLS 1.1.
    V11,
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

impl Version {
    /// All, the newest first: every server of today knows one of the first two.
    pub(super) const ALL: [Version; 4] = [Version::V13, Version::V12, Version::V11, Version::V10];

    /// As it stands in evidence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Version::V10 => "TLSv1.0",
            Version::V11 => "TLSv1.1",
            Version::V12 => "TLSv1.2",
            Version::V13 => "TLSv1.3",
        }
    }

    /// As it stands on the wire.
    pub(super) fn number(self) -> u16 {
        match self {
            Version::V10 => 0x0301,
            Version::V11 => 0x0302,
            Version::V12 => 0x0303,
            Version::V13 => 0x0304,
        }
    }
}

/// x25519, P-256, P-384, P-521, x448, ffdhe2048, ffdhe3072, ffdhe4096.
const GROUPS: [u16; 8] = [0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100, 0x0101, 0x0102];

/// Signatures, strong ones first; old ones too, since a server that knows only those is to answer as well.
const SIGNATURES: [u16; 17] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
    0x0402, 0x0202, 0x0301,
];

/// A ClientHello that offers one version and some suites. `name`: what the server is called, where that is no address.
/// None where no random bytes are to be had.
pub(super) fn client_hello(version: Version, suites: &[u16], name: &str) -> Option<Vec<u8>> {
    let mut random = [0; 96];
    rand_bytes(&mut random).ok()?;
    let (random, rest) = random.split_at(32);
    let (session, share) = rest.split_at(32);
    let mut body = Vec::new();
    // TLS 1.3 calls itself 1.2 here and says the truth in an extension.
    body.extend(version.min(Version::V12).number().to_be_bytes());
    body.extend(random);
    with_length8(&mut body, session);
    with_length(&mut body, &numbers(suites));
    with_length8(&mut body, &[0]);
    with_length(&mut body, &extensions(version, name, share));
    let mut message = vec![1, 0];
    with_length(&mut message, &body);
    let mut record = vec![22, 3, 1];
    with_length(&mut record, &message);
    Some(record)
}

fn extensions(version: Version, name: &str, share: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut put = |kind: u16, contents: Vec<u8>| {
        all.extend(kind.to_be_bytes());
        with_length(&mut all, &contents);
    };
    if is_name(name) {
        let mut entry = vec![0];
        with_length(&mut entry, name.as_bytes());
        put(0x0000, listed(&entry));
    }
    put(0x000a, listed(&numbers(&GROUPS)));
    put(0x000b, vec![1, 0]);
    put(0x000d, listed(&numbers(&SIGNATURES)));
    if version == Version::V13 {
        put(0x002b, [vec![2], version.number().to_be_bytes().to_vec()].concat());
        put(0x002d, vec![1, 1]);
        // Any 32 bytes are a public key of x25519.
        let mut entry = 0x001d_u16.to_be_bytes().to_vec();
        with_length(&mut entry, share);
        put(0x0033, listed(&entry));
    } else {
        put(0x0017, Vec::new());
        put(0xff01, vec![0]);
    }
    all
}

/// Whether a host is called by a name that may be told to it, as RFC 6066 has it: no address.
pub(super) fn is_name(host: &str) -> bool {
    let fits =
        (1..=253).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    fits && host.parse::<IpAddr>().is_err()
}

fn numbers(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A list with its length before it.
fn listed(contents: &[u8]) -> Vec<u8> {
    let mut list = Vec::with_capacity(contents.len() + 2);
    with_length(&mut list, contents);
    list
}

/// Appends a length in two bytes, then the contents; nothing here is ever longer.
fn with_length(to: &mut Vec<u8>, contents: &[u8]) {
    to.extend(u16::try_from(contents.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend(contents);
}

/// The same with a length in one byte.
fn with_length8(to: &mut Vec<u8>, contents: &[u8]) {
    to.push(u8::try_from(contents.len()).unwrap_or(u8::MAX));
    to.extend(contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_name() {
        assert!(is_name("edge1.example") && is_name("edge_1"));
        for host in ["", "10.0.0.1", "fd00::1", "fe80::1%eth0", "a b", &"x".repeat(254)] {
            assert!(!is_name(host), "{host}");
        }
    }

    #[test]
    fn every_hello_ends_a_line_for_those_that_speak_in_lines() {
        // A server of plain HTTP answers only when a line has come to its end.
        let hello = client_hello(Version::V12, &[0x1301], "").unwrap_or_default();
        assert!(hello.contains(&b'\n'));
    }
}
