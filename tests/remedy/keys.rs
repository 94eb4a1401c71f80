//! Authorized keys on a real node: in root's file and in a user's own folders.

use crate::node::{Node, choices, evidence_of, plan, run};
use sitewarden::assess::Verdict;
use sitewarden::catalog::{KeyAction, RemedySpec};
use sitewarden::channel::NobodyToAsk;
use sitewarden::evidence::{Evidence, NodeEvidence};
use sitewarden::remedy::{Ran, Refusal, prepare};
use sitewarden::store::{Outcome, Store};

/// The second key of every file below: the first is the bed's own.
const OTHER: &str = "ssh-keygen -q -t ed25519 -N '' -C other -f /root/other-key <<E\ny\nE\n";

const REMOVE: RemedySpec = RemedySpec::AuthorizedKey { action: KeyAction::Remove };
const FROM: RemedySpec = RemedySpec::AuthorizedKey { action: KeyAction::From };

/// What the program sees, with the bed's own network as the site's.
fn seen(node: &Node) -> Evidence {
    let mut evidence = node.evidence();
    let seat = evidence.nodes[0].login.known().unwrap().from.known().unwrap().clone();
    evidence.site.management_networks = Some(vec![format!("{seat}/24"), "fd00::/8".to_owned()]);
    evidence
}

/// Names of the keys of a user, as findings name them.
fn names(node: &NodeEvidence, user: &str) -> Vec<String> {
    node.authorized_keys.items.iter().filter(|key| key.user == user).map(|key| key.name.clone()).collect()
}

fn fix(node: &Node, spec: RemedySpec, items: &[&str], evidence: &Evidence, store: &mut Store) -> Result<Ran, Refusal> {
    let way = node.way();
    let prepared = prepare(plan(&node.name, spec, items, evidence)?, Some(&way), &NobodyToAsk, choices(30))?;
    run(prepared, &way, store, &|_| ())
}

#[test]
fn a_key_of_root_goes_and_comes_back() {
    let Some(node) = Node::up("root's keys", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/root/.ssh");
    assert_eq!(node.verdict("ssh-root-authorized-keys"), Verdict::Fail);
    let evidence = seen(&node);
    let items = names(&evidence.nodes[0], "root");
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let ran = fix(&node, REMOVE, &items, &evidence, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("ssh-root-authorized-keys"), Verdict::Pass);
    assert_eq!(node.sh("cat /root/.ssh/authorized_keys"), "");
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.verdict("ssh-root-authorized-keys"), Verdict::Fail);
    assert_eq!(node.picture("/root/.ssh"), before);
}

#[test]
fn a_key_of_another_user_goes_and_comes_back() {
    let Some(node) = Node::up("a user's keys", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let file = "/home/guest/.ssh/authorized_keys";
    node.sh(&format!(
        "{OTHER}cp -p {file} /root/kept-keys; {{ echo '# people'; cat /root/kept-keys; echo 'restrict,command=\"a, b\" '$(cat /root/other-key.pub); }} >{file}; chmod 640 {file}"
    ));
    let before = node.picture("/home/guest/.ssh");
    let evidence = seen(&node);
    let items = names(&evidence.nodes[0], "guest");
    assert_eq!(items.len(), 2, "{items:?}");
    let ran = fix(&node, REMOVE, &[&items[1]], &evidence, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(
        node.sh(&format!("{{ echo '# people'; cat /root/kept-keys; }} | cmp - {file} && stat -c '%a %U %G' {file}")),
        "640 guest guest\n"
    );
    assert_eq!(node.sh("ls -A /home/guest/.ssh"), "authorized_keys\n", "something is left beside it");
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/home/guest/.ssh"), before);
    assert_eq!(node.sh("ls -A /home/guest/.ssh"), "authorized_keys\n", "something is left beside it");
    node.sh(&format!("cat /root/kept-keys >{file}; chmod 600 {file}; rm /root/other-key*"));
}

#[test]
fn a_key_that_may_be_the_one_in_use_is_left_alone() {
    let Some(node) = Node::up("the key in use", 0) else { return };
    let evidence = seen(&node);
    let items = names(&evidence.nodes[0], "ops");
    let refused = plan(&node.name, REMOVE, &[&items[0]], &evidence).unwrap_err();
    assert!(refused.0.contains("you are logged in as ops"), "{refused}");
}

#[test]
fn keys_are_bound_to_the_management_networks_and_freed_again() {
    let Some(node) = Node::up("from= of keys", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/home /root/.ssh");
    assert_eq!(node.verdict("ssh-authorized-keys-from"), Verdict::Fail);
    let evidence = seen(&node);
    let all: Vec<&str> = evidence.nodes[0].authorized_keys.items.iter().map(|key| key.name.as_str()).collect();
    let ran = fix(&node, FROM, &all, &evidence, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(node.lets_in());
    assert_eq!(node.verdict("ssh-authorized-keys-from"), Verdict::Pass);
    assert!(node.sh("cat /home/busy/.ssh/authorized_keys").starts_with("from=\"10.88."));
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/home /root/.ssh"), before);

    // From outside of the networks, and where there are none, there is no plan.
    let mut elsewhere = evidence.clone();
    elsewhere.site.management_networks = Some(vec!["192.0.2.0/24".to_owned()]);
    let refused = plan(&node.name, FROM, &all, &elsewhere).unwrap_err();
    assert!(refused.0.contains("would shut you out"), "{refused}");
    let refused = plan(&node.name, FROM, &all, &evidence_of(evidence.nodes[0].clone())).unwrap_err();
    assert!(refused.0.contains("names no networks"), "{refused}");
}

#[test]
fn a_key_that_shuts_us_out_comes_back_by_itself_in_a_users_folder() {
    let Some(node) = Node::up("a key that shuts out", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/home/ops/.ssh");
    let mut evidence = seen(&node);
    // The node saw somebody else than who comes now.
    let NodeEvidence { login, .. } = &mut evidence.nodes[0];
    let sitewarden::evidence::Fact::Known(login) = login else { panic!("no login") };
    login.from = sitewarden::evidence::Fact::Known("192.0.2.1".to_owned());
    evidence.site.management_networks = Some(vec!["192.0.2.0/24".to_owned()]);
    let items = names(&evidence.nodes[0], "ops");
    let ran = fix(&node, FROM, &[&items[0]], &evidence, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert!(node.lets_in());
    assert_eq!(node.picture("/home/ops/.ssh"), before);
    assert_eq!(node.sh("ls -A /home/ops/.ssh"), "authorized_keys\n", "something is left beside it");
}

#[test]
fn roots_hands_are_not_led_by_a_users_link() {
    let Some(node) = Node::up("links of users", 0) else { return };
    let evidence = seen(&node);
    let items = names(&evidence.nodes[0], "guest");
    let way = node.way();
    let made = |evidence: &Evidence| plan(&node.name, REMOVE, &[&items[0]], evidence).unwrap();
    node.sh("mv /home/guest/.ssh/authorized_keys /root/kept-keys; su guest -c 'ln -s /root/.ssh/authorized_keys /home/guest/.ssh/authorized_keys'");
    let refused = prepare(made(&evidence), Some(&way), &NobodyToAsk, choices(30)).unwrap_err();
    assert!(refused.0.contains("link"), "{refused}");
    node.sh("rm /home/guest/.ssh/authorized_keys; mv /home/guest/.ssh /root/kept-ssh; ln -s /root/.ssh /home/guest/.ssh; chown -h guest: /home/guest/.ssh");
    let refused = prepare(made(&evidence), Some(&way), &NobodyToAsk, choices(30)).unwrap_err();
    assert!(refused.0.contains("link"), "{refused}");
    // And between the plan and the change.
    node.sh(
        "rm /home/guest/.ssh; mv /root/kept-ssh /home/guest/.ssh; mv /root/kept-keys /home/guest/.ssh/authorized_keys",
    );
    let prepared = prepare(made(&evidence), Some(&way), &NobodyToAsk, choices(30)).unwrap();
    node.sh("mv /home/guest/.ssh /root/kept-ssh; mkdir -p /root/bait; cp /root/kept-ssh/authorized_keys /root/bait; ln -s /root/bait /home/guest/.ssh");
    let bait = node.picture("/root/bait");
    let folder = tempfile::tempdir().unwrap();
    let ran = run(prepared, &way, &mut Store::open(folder.path()).unwrap(), &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    assert_eq!(node.picture("/root/bait"), bait);
    node.sh("rm /home/guest/.ssh; mv /root/kept-ssh /home/guest/.ssh; rm -r /root/bait");
}
