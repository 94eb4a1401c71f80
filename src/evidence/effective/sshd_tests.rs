#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Against what `sshd -T` of OpenSSH 9.2 printed for the files in `tests/samples/sshd/`.

use super::super::super::{ChannelKind, ConfigText, Listing, NodeEvidence, Process, SshdDump};
use super::*;
use proptest::prelude::*;

const MAIN: &str = include_str!("../../../tests/samples/sshd/sshd_config");
const CLOUD_INIT: &str = include_str!("../../../tests/samples/sshd/50-cloud-init.conf");
const HARDENING: &str = include_str!("../../../tests/samples/sshd/99-hardening.conf");
const GLOBAL: &str = include_str!("../../../tests/samples/sshd/global.txt");
const ROOT: &str = include_str!("../../../tests/samples/sshd/root-from-10.1.2.3.txt");
const DAVE: &str = include_str!("../../../tests/samples/sshd/dave-from-192.0.2.7.txt");

fn printed(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        settings.entry(keyword.to_owned()).or_default().push(value.to_owned());
    }
    settings
}

fn dump(name: &str, connection: &[(&str, &str)], text: &str) -> SshdDump {
    let connection = connection.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    SshdDump { name: name.to_owned(), connection, settings: Fact::Known(printed(text)), unread: None }
}

fn file(path: &str, text: &str) -> ConfigText {
    ConfigText { path: path.to_owned(), text: Fact::Known(text.to_owned()), modified: Fact::Unread, unread: None }
}

fn daemon(dumps: Listing<SshdDump>) -> SshdDaemon {
    SshdDaemon {
        name: "sshd, /etc/ssh/sshd_config".to_owned(),
        process: Fact::Absent,
        loaded: Fact::Absent,
        config_path: "/etc/ssh/sshd_config".to_owned(),
        serves_login: Fact::Known(true),
        files: Listing::whole(vec![
            file("/etc/ssh/sshd_config", MAIN),
            file("/etc/ssh/sshd_config.d/50-cloud-init.conf", CLOUD_INIT),
            file("/etc/ssh/sshd_config.d/99-hardening.conf", HARDENING),
        ]),
        dumps,
        host_keys: Listing::default(),
        config_valid: Fact::Known(true),
    }
}

fn node(daemons: Listing<SshdDaemon>) -> NodeEvidence {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    node.sshd.version = Fact::Known("OpenSSH_9.2p1 Debian-2+deb12u10".to_owned());
    node.sshd.daemons = daemons;
    node
}

fn sample() -> Reading {
    let there = ["user", "host", "addr", "laddr", "lport"];
    let root: Vec<_> = there.into_iter().zip(["root", "seat", "10.1.2.3", "10.0.0.1", "22"]).collect();
    let dave: Vec<_> = there.into_iter().zip(["dave", "seat", "192.0.2.7", "10.0.0.1", "22"]).collect();
    Reading::of_node(&node(Listing::whole(vec![daemon(Listing::whole(vec![
        dump("global", &[], GLOBAL),
        dump("Match Address 10.0.0.0/8,127.0.0.1", &root, ROOT),
        dump("dave", &dave, DAVE),
    ]))])))
}

fn setting(tree: &Reading, context: usize, keyword: &str) -> Reading {
    tree.at(&format!("sshd.contexts.{context}.settings.{keyword}"))
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn origin(reading: &Reading) -> &str {
    reading.origin.as_deref().unwrap_or_default()
}

fn words(reading: &Reading) -> Vec<String> {
    let Value::List { items, gap: None } = &reading.value else { panic!("{reading:?}") };
    items
        .iter()
        .map(|item| match &item.value {
            Value::Text(text) => text.to_string(),
            Value::Int(int) => int.to_string(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_earlier_drop_in_wins_and_the_origin_names_the_losers() {
    let tree = sample();
    let password = setting(&tree, 0, "passwordauthentication");
    assert_eq!(password.value, text("yes"));
    assert_eq!(
        origin(&password),
        "/etc/ssh/sshd_config.d/50-cloud-init.conf line 2 (overrides /etc/ssh/sshd_config.d/99-hardening.conf line 1; \
         /etc/ssh/sshd_config line 5)"
    );
}

#[test]
fn what_lies_on_the_disk_since_after_the_last_reload_is_not_what_runs() {
    let at = |text: &str| Fact::Known(text.parse().unwrap());
    let settled = |modified: &str, loaded: Fact<jiff::Timestamp>| {
        let mut late = daemon(Listing::whole(vec![dump("global", &[], GLOBAL)]));
        late.files.items[2].modified = at(modified);
        late.loaded = loaded;
        let tree = Reading::of_node(&node(Listing::whole(vec![late])));
        tree.at("sshd.contexts.0.settings.permitrootlogin").value
    };
    assert_eq!(settled("2026-03-01T09:00:00Z", at("2026-03-01T10:00:00Z")), text("prohibit-password"));
    assert_eq!(settled("2026-03-01T10:00:01Z", at("2026-03-01T10:00:00Z")), text("prohibit-password"));
    let Value::Unread(gap) = settled("2026-03-01T10:00:09Z", at("2026-03-01T10:00:00Z")) else { panic!() };
    assert!(gap.detail.contains("99-hardening.conf changed after"), "{}", gap.detail);
    // A daemon that a socket unit starts reads it for every connection.
    assert_eq!(settled("2026-03-01T10:00:09Z", Fact::Absent), text("prohibit-password"));
}

#[test]
fn a_back_door_for_one_network_shows_in_its_context_alone() {
    let tree = sample();
    let global = setting(&tree, 0, "permitrootlogin");
    assert_eq!((global.value.clone(), origin(&global)), (text("prohibit-password"), "/etc/ssh/sshd_config line 8"));
    let matched = setting(&tree, 1, "permitrootlogin");
    assert_eq!(matched.value, text("yes"));
    assert_eq!(
        origin(&matched),
        "/etc/ssh/sshd_config line 19 (Match Address 10.0.0.0/8,127.0.0.1) (overrides /etc/ssh/sshd_config line 8)"
    );
    assert_eq!(setting(&tree, 2, "permitrootlogin").value, text("prohibit-password"));
}

#[test]
fn a_match_in_a_drop_in_is_named_where_it_applies() {
    let tree = sample();
    let dave = setting(&tree, 2, "maxsessions");
    assert_eq!(dave.value, Value::Int(1));
    assert!(origin(&dave).starts_with("/etc/ssh/sshd_config.d/50-cloud-init.conf line 5 (Match User dave)"));
    assert_eq!(origin(&setting(&tree, 0, "maxsessions")), "/etc/ssh/sshd_config.d/99-hardening.conf line 2");
    // `Match all` holds for the daemon as such.
    assert_eq!(origin(&setting(&tree, 0, "maxauthtries")), "/etc/ssh/sshd_config line 17 (Match all)");
}

#[test]
fn what_no_line_sets_is_a_default() {
    let tree = sample();
    let empty = setting(&tree, 0, "permitemptypasswords");
    assert_eq!((empty.value.clone(), origin(&empty)), (text("no"), "default of OpenSSH_9.2p1"));
    // The groups of a connection are not known here, but `Match Group sudo` would have set it to yes.
    let x11 = setting(&tree, 1, "x11forwarding");
    assert_eq!((x11.value.clone(), origin(&x11)), (text("no"), "/etc/ssh/sshd_config line 7"));
}

#[test]
fn values_are_typed() {
    let tree = sample();
    assert_eq!(setting(&tree, 0, "logingracetime").value, Value::Int(60));
    assert_eq!(origin(&setting(&tree, 0, "logingracetime")), "/etc/ssh/sshd_config line 10");
    assert_eq!(setting(&tree, 0, "requiredrsasize").value, Value::Int(1024));
    assert_eq!(words(&setting(&tree, 0, "port")), ["2222"]);
    assert_eq!(words(&setting(&tree, 0, "allowusers")), ["bob", "carol", "alice", "root"]);
    assert_eq!(
        origin(&setting(&tree, 0, "allowusers")),
        "/etc/ssh/sshd_config.d/50-cloud-init.conf line 3; /etc/ssh/sshd_config line 9"
    );
    assert_eq!(words(&setting(&tree, 0, "macs"))[1], "hmac-sha2-256-etm@openssh.com");
    assert_eq!(origin(&setting(&tree, 0, "macs")), "/etc/ssh/sshd_config line 13");
    assert!(words(&setting(&tree, 0, "ciphers")).iter().all(|cipher| !cipher.starts_with("chacha")));
    assert_eq!(setting(&tree, 0, "denyusers").value, Value::Absent);
    assert_eq!(setting(&tree, 0, "maxstartups").value, text("10:30:100"));
    assert_eq!(setting(&tree, 0, "maxstartups_parts.rate").value, Value::Int(30));
    assert_eq!(setting(&tree, 0, "unusedconnectiontimeout").value, text("none"));
    // An old name in the file, today's name in the tree.
    let keyboard = setting(&tree, 0, "kbdinteractiveauthentication");
    assert_eq!(keyboard.value, text("yes"));
    assert!(origin(&keyboard).starts_with("/etc/ssh/sshd_config.d/99-hardening.conf line 5"));
}

#[test]
fn every_line_that_sshd_prints_is_known_and_typed() {
    let tree = sample();
    for (keyword, _) in printed(GLOBAL) {
        assert!(sshd_keywords::find(&keyword).is_some(), "{keyword}");
        assert!(!matches!(setting(&tree, 0, &keyword).value, Value::Unread(_)), "{keyword}");
    }
}

#[test]
fn names_of_other_versions_are_read_as_todays() {
    let dumps = vec![dump(
        "global",
        &[],
        "PermitRootLogin prohibit-password\nChallengeResponseAuthentication no\nPubkeyAcceptedKeyTypes a,b\nMaxAuthTries x",
    )];
    let tree = Reading::of_node(&node(Listing::whole(vec![daemon(Listing::whole(dumps))])));
    assert_eq!(setting(&tree, 0, "permitrootlogin").value, text("prohibit-password"));
    assert_eq!(setting(&tree, 0, "kbdinteractiveauthentication").value, text("no"));
    // Our reading of the files says `yes`: then the files are not named.
    assert_eq!(origin(&setting(&tree, 0, "kbdinteractiveauthentication")), "sshd -T");
    assert_eq!(words(&setting(&tree, 0, "pubkeyacceptedalgorithms")), ["a", "b"]);
    let Value::Unread(gap) = setting(&tree, 0, "maxauthtries").value else { panic!() };
    assert_eq!(gap.reason, Reason::Malformed);
}

#[test]
fn what_was_not_read_stays_in_the_list_with_its_reason() {
    let refused = SshdDump {
        name: "global".to_owned(),
        connection: BTreeMap::new(),
        settings: Fact::Unread,
        unread: Some(Reason::Forbidden),
    };
    let mut node = node(Listing::partial(vec![daemon(Listing::whole(vec![refused])), daemon(Listing::default())]));
    node.unread.push(super::super::super::Unread {
        path: "sshd.daemons".to_owned(),
        reason: Reason::Timeout,
        detail: String::new(),
    });
    let tree = Reading::of_node(&node);
    let Value::List { items, gap } = tree.at("sshd.contexts").value else { panic!() };
    assert_eq!((items.len(), gap.unwrap().reason), (2, Reason::Timeout));
    let Value::Unread(gap) = setting(&tree, 0, "permitrootlogin").value else { panic!() };
    assert_eq!(gap.reason, Reason::Forbidden);
    assert!(matches!(setting(&tree, 1, "permitrootlogin").value, Value::Unread(_)));
    assert_eq!(tree.at("sshd.contexts.0.serves_login").value, Value::Bool(true));
}

#[test]
fn files_that_were_not_all_read_give_no_default_origin() {
    let mut one = daemon(Listing::whole(vec![dump("global", &[], GLOBAL)]));
    one.files.complete = false;
    let tree = Reading::of_node(&node(Listing::whole(vec![one])));
    assert_eq!(origin(&setting(&tree, 0, "permitemptypasswords")), "sshd -T");
}

#[test]
fn an_option_of_the_daemon_that_the_dump_does_not_know_is_not_overlooked() {
    let mut one = daemon(Listing::whole(vec![dump("global", &[], GLOBAL)]));
    let args = ["/usr/sbin/sshd", "-D", "-oPermitEmptyPasswords=yes", "-o", "StrictModes yes"];
    one.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Known(0),
        exe: Fact::Unread,
        args: Fact::Known(args.map(str::to_owned).to_vec()),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    });
    let tree = Reading::of_node(&node(Listing::whole(vec![one])));
    assert!(matches!(setting(&tree, 0, "permitemptypasswords").value, Value::Unread(_)));
    assert_eq!(origin(&setting(&tree, 0, "strictmodes")), "option of the running sshd");
}

proptest! {
    #[test]
    fn any_dump_and_any_files_are_read(
        config in "((Match|Include|Port|Ciphers|PermitRootLogin)[ =]\\PC{0,12}\n){0,8}",
        lines in proptest::collection::vec(("[a-zA-Z]{0,12}|port|maxstartups|logingracetime|ciphers", "\\PC{0,16}"), 0..8),
        args in proptest::collection::vec("(-o|-p|-g|sshd:)?\\PC{0,8}", 0..5),
    ) {
        let text: String = lines.iter().map(|(keyword, value)| format!("{keyword} {value}\n")).collect();
        let mut one = daemon(Listing::whole(vec![dump("x", &[("user", "root")], &text)]));
        one.files = Listing::whole(vec![file("/etc/ssh/sshd_config", &config)]);
        one.process = Fact::Known(Process {
            pid: 1, uid: Fact::Unread, exe: Fact::Unread, args: Fact::Known(args), unit: Fact::Unread,
            started: Fact::Unread, container: Fact::Unread, rejected: String::new(),
        });
        let _ = Reading::of_node(&node(Listing::whole(vec![one])));
    }
}
