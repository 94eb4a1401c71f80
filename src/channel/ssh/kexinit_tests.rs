#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn list(names: &[&str]) -> Vec<u8> {
    let text = names.join(",");
    [&u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

/// A packet without its length, with these lists and padding.
fn packet(lists: &[&[&str]; 10]) -> Vec<u8> {
    let lists: Vec<u8> = lists.iter().flat_map(|names| list(names)).collect();
    [vec![4, 20], vec![7; 16], lists, vec![0; 5], vec![0; 4]].concat()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn ours() -> Ours {
    Ours {
        kex: owned(&["mlkem768x25519-sha256", "curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"]),
        host_keys: owned(&["ssh-ed25519", "rsa-sha2-512"]),
        ciphers: owned(&["aes256-gcm@openssh.com", "aes256-ctr"]),
        macs: owned(&["hmac-sha2-256-etm@openssh.com"]),
    }
}

const UMAC: &[&str] = &["umac-128-etm@openssh.com"];
const GOOD: [&[&str]; 10] = [
    &["curve25519-sha256", "ext-info-s", "kex-strict-s-v00@openssh.com"],
    &["ssh-ed25519"],
    &["aes256-ctr"],
    &["aes256-ctr", "aes256-cbc"],
    &["hmac-sha2-256-etm@openssh.com"],
    &["hmac-sha2-256-etm@openssh.com", "hmac-sha1"],
    &["none", "zlib@openssh.com"],
    &["none"],
    &[],
    &[],
];

#[test]
fn the_lists_of_a_server_are_told_with_both_directions_in_one() {
    let hello = Hello { greeting: Some(b"SSH-2.0-OpenSSH_9.2\x1b[2J".to_vec()), lists: parse(&packet(&GOOD)) };
    let offer = hello.offer().unwrap();
    assert_eq!(offer.banner, "SSH-2.0-OpenSSH_9.2?[2J");
    assert_eq!(offer.kex, ["curve25519-sha256"], "markers are no algorithms");
    assert!(offer.strict_kex);
    assert_eq!(offer.ciphers, ["aes256-ctr", "aes256-cbc"]);
    assert_eq!(offer.macs, ["hmac-sha2-256-etm@openssh.com", "hmac-sha1"]);
    assert_eq!(offer.compression, ["none", "zlib@openssh.com"]);
}

#[test]
fn what_does_not_meet_is_named_kind_by_kind() {
    assert_eq!(gaps(&ours(), &parse(&packet(&GOOD)).unwrap()), []);
    let mut lists = GOOD;
    lists[0] = &["sntrup761x25519-sha512@openssh.com", "kex-strict-s-v00@openssh.com"];
    lists[4] = UMAC;
    let found = gaps(&ours(), &parse(&packet(&lists)).unwrap());
    assert_eq!(found.iter().map(|gap| gap.what).collect::<Vec<_>>(), ["key exchange", "MAC"]);
    assert_eq!(found[0].offered, ["sntrup761x25519-sha512@openssh.com"]);
    assert_eq!(found[0].remedy, "KexAlgorithms +curve25519-sha256");
    assert_eq!(found[1].offered, UMAC);
}

#[test]
fn a_cipher_that_authenticates_by_itself_needs_no_mac() {
    let mut lists = GOOD;
    (lists[2], lists[3]) = (&["aes256-gcm@openssh.com"], &["aes256-gcm@openssh.com"]);
    (lists[4], lists[5]) = (UMAC, UMAC);
    assert_eq!(gaps(&ours(), &parse(&packet(&lists)).unwrap()), []);
}

#[test]
fn a_packet_that_lies_is_refused() {
    let good = packet(&GOOD);
    assert_eq!(parse(&[]), None);
    for length in 0..good.len() - 10 {
        assert_eq!(parse(&good[..length]), None, "cut at {length}");
    }
    let other_message: Vec<u8> = [&[4, 21], &good[2..]].concat();
    assert_eq!(parse(&other_message), None);
    let all_padding: Vec<u8> = [&[255], &good[1..20]].concat();
    assert_eq!(parse(&all_padding), None);
    let mut control = GOOD;
    control[1] = &["ssh-\x1b[2Jed25519"];
    assert_eq!(parse(&packet(&control)), None);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_taken_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn damage_is_taken_without_harm(place in 0usize..300, value in any::<u8>()) {
        let mut bytes = packet(&GOOD);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = value;
        }
        if let Some(lists) = parse(&bytes) {
            let _ = gaps(&ours(), &lists);
            prop_assert!(lists.kex.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_graphic())));
        }
    }

    #[test]
    fn lists_come_back_as_they_were(kex in proptest::collection::vec("[a-z0-9@.-]{1,64}", 0..20)) {
        let mut lists = GOOD;
        let names: Vec<&str> = kex.iter().map(String::as_str).collect();
        lists[0] = &names;
        prop_assert_eq!(parse(&packet(&lists)).unwrap().kex, kex);
    }
}
