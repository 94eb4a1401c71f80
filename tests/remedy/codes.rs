//! A node where a key is not enough: each login takes a code that serves once.

use crate::node::{Node, choices};
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::{Answer as Said, Ask, Question, Secret};
use sitewarden::remedy::{Answer, Memory, Who, confirm, finish, prepare, run};
use sitewarden::store::{Outcome, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Somebody with a list of codes.
struct Person(AtomicUsize);

impl Ask for Person {
    fn ask(&self, question: &Question) -> Said {
        match question {
            Question::Prompt { echo: false, .. } => {
                Said::Secret(Secret::new(format!("code-{}", self.0.fetch_add(1, Ordering::SeqCst))))
            }
            _ => Said::Nobody,
        }
    }
}

/// PAM takes the first code of the list, and takes it out; what is refused is counted.
const CODES: &str = r#"cp -a /etc/pam.d/sshd /root/pam.sshd
seq -f 'code-%g' 0 40 >/root/codes; : >/root/refused
cat >/root/code <<'X'
#!/bin/sh
SAID=$(tr -d '\0\n')
[ "$SAID" = "$(head -n 1 /root/codes)" ] || { echo no >>/root/refused; exit 1; }
sed -i 1d /root/codes
X
chmod 700 /root/code
printf 'auth required pam_exec.so quiet expose_authtok /root/code\nauth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n' >/etc/pam.d/sshd
printf 'KbdInteractiveAuthentication yes\nUsePAM yes\nMatch User ops\n    AuthenticationMethods publickey,keyboard-interactive\n' >/etc/ssh/sshd_config.d/50-codes.conf
systemctl reload ssh.service
"#;

const NONE: &str = "mv /root/pam.sshd /etc/pam.d/sshd; rm -f /root/code /root/codes /root/refused /etc/ssh/sshd_config.d/50-codes.conf; systemctl reload ssh.service";

#[test]
fn the_second_login_gets_a_code_of_its_own() {
    let Some(node) = Node::up("one-time codes", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh(CODES);
    let before = node.picture("/etc/ssh");
    let memory = Memory::new(Arc::new(Person(AtomicUsize::new(0))));
    let way = node.way();
    let spec = RemedySpec::SshdSetting { set: BTreeMap::from([("MaxAuthTries".to_owned(), "4".to_owned())]) };
    let evidence = node.evidence_asking(&memory);
    let plan = crate::node::plan(&node.name, spec, &[], &evidence).unwrap();
    let prepared = prepare(plan, Some(&way), &memory, choices(60)).unwrap();
    let answer = Answer {
        shown: prepared.digest().to_owned(),
        armed: true,
        yes: true,
        typed: prepared.to_be_typed().unwrap_or_default().to_owned(),
    };
    let who = Who::default();
    let ran = run(confirm(prepared, &answer).unwrap(), &way, &memory, &mut store, &who, &|_| ()).unwrap();
    finish(&mut store, &ran, None, None).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.sh("sshd -T | grep '^maxauthtries'"), "maxauthtries 4\n");
    assert_eq!(node.sh("wc -l </root/refused"), "1\n", "an old code is tried once, and then never again");
    let undone = node.undo_asking(&ran.entry, &mut store, &memory);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.picture("/etc/ssh"), before);
    assert_eq!(node.sh("wc -l </root/refused"), "1\n");
    node.sh(NONE);
}
