#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::remedy::change::NodeChange;
use crate::remedy::{Answer, confirm};
use crate::store::new_entry_id;

impl Open {
    /// An entry of a node that waits, for tests of what shows it.
    pub(crate) fn sample(entry: &Entry, risk: Risk, left: Option<u32>) -> Self {
        let change =
            NodeChange { deactivate: vec!["systemctl reload ssh.service".to_owned()], ..NodeChange::default() };
        let node = entry.target().trim_start_matches("node/");
        let way = |back| End { entry: entry.id.clone(), back, risk, behind: Vec::new(), reports_as: None };
        let back = Some(WayBack { change });
        let ways = vec![
            prepared("Finish", entry, way(None), Vec::new(), node),
            prepared("Put back", entry, way(back), Vec::new(), node),
        ];
        Open { words: "It works there and waits to be confirmed".to_owned(), left, ways, no_way_back: None }
    }
}

fn entry(steps: &[(&str, Option<i32>)]) -> Entry {
    let id = new_entry_id(Timestamp::now()).unwrap();
    let event =
        |kind| Event { entry: id.clone(), at: Timestamp::now(), operator: String::new(), seat: String::new(), kind };
    let begun = EventKind::Begun {
        site: None,
        target: "node/edge1".to_owned(),
        controls: Vec::new(),
        title: "Title".to_owned(),
        risk: "can-lock-out".to_owned(),
        plan_digest: String::new(),
        commands: Vec::new(),
        paths: vec!["/etc/ssh/sshd_config".to_owned()],
        undo: None,
    };
    let step = |(what, status): &(&str, Option<i32>)| {
        event(EventKind::Step { number: 1, what: (*what).to_owned(), status: *status, output: String::new() })
    };
    Entry { id: id.clone(), begun: event(begun), steps: steps.iter().map(step).collect(), ended: None, undone_by: None }
}

#[test]
fn only_what_the_node_said_proves_that_it_must_know_the_entry() {
    assert!(!done_something(&entry(&[])));
    assert!(!done_something(&entry(&[("contact was lost", None)])));
    assert!(done_something(&entry(&[("armed the switch: 90 seconds", None)])));
    assert!(done_something(&entry(&[("Change /etc/ssh/sshd_config", None)])));
    assert!(
        !done_something(&entry(&[("sshd -t -f /etc/ssh/sshd_config", Some(1))])),
        "refused before anything was kept"
    );
}

#[test]
fn each_way_is_confirmed_by_itself_and_what_may_lock_out_by_the_nodes_name() {
    let open = Open::sample(&entry(&[]), Risk::CanLockOut, Some(60));
    let [finish, back] = open.ways.as_slice() else { panic!("{:?}", open.ways) };
    assert_eq!((finish.ends(), back.ends()), (Some(Outcome::Done), Some(Outcome::Reverted)));
    assert_ne!(finish.digest(), back.digest());
    let answer = |shown: &Prepared, typed: &str| Answer {
        shown: shown.digest().to_owned(),
        armed: true,
        yes: true,
        typed: typed.to_owned(),
    };
    assert!(confirm(back.clone(), &answer(finish, "edge1")).is_err(), "the other one was shown");
    assert!(confirm(back.clone(), &answer(back, "yes")).is_err());
    assert!(confirm(back.clone(), &answer(back, "edge1")).is_ok());
    assert!(confirm(finish.clone(), &Answer { armed: false, ..answer(finish, "edge1") }).is_err());
    let shown: Vec<&str> = back.steps().iter().flat_map(|step| step.commands.iter().map(String::as_str)).collect();
    assert_eq!(shown, ["systemctl reload ssh.service"], "what would run is shown");
    assert!(!finish.risk_in_words().contains("puts the old state back"), "nothing does any more");
}
