//! Rule sets as sites have them, and who can reach what through them. `tests/samples/firewall/README.md` names the sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{Made, assembled, record};
use crate::evidence::{Fact, Firewall, NodeEvidence, Reason};

const NO_V6: &str = "ipv6=no\nlegacy_ip=absent\nlegacy_ip6=absent\nnft=here\nnft_tables=0\n";

fn node(records: &[Made]) -> NodeEvidence {
    assembled(records)
}

/// A node with IPv4 alone whose `iptables-save` prints these rules below `policy` of INPUT.
fn ruled(policy: &str, chains: &str, rules: &str) -> Firewall {
    let saved = format!("*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n{chains}{rules}COMMIT\n# rc 0\n");
    node(&[record("firewall", "-", NO_V6), record("fw.nft.ip", "-", &saved)]).firewall
}

fn ssh(firewall: &Firewall) -> Option<Vec<&str>> {
    firewall.ssh_sources.known().map(|sources| sources.iter().map(String::as_str).collect())
}

fn port(firewall: &Firewall, port: i64) -> Option<Vec<String>> {
    firewall.ports.items.iter().find(|one| one.port == port).unwrap().sources.known().cloned()
}

const ANY: &[&str] = &["0.0.0.0/0"];
const FIRST: &str = "-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n";

#[test]
fn no_rules_let_everybody_in() {
    let open = node(&[record("firewall", "-", &NO_V6.replace("ipv6=no", "ipv6=yes"))]).firewall;
    assert_eq!(open.active, Fact::Known(Vec::new()));
    assert_eq!((ssh(&open).unwrap(), &open.default_input), (vec!["0.0.0.0/0", "::/0"], &Fact::Known("accept".into())));
    assert_eq!(ssh(&ruled("ACCEPT", "", "")).unwrap(), ANY);
    assert_eq!(ssh(&ruled("DROP", "", "")).unwrap(), [""; 0]);
}

#[test]
fn where_sshd_listens_to_ipv4_alone_an_open_ipv6_lets_nobody_in() {
    let saved =
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n# rc 0\n";
    let told = NO_V6.replace("ipv6=no", "ipv6=yes");
    let with = |listen: &str| {
        let listen = record("listen", "-", listen);
        node(&[record("firewall", "-", &told), record("fw.nft.ip", "-", saved), listen]).firewall
    };
    let (v4, v6) = ("tcp\t00000000\t22\t8\t1\tsshd\n", "tcp6\t00000000000000000000000000000000\t22\t9\t1\tsshd\n");
    assert_eq!(ssh(&with(v4)).unwrap(), ["10.0.0.0/8"]);
    assert_eq!(ssh(&with(&format!("{v4}{v6}"))).unwrap(), ["10.0.0.0/8", "::/0"]);
}

#[test]
fn only_what_is_understood_counts_as_a_restriction_or_as_open() {
    let tcp = "-p tcp -m tcp --dport 22";
    for (rules, expected) in [
        (format!("{FIRST}-A INPUT -s 10.0.0.0/8 {tcp} -j ACCEPT\n"), Some(vec!["10.0.0.0/8"])),
        (format!("{FIRST}-A INPUT -s 10.0.0.0/8 -j ACCEPT\n"), Some(vec!["10.0.0.0/8"])),
        (format!("{FIRST}-A INPUT {tcp} -j ACCEPT\n"), Some(ANY.to_vec())),
        (
            format!("{FIRST}-A INPUT {tcp} -m comment --comment \"a -j DROP -s 1.2.3.4\" -j ACCEPT\n"),
            Some(ANY.to_vec()),
        ),
        (
            format!("{FIRST}-A INPUT -p tcp -m multiport --dports 20:25,80 -s 192.168.7.0/24 -j ACCEPT\n"),
            Some(vec!["192.168.7.0/24"]),
        ),
        (format!("-A INPUT ! -s 10.0.0.0/8 {tcp} -j DROP\n-A INPUT {tcp} -j ACCEPT\n"), Some(vec!["10.0.0.0/8"])),
        ("-A INPUT -p udp -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 2200 -j ACCEPT\n".to_owned(), Some(vec![])),
        // each of these may or may not let somebody in: nothing is claimed
        (format!("-A INPUT -i eth1 {tcp} -j ACCEPT\n"), None),
        (format!("-A INPUT {tcp} -m set --match-set mgmt src -j ACCEPT\n"), None),
        (format!("-A INPUT {tcp} -m mark --mark 0x1 -j ACCEPT\n"), None),
        (format!("-A INPUT -s 1.2.3.4/32 {tcp} -j DROP\n-A INPUT {tcp} -j ACCEPT\n"), None),
        (format!("-A INPUT {tcp} -m geoip --source-country DE -j ACCEPT\n"), None),
        (format!("-A INPUT {tcp} -j NFQUEUE --queue-num 0\n"), None),
        (format!("-A INPUT {tcp} -j nowhere\n"), None),
        // a rule that is not understood and drops takes nothing from an upper bound
        (
            format!("-A INPUT {tcp} -m set --match-set bad src -j DROP\n-A INPUT -s 10.0.0.0/8 {tcp} -j ACCEPT\n"),
            Some(vec!["10.0.0.0/8"]),
        ),
        // a bound on how often somebody comes keeps nobody out
        (format!("-A INPUT {tcp} -m limit --limit 3/min -j ACCEPT\n"), Some(ANY.to_vec())),
    ] {
        let found = ruled("DROP", "", &rules);
        assert_eq!(ssh(&found), expected, "{rules}");
    }
}

/// A node with IPv4 alone whose one table of nftables has this base chain and these rules in it.
fn nft(family: &str, chain: &str, rules: &[&str]) -> Firewall {
    let rules: String = rules
        .iter()
        .map(|expr| format!(r#", {{"rule": {{"family": "{family}", "table": "t", "chain": "c", "expr": [{expr}]}}}}"#))
        .collect();
    let table = format!(
        r#"{{"nftables": [{{"table": {{"family": "{family}", "name": "t"}}}}, {{"chain": {{"family": "{family}", "table": "t", "name": "c", "type": "filter", {chain}}}}}{rules}]}}"#
    );
    node(&[record("firewall", "-", &NO_V6.replace("tables=0", "tables=1")), record("fw.table.0", "-", &table)]).firewall
}

#[test]
fn conditions_of_nftables_that_narrow_restrict_nobody_else() {
    let open = r#""hook": "input", "policy": "accept""#;
    let shut = r#""hook": "input", "policy": "drop""#;
    let from = |op: &str, net: &str| {
        format!(
            r#"{{"match": {{"op": "{op}", "left": {{"payload": {{"protocol": "ip", "field": "saddr"}}}}, "right": {{"prefix": {{"addr": "{net}", "len": 16}}}}}}}}"#
        )
    };
    let fib = |flag: &str| {
        format!(
            r#"{{"match": {{"op": "==", "left": {{"fib": {{"result": "type", "flags": ["{flag}"]}}}}, "right": "local"}}}}, {{"drop": null}}"#
        )
    };
    let state = |right: &str| {
        format!(
            r#"{{"match": {{"op": "in", "left": {{"ct": {{"key": "state"}}}}, "right": {right}}}}}, {{"accept": null}}"#
        )
    };
    let (ten, other) = (from("!=", "10.1.0.0"), from("!=", "10.2.0.0"));
    // whose source is the node's own address: nobody else is dropped, whether everybody passes is not claimed
    assert_eq!(ssh(&nft("inet", open, &[&fib("saddr")])), None);
    assert_eq!(ssh(&nft("inet", open, &[&fib("daddr")])).unwrap(), [""; 0]);
    // all but one network of a larger one, and all but two networks
    let within = format!(r#"{}, {ten}, {{"drop": null}}"#, from("==", "10.0.0.0").replace("16", "8"));
    assert_eq!(ssh(&nft("inet", open, &[&within])), None);
    assert_eq!(ssh(&nft("inet", open, &[&format!(r#"{ten}, {other}, {{"drop": null}}"#)])), None);
    assert_eq!(ssh(&nft("inet", open, &[&format!(r#"{ten}, {{"drop": null}}"#)])).unwrap(), ["10.1.0.0/16"]);
    // states in a form that is not known, and untracked ones, may let in somebody
    for right in [r#"{"|": ["established", "new"]}"#, r#""@states""#, r#"["established", "untracked"]"#] {
        assert_eq!(ssh(&nft("inet", shut, &[&state(right)])), None, "{right}");
    }
    assert_eq!(ssh(&nft("inet", shut, &[&state(r#"["established", "new"]"#)])).unwrap(), ANY);
    // a chain of one device says nothing of the others
    let device = r#""hook": "ingress", "dev": "eth1", "policy": "drop""#;
    assert_eq!(ssh(&nft("netdev", device, &[])), None);
}

#[test]
fn marks_of_calico_count_where_it_guards_the_node_itself() {
    let chains = ":cali-INPUT - [0:0]\n:cali-fh-any-interface-at-all - [0:0]\n:cali-pi-ops - [0:0]\n";
    let rules = "-A INPUT -j cali-INPUT\n-A cali-INPUT -j cali-fh-any-interface-at-all\n\
        -A cali-fh-any-interface-at-all -j MARK --set-xmark 0x0/0x30000\n-A cali-fh-any-interface-at-all -j cali-pi-ops\n\
        -A cali-fh-any-interface-at-all -m mark --mark 0x10000/0x10000 -j RETURN\n\
        -A cali-fh-any-interface-at-all -m comment --comment \"Drop if no profiles matched\" -j DROP\n\
        -A cali-pi-ops -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x10000/0x10000\n";
    assert_eq!(ssh(&ruled("ACCEPT", chains, rules)), None);
}

#[test]
fn two_halves_are_everywhere() {
    let rules = "-A INPUT -s 0.0.0.0/1 -j ACCEPT\n-A INPUT -s 128.0.0.0/1 -j ACCEPT\n";
    assert_ne!(ssh(&ruled("DROP", "", rules)), Some(vec!["0.0.0.0/1", "128.0.0.0/1"]));
}

#[test]
fn chains_are_followed_and_loops_end() {
    let chains = ":ssh - [0:0]\n:loop - [0:0]\n";
    let jump = "-A INPUT -p tcp -m tcp --dport 22 -j ssh\n-A ssh -s 10.1.0.0/16 -j ACCEPT\n-A ssh -s 10.0.0.0/8 -j RETURN\n-A ssh -j DROP\n";
    assert_eq!(ssh(&ruled("DROP", chains, jump)).unwrap(), ["10.1.0.0/16"]);
    // who returns comes to the policy
    assert_eq!(ssh(&ruled("ACCEPT", chains, jump)), None);
    let goes = "-A INPUT -s 10.0.0.0/8 -g ssh\n-A INPUT -j DROP\n-A ssh -p tcp -m tcp --dport 22 -j ACCEPT\n";
    assert_eq!(ssh(&ruled("DROP", chains, goes)).unwrap(), ["10.0.0.0/8"]);
    assert_eq!(ssh(&ruled("DROP", chains, "-A INPUT -j loop\n-A loop -j loop\n-A loop -j loop\n")), None);
}

#[test]
fn chains_of_the_cluster_do_not_confuse_it() {
    let chains = ":KUBE-FIREWALL - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-EXTERNAL-SERVICES - [0:0]\n:cali-INPUT - [0:0]\n:CILIUM_INPUT - [0:0]\n";
    let kube = "-A INPUT -m comment --comment \"cali:Cz_u1IQiXIMmKD4c\" -j cali-INPUT\n\
        -A INPUT -m comment --comment \"cilium-feeder: CILIUM_INPUT\" -j CILIUM_INPUT\n\
        -A INPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-EXTERNAL-SERVICES\n\
        -A INPUT -m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS\n-A INPUT -j KUBE-FIREWALL\n\
        -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n\
        -A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP\n\
        -A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment \"x has no endpoints\" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j REJECT --reject-with icmp-port-unreachable\n\
        -A cali-INPUT -i cali+ -g cali-wl-to-host\n-A cali-INPUT -m mark --mark 0x10000/0x10000 -j ACCEPT\n\
        -A CILIUM_INPUT -m mark --mark 0x200/0xf00 -m comment --comment \"cilium: ACCEPT for proxy traffic\" -j ACCEPT\n";
    assert_eq!(ssh(&ruled("ACCEPT", chains, kube)).unwrap(), ANY);
    let own = format!("{kube}-A INPUT -s 10.9.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT\n");
    assert_eq!(ssh(&ruled("DROP", chains, &own)).unwrap(), ["10.9.0.0/16"]);
}

#[test]
fn ufw_is_understood() {
    let records = [
        record("firewall", "-", &NO_V6.replace("ipv6=no", "ipv6=yes")),
        record("fw.nft.ip", "-", include_str!("../../../../tests/samples/firewall/ufw.v4.txt")),
        record("fw.nft.ip6", "-", include_str!("../../../../tests/samples/firewall/ufw.v6.txt")),
        record("listen", "-", "tcp\t00000000\t2222\t7\t1\tsshd\ntcp\t00000000\t22\t8\t1\tsshd\n"),
    ];
    let found = node(&records).firewall;
    assert_eq!(found.active, Fact::Known(vec!["ufw".to_owned()]));
    assert_eq!(port(&found, 22).unwrap(), ["10.0.0.0/8"]);
    assert_eq!(port(&found, 6443).unwrap(), [""; 0]);
    assert_eq!(found.default_input, Fact::Known("drop".into()));
    // `ufw limit` keeps nobody out; for IPv6 there is no such rule in this set
    assert_eq!(port(&found, 2222).unwrap(), ANY);
    assert_eq!(ssh(&found).unwrap(), ["10.0.0.0/8", "0.0.0.0/0"]);
    let rule = found.rules.items.iter().find(|rule| rule.port == 22).unwrap();
    assert_eq!(rule.name, "iptables filter ufw-user-input: tcp 22 from 10.0.0.0/8 accept");
}

#[test]
fn nftables_are_understood_with_their_sets() {
    let told = NO_V6.replace("ipv6=no", "ipv6=yes").replace("tables=0", "tables=1");
    let table = include_str!("../../../../tests/samples/firewall/nftables.json");
    let found = node(&[record("firewall", "-", &told), record("fw.table.0", "-", table)]).firewall;
    assert_eq!(found.active, Fact::Known(vec!["nftables".to_owned()]));
    assert_eq!(ssh(&found).unwrap(), ["10.20.0.0/16", "192.168.1.5/32"]);
    assert_eq!(port(&found, 6443).unwrap(), ["10.0.0.0/8", "172.16.0.0/12"]);
    assert_eq!(port(&found, 2379).unwrap(), [""; 0]);
    assert_eq!(found.default_input, Fact::Known("drop".into()));
    assert_eq!((found.rules.complete, found.rules.items.len()), (true, 5));
    // a set that fills while packets pass says nothing
    let dynamic = table.replace("[\"interval\"]", "[\"interval\", \"timeout\"]");
    let found = node(&[record("firewall", "-", &told), record("fw.table.0", "-", &dynamic)]).firewall;
    assert_eq!(ssh(&found), None);
}

#[test]
fn firewalld_is_understood() {
    let told = NO_V6.replace("tables=0", "tables=1");
    let table = include_str!("../../../../tests/samples/firewall/firewalld.json");
    let found = node(&[record("firewall", "-", &told), record("fw.table.0", "-", table)]).firewall;
    assert_eq!(found.active, Fact::Known(vec!["firewalld".to_owned()]));
    assert_eq!(ssh(&found).unwrap(), ["10.7.0.0/16"]);
    assert_eq!(port(&found, 10250).unwrap(), [""; 0]);
}

#[test]
fn what_was_not_read_whole_claims_nothing() {
    let rules = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
    let whole = format!("{rules}# rc 0\n");
    for (told, saved, reason) in [
        (NO_V6.to_owned(), record("fw.nft.ip", "-", rules), Reason::Malformed),
        (NO_V6.to_owned(), record("fw.nft.ip", "-", &format!("{rules}# rc 1\n")), Reason::Malformed),
        (NO_V6.to_owned(), record("fw.nft.ip", "c", &whole), Reason::TooLarge),
        (NO_V6.to_owned(), record("fw.nft.ip", "-", &format!("nonsense\n{whole}")), Reason::Unsupported),
        (NO_V6.replace("nft=here", "nft=unsupported"), record("fw.nft.ip", "-", &whole), Reason::Unsupported),
        (NO_V6.replace("tables=0", "tables=1"), record("fw.table.0", "-", "not json"), Reason::Malformed),
        (NO_V6.replace("tables=0", "tables=1\nnft_more=yes"), record("fw.table.0", "-", "{}"), Reason::TooLarge),
        (
            NO_V6.replace("legacy_ip=absent", "legacy_ip=unsupported"),
            record("fw.nft.ip", "-", &whole),
            Reason::Unsupported,
        ),
    ] {
        let node = node(&[record("firewall", "-", &told), saved]);
        if told == NO_V6 && reason == Reason::Unsupported {
            continue; // text before the first table is a remark
        }
        assert_eq!((&node.firewall.ssh_sources, &node.firewall.active), (&Fact::Unread, &Fact::Unread), "{told}");
        assert!(
            node.unread.iter().any(|gap| gap.path == "firewall" && gap.reason == reason),
            "{told}: {:?}",
            node.unread
        );
    }
    let closed = node(&[record("firewall", "f", "")]);
    assert!(closed.unread.iter().any(|gap| gap.path == "firewall" && gap.reason == Reason::Forbidden));
}
