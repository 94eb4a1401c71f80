//! Authorized keys: taken out of their files, or bound to the networks from which the site is managed. A file in a user's
//! own folders is changed with that user's rights.

use super::{About, seat};
use crate::assess::Verdict;
use crate::catalog::KeyAction;
use crate::evidence::{AuthorizedKey, NodeEvidence};
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::authorized_keys::{fingerprint, remove_key, restrict_from};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::networks::Networks;
use crate::remedy::plan::{Refusal, Risk};
use std::collections::BTreeSet;

/// Keys that are changed.
#[derive(Debug, Clone, PartialEq)]
pub struct KeysOp {
    keys: Vec<Key>,
    /// Of a person at the local channel: the ports of sshd.
    local: Option<BTreeSet<u16>>,
}

/// One key in one file.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    file: String,
    /// Number of the user whom it lets in.
    uid: u32,
    fingerprint: String,
    /// The networks that it is bound to. None: it goes.
    from: Option<Vec<String>>,
}

/// What is done for `authorized-key`, and who is shut out by it.
pub(super) fn plan(action: KeyAction, about: &About<'_>) -> Result<(KeysOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let from = match action {
        KeyAction::Remove => None,
        KeyAction::From => Some(Networks::of(about.evidence, node)?.names()),
    };
    let mut keys = Vec::new();
    let (mut notes, mut left) = (Vec::new(), Vec::new());
    for item in about.finding.items.iter().filter(|item| item.verdict == Verdict::Fail) {
        let by_hand = |why: &str| {
            format!(
                "{} is left alone: {why}. `ssh-keygen -lf FILE` names the keys of a file; change it by hand",
                item.name
            )
        };
        let Some(key) = node.authorized_keys.items.iter().find(|key| key.name == item.name) else {
            left.push(by_hand("it was not read"));
            continue;
        };
        let Some(print) = key.fingerprint.known().filter(|print| print.starts_with("SHA256:")) else {
            left.push(by_hand("its fingerprint was not read"));
            continue;
        };
        if action == KeyAction::Remove
            && let Some(me) = in_use(node, key)
        {
            left.push(format!(
                "{} is left alone: you are logged in as {me}, and which of {me}'s keys that was is not known. Log in as \
                 somebody else, or take it out at the node's console",
                item.name
            ));
            continue;
        }
        let uid = node.users.items.iter().find(|user| user.name == key.user).and_then(|user| user.uid.try_into().ok());
        let Some(uid) = uid else {
            left.push(by_hand("the user's number was not read"));
            continue;
        };
        let authority = key.options.iter().any(|option| option == "cert-authority");
        let note = match &from {
            None if authority => format!(
                "Nobody can log in as {} any more with a certificate that the authority {print} signed",
                key.user
            ),
            None => format!("{} can no longer log in with the key {print}", key.user),
            Some(from) => format!("{} can log in with the key {print} only from {}", key.user, from.join(", ")),
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
        let key = Key { file: key.file.clone(), uid, fingerprint: print.clone(), from: from.clone() };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        left.push("There is no other key to change".to_owned());
        return Err(Refusal::new(left.join(". ")));
    }
    notes.extend(left);
    let local = seat::is_local(node).then(|| seat::ports(node));
    Ok((KeysOp { keys, local }, notes))
}

/// The user of this very login, where this key may be the one that it was made with.
fn in_use<'n>(node: &'n NodeEvidence, key: &AuthorizedKey) -> Option<&'n str> {
    let Some(login) = node.login.known() else { return Some("somebody") };
    if seat::is_local(node) {
        return None;
    }
    let mine = |other: &AuthorizedKey| other.user == login.user && (other.file == key.file || other.name == key.name);
    (key.user == login.user || node.authorized_keys.items.iter().any(mine)).then_some(login.user.as_str())
}

impl KeysOp {
    pub(super) fn add(&mut self, other: KeysOp) {
        for key in other.keys {
            // What is to go needs no bounds.
            let same = |known: &Key| known.file == key.file && known.fingerprint == key.fingerprint;
            match self.keys.iter_mut().find(|known| same(known)) {
                Some(known) => known.from = known.from.take().and(key.from),
                None => self.keys.push(key),
            }
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let files = self.keys.iter().map(|key| Want::Own(key.file.clone(), key.uid));
        files.chain(self.local.as_ref().map(seat::want)).collect()
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        if let Some(ports) = &self.local {
            seat::refuse_unless_alone(ports, fresh)?;
        }
        let mut change = NodeChange { risk: Risk::CanLockOut, within: 5, ..NodeChange::default() };
        for (number, first) in self.keys.iter().enumerate() {
            if self.keys.iter().take(number).any(|key| key.file == first.file) {
                continue;
            }
            let path = &first.file;
            let of_file: Vec<&Key> = self.keys.iter().filter(|key| key.file == *path).collect();
            let by_hand = |why: &str| {
                let prints: Vec<&str> = of_file.iter().map(|key| key.fingerprint.as_str()).collect();
                Refusal::new(format!(
                    "{path} is left alone: {why}. `ssh-keygen -lf {path}` names its keys; change the lines of {} by hand",
                    prints.join(", ")
                ))
            };
            let found = fresh.file(path).ok_or_else(|| by_hand("the node did not tell of it"))?;
            if let Some(trouble) = found.trouble {
                return Err(by_hand(trouble));
            }
            let Some(state @ State::File { .. }) = &found.state else {
                return Err(Refusal::new(format!("{path} is not there any more. Scan again")));
            };
            let was = found.text().ok_or_else(|| by_hand("it is no plain text"))?;
            let mut text = was.to_owned();
            for key in &of_file {
                if !text.lines().any(|line| fingerprint(line).as_ref() == Some(&key.fingerprint)) {
                    continue;
                }
                let edited = match &key.from {
                    None => remove_key(&text, &key.fingerprint),
                    Some(from) => restrict_from(&text, &key.fingerprint, from),
                };
                text = edited.map_err(|error| by_hand(&error.to_string()))?;
            }
            if text == was {
                continue;
            }
            let mut file = FileChange::contents(
                &found.path,
                state.clone(),
                Some(was.as_bytes().to_vec()),
                text.into_bytes(),
                None,
            );
            file.owner = found.owner;
            change.files.push(file);
        }
        if change.files.is_empty() {
            return Ok(NodeChange::default());
        }
        change.interrupts.push("Connections that stand stay; sshd reads these files at every new login".to_owned());
        Ok(change)
    }
}
