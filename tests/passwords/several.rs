//! One answer for several nodes.

use super::*;
use sitewarden::channel::Purpose;
use sitewarden::evidence::Seat;
use sitewarden::site::{NodeTarget, Way};
use sitewarden::visit::{Progress, Visit};
use std::sync::Arc;

/// A reading of the same node under several names.
fn several(bed: &Bed, user: &str, options: SshOptions, ask: Arc<dyn Ask>) -> Vec<NodeEvidence> {
    let targets = ["n1", "n2", "n3"].map(|name| {
        let (host, user) = (bed.address.clone(), Some(user.to_owned()));
        NodeTarget::new(name, Way::Ssh { host, port: Some(22), user, identity: None, jump: None })
    });
    let visit = Visit {
        packages: false,
        site: Default::default(),
        cluster: None,
        others: Vec::new(),
        targets: targets.to_vec(),
        endpoints: false,
        before: None,
        ssh: options,
        limits: limits(),
        jobs: 3,
        given: Vec::new(),
        seat: Seat { host: "laptop".into(), user: "ana".into() },
    };
    let quiet: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(|_| ());
    let evidence = visit.collect(&ask, &quiet);
    assert!(!format!("{visit:?}").contains("bed-password"));
    evidence.nodes
}

#[test]
fn one_answer_serves_several_nodes_only_with_consent() {
    let Some(bed) = Bed::up("one_answer_serves_several_nodes_only_with_consent") else { return };
    for (consent, expected) in [(Answer::Yes, 1), (Answer::No, 3)] {
        let said = consent.clone();
        let person = Arc::new(Person::new(move |question, _| match question {
            Question::Reuse { .. } => said.clone(),
            _ => secret(&password_of("asks")),
        }));
        let nodes = several(&bed, "asks", with_key(&bed), Arc::clone(&person) as Arc<dyn Ask>);
        assert!(nodes.iter().all(|node| privilege(node) == Some(Privilege::Sudo)));
        let asked = person.asked();
        let reuse: Vec<&Question> =
            asked.iter().filter(|question| matches!(question, Question::Reuse { .. })).collect();
        assert_eq!(reuse, [&Question::Reuse { purpose: Purpose::Sudo, user: "asks".into(), at: None, others: 2 }]);
        assert_eq!(asked.len() - 1, expected, "{asked:?}");
    }
    let person = Arc::new(Person::new(|question, _| match question {
        Question::Reuse { .. } => Answer::Yes,
        _ => secret(&password_of("guest")),
    }));
    let nodes = several(&bed, "guest", keyless(&bed), Arc::clone(&person) as Arc<dyn Ask>);
    assert!(nodes.iter().all(|node| node.reached));
    let logins = person.asked().into_iter().filter(|question| matches!(question, Question::Password { .. })).count();
    assert_eq!(logins, 1, "{:?}", person.asked());
}
