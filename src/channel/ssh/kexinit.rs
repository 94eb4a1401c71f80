//! What a server says before anything is encrypted: its greeting and its KEXINIT, the lists of algorithms that it offers
//! (RFC 4253, 7.1). Pure; the bytes are the peer's.

use super::blob::take_string;
use crate::evidence::ServerOffer;

/// Message number of a KEXINIT.
const KEXINIT: u8 = 20;
/// Longest packet that a peer may send before encryption (RFC 4253, 6.1).
pub(super) const LONGEST_PACKET: usize = 35_000;
/// Longest name of an algorithm (RFC 4251, 6).
const LONGEST_NAME: usize = 64;
/// Longest greeting that is kept (RFC 4253, 4.2).
const LONGEST_GREETING: usize = 255;
/// Strict key exchange, said by a server among its key exchange algorithms.
const STRICT: &str = "kex-strict-s-v00@openssh.com";
/// Names among the key exchange algorithms that are none.
const MARKERS: [&str; 2] = [STRICT, "ext-info-s"];

/// The name-lists of a KEXINIT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KexInit {
    pub(super) kex: Vec<String>,
    pub(super) host_keys: Vec<String>,
    /// From the client to the server.
    pub(super) ciphers_in: Vec<String>,
    /// From the server to the client.
    pub(super) ciphers_out: Vec<String>,
    pub(super) macs_in: Vec<String>,
    pub(super) macs_out: Vec<String>,
    pub(super) compression_in: Vec<String>,
    pub(super) compression_out: Vec<String>,
}

/// What a server said before anything was encrypted, as far as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Hello {
    /// Its last line before the packets, without the end of the line.
    pub(super) greeting: Option<Vec<u8>>,
    /// Its lists.
    pub(super) lists: Option<KexInit>,
}

impl Hello {
    /// The greeting and the lists, for the document. None where they did not come whole.
    pub(super) fn offer(&self) -> Option<ServerOffer> {
        let lists = self.lists.as_ref()?;
        let greeting = self.greeting.as_ref()?;
        let printable = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' };
        Some(ServerOffer {
            banner: greeting.iter().take(LONGEST_GREETING).map(printable).collect(),
            kex: lists.kex.iter().filter(|name| !MARKERS.contains(&name.as_str())).cloned().collect(),
            host_keys: lists.host_keys.clone(),
            ciphers: merged(&lists.ciphers_in, &lists.ciphers_out),
            macs: merged(&lists.macs_in, &lists.macs_out),
            compression: merged(&lists.compression_in, &lists.compression_out),
            strict_kex: lists.kex.iter().any(|name| name == STRICT),
        })
    }
}

/// Both directions in one list: the first, then what only the second has.
fn merged(one: &[String], other: &[String]) -> Vec<String> {
    one.iter().chain(other.iter().filter(|name| !one.contains(name))).cloned().collect()
}

/// Reads a packet without its length: the padding's length, the message, the padding. None where it is no KEXINIT.
pub(super) fn parse(packet: &[u8]) -> Option<KexInit> {
    let (&padding, rest) = packet.split_first()?;
    let message = rest.get(..rest.len().checked_sub(usize::from(padding))?)?;
    let mut rest = message.strip_prefix(&[KEXINIT])?.get(16..)?;
    let mut list = || names(take_string(&mut rest)?);
    let lists = KexInit {
        kex: list()?,
        host_keys: list()?,
        ciphers_in: list()?,
        ciphers_out: list()?,
        macs_in: list()?,
        macs_out: list()?,
        compression_in: list()?,
        compression_out: list()?,
    };
    let _languages = (list()?, list()?);
    Some(lists)
}

/// A name-list. None where one of its names is not such a name.
fn names(list: &[u8]) -> Option<Vec<String>> {
    let list = std::str::from_utf8(list).ok()?;
    let sound =
        |name: &str| !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_graphic());
    let names: Vec<String> = list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.iter().all(|name| sound(name)).then_some(names)
}

/// What this program speaks, in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct Ours {
    pub(super) kex: Vec<String>,
    pub(super) host_keys: Vec<String>,
    pub(super) ciphers: Vec<String>,
    pub(super) macs: Vec<String>,
}

/// One kind of algorithm in which the two sides have nothing in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// `key exchange`, `host key`, `cipher`, `MAC`.
    pub(super) what: &'static str,
    /// What the server offers.
    pub(super) offered: Vec<String>,
    /// The line for sshd_config that would close it, or what else to do.
    pub(super) remedy: String,
}

/// In which kinds the server and this program have nothing in common.
pub(super) fn gaps(ours: &Ours, theirs: &KexInit) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut compare = |what, ours: &[String], theirs: &[&[String]], keyword: &str| {
        let offered = theirs.iter().find(|list| common(ours, list).is_none());
        if let Some(offered) = offered {
            let offered = offered.iter().filter(|name| !MARKERS.contains(&name.as_str())).cloned().collect();
            gaps.push(Gap { what, offered, remedy: remedy(keyword, ours) });
        }
    };
    compare("key exchange", &ours.kex, &[&theirs.kex], "KexAlgorithms");
    compare("host key", &ours.host_keys, &[&theirs.host_keys], "HostKeyAlgorithms");
    compare("cipher", &ours.ciphers, &[&theirs.ciphers_in, &theirs.ciphers_out], "Ciphers");
    // A cipher that authenticates by itself needs no MAC.
    let with_mac = |ciphers: &[String]| common(&ours.ciphers, ciphers).is_none_or(|cipher| !authenticates(cipher));
    let macs: Vec<&[String]> = [(&theirs.ciphers_in, &theirs.macs_in), (&theirs.ciphers_out, &theirs.macs_out)]
        .into_iter()
        .filter(|(ciphers, _)| with_mac(ciphers))
        .map(|(_, macs)| macs.as_slice())
        .collect();
    compare("MAC", &ours.macs, &macs, "MACs");
    gaps
}

/// The algorithm that is agreed on: the first of ours that they have.
fn common<'a>(ours: &'a [String], theirs: &[String]) -> Option<&'a String> {
    // Markers stand among the key exchange algorithms of both sides and are none.
    ours.iter().find(|name| theirs.contains(name) && !name.starts_with("ext-info-") && !name.starts_with("kex-strict-"))
}

fn authenticates(cipher: &str) -> bool {
    cipher.contains("-gcm@") || cipher.starts_with("chacha20-poly1305")
}

/// What to allow on the server: the best of what this program speaks.
fn remedy(keyword: &str, ours: &[String]) -> String {
    let good = match keyword {
        "KexAlgorithms" => "curve25519-sha256",
        "HostKeyAlgorithms" => {
            return "give the node a key of type ed25519 (ssh-keygen -A) and allow HostKeyAlgorithms +ssh-ed25519"
                .to_owned();
        }
        "Ciphers" => "aes256-gcm@openssh.com",
        _ => "hmac-sha2-256-etm@openssh.com",
    };
    let name = ours.iter().find(|name| *name == good).or(ours.first()).map_or(good, String::as_str);
    format!("{keyword} +{name}")
}

#[cfg(test)]
#[path = "kexinit_tests.rs"]
mod tests;
