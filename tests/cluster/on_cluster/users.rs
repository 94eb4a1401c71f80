//! The same cluster through the eyes of those who may see less.

use crate::bed::Told;
use crate::bed::{Bed, because, false_passes, said};

#[test]
fn who_may_read_nothing_but_nodes_knows_less_and_says_so() {
    let Some(bed) = Bed::cluster("who_may_read_nothing_but_nodes_knows_less_and_says_so") else { return };
    let full = bed.whole();
    let partial = bed.scan(&[bed.as_user("nodes-only"), bed.by_ssh()]);
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    assert_eq!(partial.target("cluster")["reached"], true, "it answers, and knows the user");
    let forbidden = because(&partial, "cluster", "unknown", "forbidden");
    let known = because(&full, "cluster", "pass", "").len() + because(&full, "cluster", "fail", "").len();
    assert!(forbidden.len() > 10, "of {known}: {forbidden:?}");
    assert_eq!(partial.targets("node"), ["node/node1", "node/node2"], "nodes are joined all the same");
    assert_eq!(partial.json["summary"]["incomplete"], true, "{}", partial.json["targets"]);
    assert_eq!(partial.status, 1, "kubeadm's modes still fail");
    let alone = bed.scan(&[bed.as_user("nodes-only")]);
    assert_eq!(false_passes(&full, &alone), [""; 0]);
}

#[test]
fn the_role_that_users_are_given_is_enough() {
    let Some(bed) = Bed::cluster("the_role_that_users_are_given_is_enough") else { return };
    let full = bed.whole();
    // By certificate, and by the token of a service account.
    for user in ["reader", "token"] {
        let theirs = bed.scan(&[bed.as_user(user), bed.by_ssh()]);
        assert_eq!(theirs.json["summary"]["incomplete"], false, "{}", theirs.json["targets"]);
        let all = full.every();
        let other = theirs.every().into_iter().filter(|found| !all.contains(found));
        let other: Vec<_> = other.map(|(target, control, _)| theirs.on(target, control).to_string()).collect();
        assert_eq!(other, [""; 0], "{user}");
    }
}

#[test]
fn who_may_do_nothing_learns_nothing() {
    let Some(bed) = Bed::cluster("who_may_do_nothing_learns_nothing") else { return };
    let full = bed.whole();
    let partial = bed.scan(&[bed.as_user("nobody")]);
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    assert_eq!(partial.json["summary"]["incomplete"], true);
    assert!(!because(&partial, "cluster", "unknown", "forbidden").is_empty());
}

#[test]
fn what_may_not_be_read_is_told_before_it_is_missed() {
    let Some(bed) = Bed::cluster("what_may_not_be_read_is_told_before_it_is_missed") else { return };
    let mut args = vec!["scan".to_owned()];
    args.extend(bed.as_user("nodes-only"));
    let text = said(&crate::bed::run(&args));
    assert!(text.contains("nodes-only"), "as whom we speak: {text}");
    assert!(text.contains("pods"), "and what that may not read: {text}");
}
