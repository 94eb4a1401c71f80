#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{Made, assembled, blank, frames, record};
use super::*;
use crate::evidence::{Fact, Reading, Reason, Value};
use proptest::prelude::*;

/// Keys of the protocol.
const KEYS: [&str; 36] = [
    "login",
    "host",
    "host.os-release",
    "host.modules",
    "host.mounts",
    "units",
    "kubelet.environment",
    "proc",
    "proc.1.args",
    "proc.2.args",
    "login.chain",
    "sshd",
    "sshd.0",
    "sshd.0.test",
    "sshd.0.files",
    "sshd.0.file.0",
    "sshd.0.dump.0",
    "sshd.0.dump.1",
    "sshd.0.dumps",
    "sshd.0.hostkeys",
    "users",
    "keys",
    "keys.source",
    "listen",
    "paths",
    "stat",
    "certs",
    "files",
    "file.0",
    "file.1",
    "file.2",
    "version.kubelet",
    "version.etcd",
    "static-pods",
    "sshd.1",
    "sshd.1.dumps",
];

/// Fragments that sound like the protocol, so that arbitrary payloads get deep.
const WORDS: [&str; 60] = [
    "privilege=root",
    "user=x",
    "time=1700000000",
    "kernel=6.1.0-1-amd64",
    "virt=none",
    "hidepid=no",
    "uefi=yes",
    "secure_boot=1",
    "reboot_file=/run/reboot-required",
    "reboot_files=3",
    "boot_time=1",
    "clk_tck=100",
    "lsm=a,b",
    "here",
    "absent",
    "forbidden",
    "refused",
    "listing",
    "-",
    "?",
    "\t",
    "\t",
    "\t",
    "\t",
    "\n",
    "\n",
    "\n",
    "0",
    "1",
    "2",
    "22",
    "755",
    "kubelet",
    "etcd",
    "sshd",
    "host",
    "container",
    "config",
    "manifest",
    "drop-in",
    "environment",
    "/etc/x",
    "/kubepods/x",
    "root",
    "tcp",
    "0100007F",
    "file",
    "key",
    "regular file",
    "= here /a\n",
    "-----BEGIN CERTIFICATE-----\n",
    "a: b\n",
    "{",
    "spec:",
    "port 22\n",
    "global\t-\t-\n",
    "config=/etc/ssh/sshd_config\n",
    "config_state=here\n",
    "same",
    "\u{1b}[2J\u{0}\r",
];

fn payload() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![4 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,6}"],
        0..60,
    )
    .prop_map(|words| words.concat())
}

fn arbitrary() -> impl Strategy<Value = Vec<Made>> {
    let one = (prop::sample::select(&KEYS[..]), "[ctfaurnb]{0,2}", payload())
        .prop_map(|(key, flags, payload)| record(key, if flags.is_empty() { "-" } else { &flags }, &payload));
    prop::collection::vec(one, 0..40).prop_map(|mut records| {
        let mut seen = std::collections::BTreeSet::new();
        records.retain(|(key, _, _)| seen.insert(key.clone()));
        records
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_answer_makes_it_panic_or_brings_control_characters(records in arbitrary()) {
        let node = assembled(&records);
        let json = serde_json::to_string(&node).unwrap();
        prop_assert!(!json.contains("\\u001b") && !json.contains("\\u0000"), "{}", json);
        let _ = Reading::of_node(&node);
    }

    #[test]
    fn what_is_forbidden_has_no_value(bodies in prop::collection::vec(payload(), KEYS.len())) {
        let records: Vec<Made> = KEYS.iter().zip(&bodies).map(|(key, body)| record(key, "f", body)).collect();
        let node = assembled(&records);
        let mut nothing = blank(true);
        nothing.unread = node.unread.clone();
        prop_assert_eq!(node, nothing);
    }
}

#[test]
fn an_answer_without_records_reads_nothing_and_says_so() {
    let node = assembled(&[]);
    for path in
        ["clock", "os", "kernel.running", "listeners", "files", "kubelet", "sshd.daemons", "authorized_keys", "users"]
    {
        let tree = Reading::of_node(&node);
        let value = tree.at(path).value;
        let open = match &value {
            Value::Unread(_) => true,
            Value::List { gap, items } => gap.is_some() && items.is_empty(),
            Value::Map { entries, .. } => !entries.values().any(|e| matches!(e.value, Value::Bool(_) | Value::Text(_))),
            _ => false,
        };
        assert!(open, "{path}: {value:?}");
    }
    assert!(node.unread.iter().all(|gap| gap.reason == Reason::NotVisible), "{:?}", node.unread);
}

#[test]
fn a_cut_answer_leaves_the_reasons_to_its_root() {
    let mut whole = frames(&[record("host", "-", "kernel=6.1\n")]);
    whole.complete = false;
    let node = assemble(&whole, blank(false));
    assert_eq!(node.kernel.running, Fact::Known("6.1".into()));
    assert_eq!((&node.kubelet.exists, &node.firmware.uefi), (&Fact::Unread, &Fact::Unread));
    assert!(node.unread.is_empty(), "{:?}", node.unread);
}
