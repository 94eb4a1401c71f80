//! Settings of sshd on a real node: put right, proved, taken back.

use crate::node::Node;
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::store::{Outcome, Store};
use std::collections::BTreeMap;

fn set(keyword: &str, value: &str) -> RemedySpec {
    RemedySpec::SshdSetting { set: BTreeMap::from([(keyword.to_owned(), value.to_owned())]) }
}

#[test]
fn a_setting_fails_is_put_right_and_fails_again_after_undo() {
    let Some(node) = Node::up("sshd setting", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    assert_eq!(node.verdict("sshd-max-auth-tries"), Verdict::Fail);
    let ran = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("sshd-max-auth-tries"), Verdict::Pass);
    assert!(node.sh("sshd -T").contains("maxauthtries 3\n"));
    assert!(
        node.sh("systemctl list-timers --all; ls /etc/systemd/system").find("sitewarden").is_none(),
        "the switch is left"
    );
    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.verdict("sshd-max-auth-tries"), Verdict::Fail);
    assert_eq!(node.picture("/etc/ssh"), before);
    let again = node.undo(&ran.entry, &mut store).unwrap_err();
    assert!(again.0.contains("taken back already"), "{again}");
    assert!(store.verify(None).unwrap().problems.is_empty());
}

#[test]
fn a_setting_that_shuts_us_out_comes_back_at_once() {
    let Some(node) = Node::up("sshd lock-out", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    let ran = node.fix(set("PubkeyAuthentication", "no"), &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert!(ran.note.contains("second login failed"), "{}", ran.note);
    assert!(node.lets_in());
    assert_eq!(node.picture("/etc/ssh"), before);
}

#[test]
fn what_sshd_refuses_changes_nothing() {
    let Some(node) = Node::up("sshd refusal", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let plan = node.plan(set("LogLevel", "VERBOSE"), &[]).unwrap();
    // Somebody breaks the configuration between plan and preview.
    node.sh("echo 'Nonsense yes' > /etc/ssh/sshd_config.d/50-broken.conf");
    let before = node.picture("/etc/ssh");
    let way = node.way();
    let refused =
        sitewarden::remedy::prepare(plan, Some(&way), &sitewarden::channel::NobodyToAsk, crate::node::choices(30));
    assert!(refused.as_ref().unwrap_err().0.contains("would refuse"), "{refused:?}");
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("rm /etc/ssh/sshd_config.d/50-broken.conf");

    // And between preview and change.
    let plan = node.plan(set("LogLevel", "VERBOSE"), &[]).unwrap();
    let ask = sitewarden::channel::NobodyToAsk;
    let prepared = sitewarden::remedy::prepare(plan, Some(&way), &ask, crate::node::choices(30)).unwrap();
    node.sh("echo 'Nonsense yes' > /etc/ssh/sshd_config.d/50-broken.conf");
    let before = node.picture("/etc/ssh");
    let ran = crate::node::run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("rm /etc/ssh/sshd_config.d/50-broken.conf");
    assert!(node.lets_in());
}

#[test]
fn a_match_block_that_decides_is_changed_and_comes_back_to_the_byte() {
    let Some(node) = Node::up("sshd match", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("printf 'X11Forwarding yes # early\\n' > /etc/ssh/sshd_config.d/00-a.conf; printf 'Match User ops\\n\\tX11Forwarding yes\\n' > /etc/ssh/sshd_config.d/90-match.conf; systemctl reload ssh");
    let before = node.picture("/etc/ssh");
    let ran = node.fix(set("X11Forwarding", "no"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(node.sh("sshd -T -C user=ops,host=a,addr=10.0.0.1").contains("x11forwarding no\n"));
    assert!(node.sh("sshd -T").contains("x11forwarding no\n"));
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("rm /etc/ssh/sshd_config.d/00-a.conf /etc/ssh/sshd_config.d/90-match.conf");
    node.reload_sshd();
}

#[test]
fn an_undo_refuses_where_somebody_else_has_changed_the_file_since() {
    let Some(node) = Node::up("undo refusal", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let ran = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    node.sh("cp -p /etc/ssh/sshd_config.d/00-sitewarden.conf /root/kept; echo 'LogLevel VERBOSE' >> /etc/ssh/sshd_config.d/00-sitewarden.conf");
    let refused = node.undo(&ran.entry, &mut store).unwrap_err();
    assert!(refused.0.contains("has changed since"), "{refused}");
    node.sh("mv /root/kept /etc/ssh/sshd_config.d/00-sitewarden.conf");
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    node.sh("[ ! -e /etc/ssh/sshd_config.d/00-sitewarden.conf ]");
}

#[test]
fn modes_are_put_right_without_reading_and_come_back() {
    let Some(node) = Node::up("file mode", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("install -m 644 -o 0 -g 42 /etc/hostname /etc/ssh/test_key; chown 7 /etc/ssh/test_key");
    let before = node.picture("/etc/ssh");
    let spec = RemedySpec::FileMode { mode: "600".to_owned(), uid: Some(0), gid: Some(0) };
    let ran = node.fix(spec, &["/etc/ssh/test_key"], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.sh("stat -c '%a %u %g' /etc/ssh/test_key"), "600 0 0\n");
    // The journal and what the node keeps hold no hash of a file that may be secret.
    let hash = node.sh("sha256sum </etc/ssh/test_key | cut -c1-64");
    assert!(!node.sh("cat /var/lib/sitewarden/*/*").contains(hash.trim()));
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("rm /etc/ssh/test_key");
}

#[test]
fn a_path_that_others_could_redirect_is_left_alone() {
    let Some(node) = Node::up("unsound paths", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("mkdir -p -m 777 /opt/open; install -m 644 /etc/hostname /opt/open/file; chmod 777 /opt/open");
    let spec = RemedySpec::FileMode { mode: "600".to_owned(), uid: None, gid: None };
    let refused = node.fix(spec.clone(), &["/opt/open/file"], 30, &mut store).unwrap_err();
    assert!(refused.0.contains("written by others"), "{refused}");
    node.sh("rm -r /opt/open; mkdir -m 755 /opt/theirs; install -m 644 /etc/hostname /opt/theirs/file; chown -R ops /opt/theirs");
    let refused = node.fix(spec, &["/opt/theirs/file"], 30, &mut store).unwrap_err();
    assert!(refused.0.contains("does not belong to root"), "{refused}");
    node.sh("rm -r /opt/theirs");
}

#[test]
fn an_sshd_that_a_socket_starts_for_each_connection_is_changed_too() {
    let Some(node) = Node::up("ssh.socket", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("systemctl stop ssh.service; systemctl start ssh.socket");
    let before = node.picture("/etc/ssh");
    let ran = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("sshd-max-auth-tries"), Verdict::Pass);
    // What shuts us out there is met by the second login as well.
    let ran_out = node.fix(set("PubkeyAuthentication", "no"), &[], 30, &mut store).unwrap();
    assert_eq!(ran_out.outcome, Outcome::Reverted, "{}", ran_out.note);
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("systemctl stop ssh.socket; systemctl reset-failed; systemctl start ssh.service");
}

#[test]
fn two_people_cannot_change_one_node_at_once() {
    let Some(node) = Node::up("the lock", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    // Somebody else's change waits to be confirmed.
    node.sh("mkdir -p -m 700 /var/lib/sitewarden/theirs; chmod 700 /var/lib/sitewarden; touch /var/lib/sitewarden/theirs/armed; ln -sfn theirs /var/lib/sitewarden/lock");
    let ran = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    assert!(ran.note.contains("another change is under way") && ran.note.contains("theirs"), "{}", ran.note);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh("rm -r /var/lib/sitewarden/theirs");
    let ran = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "the lock of one who has gone is taken over: {}", ran.note);
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
}

#[test]
fn what_the_command_line_decides_is_not_changed_in_vain_and_the_place_is_named() {
    let Some(node) = Node::up("sshd options", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("cp -p /etc/default/ssh /root/kept; cp /etc/ssh/sshd_config /etc/ssh/other_config
         echo 'SSHD_OPTS=\"-oMaxAuthTries=5 -f /etc/ssh/other_config\"' >>/etc/default/ssh; systemctl restart ssh");
    let before = node.picture("/etc/ssh");
    let refused = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap_err();
    assert!(refused.0.contains("It stands in /etc/default/ssh: take it out there"), "{refused}");
    assert_eq!(node.picture("/etc/ssh"), before);
    // Another setting is changed, in the file that -f names.
    let plan = node.plan(set("LoginGraceTime", "30"), &[]).unwrap();
    let way = node.way();
    let ask = sitewarden::channel::NobodyToAsk;
    let prepared = sitewarden::remedy::prepare(plan, Some(&way), &ask, crate::node::choices(30)).unwrap();
    assert!(format!("{:?}", prepared.change()).contains("other_config"), "{:?}", prepared.change());
    node.sh("mv /root/kept /etc/default/ssh; rm /etc/ssh/other_config; systemctl restart ssh");
}

/// Nodes with a change of `keyword` to `value`, made and taken back: what sshd does in between.
fn there_and_back(node: &Node, store: &mut Store, keyword: &str, value: &str) -> String {
    let before = node.picture("/etc/ssh");
    let ran = node.fix(set(keyword, value), &[], 30, store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    let does = node.sh("sshd -T");
    assert_eq!(node.undo(&ran.entry, store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    does
}

#[test]
fn a_value_of_two_names_a_keyword_whose_last_line_counts_and_a_link() {
    let Some(node) = Node::up("sshd's ways", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh("cd /etc/ssh/sshd_config.d; printf 'PermitRootLogin yes\\nMaxStartups 100:30:200\\n' >10-t.conf; \
             printf 'X11Forwarding yes\\n' >../linked.conf; ln -s ../linked.conf 00-l.conf; systemctl reload ssh");
    let does = there_and_back(&node, &mut store, "PermitRootLogin", "prohibit-password");
    assert!(
        does.contains("permitrootlogin without-password\n") || does.contains("permitrootlogin prohibit-password\n")
    );
    let does = there_and_back(&node, &mut store, "MaxStartups", "10:30:60");
    assert!(does.contains("maxstartups 10:30:60\n"), "{does}");
    let does = there_and_back(&node, &mut store, "X11Forwarding", "no");
    assert!(does.contains("x11forwarding no\n"), "{does}");
    node.sh("[ -L /etc/ssh/sshd_config.d/00-l.conf ]");
    node.sh("cd /etc/ssh/sshd_config.d; rm 10-t.conf 00-l.conf ../linked.conf");
    node.reload_sshd();
}

/// Access lists and attributes by the kernel's own calls, since the node has no tools for them: an access list that lets the
/// user 1 read the file, and an attribute.
const ACCESS: &str = r#"
list() { perl -e 'my ($n, $v) = ("system.posix_acl_access", "\0" x 100); my $l = syscall(191, $ARGV[0], $n, $v, 100);
    my ($m, $w) = ("user.note", "\0" x 9); my $k = syscall(191, $ARGV[0], $m, $w, 9);
    print unpack("H*", substr($v, 0, $l < 0 ? 0 : $l)), " ", substr($w, 0, $k < 0 ? 0 : $k), "\n"' "$1"; }
"#;

#[test]
fn what_else_belongs_to_a_file_stays_with_it() {
    let Some(node) = Node::up("access lists", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh(r#"f=/etc/ssh/sshd_config.d/00-a.conf; printf 'X11Forwarding yes\n' >$f; chmod 640 $f; perl -e '
        my ($n, $v) = ("system.posix_acl_access", pack("V" . "vvV" x 5, 2, 1,6,-1, 2,4,1, 4,0,-1, 16,4,-1, 32,0,-1));
        syscall(188, $ARGV[0], $n, $v, length $v, 0) == 0 or die; my ($m, $w) = ("user.note", "kept");
        syscall(188, $ARGV[0], $m, $w, 4, 0) == 0 or die' $f; systemctl reload ssh"#);
    let list = || {
        node.sh(&format!(
            "{ACCESS} stat -c '%a %u %g' /etc/ssh/sshd_config.d/00-a.conf; list /etc/ssh/sshd_config.d/00-a.conf"
        ))
    };
    let before = list();
    assert!(before.ends_with(" kept\n") && before.len() > 50, "{before}");
    let ran = node.fix(set("X11Forwarding", "no"), &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.sh("cat /etc/ssh/sshd_config.d/00-a.conf"), "X11Forwarding no\n");
    assert_eq!(list(), before);
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(list(), before);
    node.sh("rm /etc/ssh/sshd_config.d/00-a.conf");
    node.reload_sshd();
}

#[test]
fn an_undo_that_was_itself_taken_back_is_a_change_again() {
    let Some(node) = Node::up("undo of an undo", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    let first = node.fix(set("MaxAuthTries", "3"), &[], 30, &mut store).unwrap().entry;
    let back = node.undo(&first, &mut store).unwrap().entry;
    let again = node.undo(&back, &mut store).unwrap().entry;
    assert!(node.sh("sshd -T").contains("maxauthtries 3\n"));
    let refused = node.undo(&first, &mut store).unwrap_err().0;
    assert!(refused.contains(&back) && refused.contains(&format!("take {again} back instead")), "{refused}");
    let open: Vec<String> = sitewarden::remedy::entries(&node.way(), &sitewarden::channel::NobodyToAsk)
        .unwrap()
        .into_iter()
        .filter(|entry| entry.can_be_undone && entry.is_change && [&first, &back, &again].contains(&&entry.entry))
        .map(|entry| entry.entry)
        .collect();
    assert_eq!(open, std::slice::from_ref(&again));
    assert_eq!(node.undo(&again, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
}
