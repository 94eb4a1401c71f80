//! Who can no longer log in after a change of sshd's settings.

use crate::evidence::NodeEvidence;
use crate::remedy::plan::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// The users who can log in and have no key in a file, in a line.
fn without_key(node: &NodeEvidence) -> String {
    let with_key: BTreeSet<&str> = node.authorized_keys.items.iter().map(|key| key.user.as_str()).collect();
    let users = node.users.items.iter().map(|user| user.name.as_str());
    users.filter(|user| !with_key.contains(user)).collect::<Vec<_>>().join(", ")
}

/// Who can no longer log in. Refuses what would shut out the person who asks.
pub(super) fn shut_out(settings: &BTreeMap<String, String>, node: &NodeEvidence) -> Result<Vec<String>, Refusal> {
    let me = node.login.known().map(|login| login.user.as_str());
    let mut notes = Vec::new();
    for (keyword, value) in settings {
        match (keyword.to_ascii_lowercase().as_str(), value.as_str()) {
            ("permitrootlogin", "no") => {
                if me == Some("root") {
                    return Err(Refusal::new(format!(
                        "{}: you are logged in as root, and this would shut root out. Log in as another user who may use sudo",
                        node.name
                    )));
                }
                notes.push(
                    "root can no longer log in by SSH; az aksarc get-logs and other tools may do that".to_owned(),
                );
            }
            ("passwordauthentication" | "kbdinteractiveauthentication", "no") => {
                notes
                    .push("Who logs in by a password needs a key from then on; you too, if you came by one".to_owned());
                let without = without_key(node);
                if !without.is_empty() {
                    notes.push(format!("Without a password these have no key to log in with: {without}"));
                }
            }
            ("authorizedkeyscommand", "none") => {
                notes.push(
                    "Everyone whose key only that program hands out can no longer log in (users of a directory, of Entra ID, of a cloud's \
                     own login)"
                        .to_owned(),
                );
                let without = without_key(node);
                if !without.is_empty() {
                    notes.push(format!("These users have no key in a file: {without}"));
                }
            }
            ("hostbasedauthentication", "no") => {
                notes.push(
                    "Who logs in by the trust in another host (shosts.equiv, ~/.shosts) needs a key from then on"
                        .to_owned(),
                );
            }
            ("gssapiauthentication", "no") => {
                notes.push("Who logs in by a Kerberos ticket needs a key from then on".to_owned());
            }
            _ => {}
        }
    }
    Ok(notes)
}
