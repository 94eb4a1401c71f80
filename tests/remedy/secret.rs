//! A password for sudo that is typed for a change is nowhere afterwards, and in no process meanwhile.

use crate::node::{Node, choices};
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::{Answer as Said, Ask, Question, Secret};
use sitewarden::remedy::{Answer, Memory, Told, Who, confirm, finish, prepare, run};
use sitewarden::store::{Outcome, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Person(String, AtomicUsize);

impl Ask for Person {
    fn ask(&self, question: &Question) -> Said {
        match question {
            Question::SudoPassword { .. } => {
                self.1.fetch_add(1, Ordering::SeqCst);
                Said::Secret(Secret::new(self.0.clone()))
            }
            _ => Said::Nobody,
        }
    }
}

#[test]
fn a_password_for_sudo_is_nowhere() {
    let Some(mut node) = Node::up("the sudo password", 1) else { return };
    node.log_in_as("asks");
    let password = std::env::var("BED_PASSWORD_ASKS").unwrap();
    let person = Arc::new(Person(password.clone(), AtomicUsize::new(0)));
    let memory = Memory::new(Arc::<Person>::clone(&person));
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    let spec = RemedySpec::SshdSetting { set: BTreeMap::from([("MaxAuthTries".to_owned(), "3".to_owned())]) };
    let evidence = node.evidence_asking(&memory);
    let plan = crate::node::plan(&node.name, spec, &[], &evidence).unwrap();
    let way = node.way();
    let prepared = prepare(plan, Some(&way), &memory, choices(60)).unwrap();
    let shown = format!("{prepared:?}");
    let answer = Answer {
        shown: prepared.digest().to_owned(),
        armed: true,
        yes: true,
        typed: prepared.to_be_typed().unwrap_or_default().to_owned(),
    };
    let found = std::cell::RefCell::new(String::new());
    // Brackets around the first letter, so that the grep that looks does not find itself.
    let (first, rest) = password.split_at(1);
    let look = format!(
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c -- '[{first}]{rest}' || true"
    );
    let tell = |told: Told| {
        if matches!(told, Told::Done(_) | Told::Proving) {
            found.borrow_mut().push_str(&node.sh(&look));
        }
    };
    let who = Who::default();
    let ran = run(confirm(prepared, &answer).unwrap(), &way, &memory, &mut store, &who, &tell).unwrap();
    finish(&mut store, &ran, None, None).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(person.1.load(Ordering::SeqCst), 1, "asked once for the scan, the preview, the change and the proof");
    let found = found.into_inner();
    assert!(!found.is_empty() && found.lines().all(|count| count == "0"), "in a process: {found:?}");
    let journal = std::fs::read(store.file()).unwrap();
    let evidence = serde_json::to_string(&evidence).unwrap();
    let on_node =
        node.sh("cat /var/lib/sitewarden/*/* /var/log/auth.log 2>/dev/null || true; journalctl --no-pager -o cat");
    for (what, text) in [
        ("journal", String::from_utf8_lossy(&journal).into_owned()),
        ("evidence", evidence),
        ("node", on_node),
        ("plan", shown),
    ] {
        assert!(!text.contains(&password), "the password is in the {what}");
    }
    let undone = node.undo_asking(&ran.entry, &mut store, &memory);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.picture("/etc/ssh"), before);
}
