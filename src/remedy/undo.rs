//! The way back of an entry that was confirmed: made of what its node kept, so that it works without this seat's journal.
//! An undo is a change like any other: prepared, shown, confirmed, guarded, journalled.

use super::change::{FileChange, NodeChange, Proof, State, Validate};
use super::fresh::{Fresh, Want};
use super::manifest::Manifest;
use super::node::{Kept, Node, Reach, Stands};
use super::plan::{Plan, Refusal, Work};
use super::prepare::{Choices, Prepared, switch};
use super::sure::known_to_the_cluster;
use super::words::sha256;
use crate::channel::Ask;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// An entry as its node tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnNode {
    /// The journal's entry.
    pub entry: String,
    /// When it began, by the clock of the seat that began it.
    pub at: Timestamp,
    /// Who did it.
    pub operator: String,
    /// From where.
    pub seat: String,
    /// What it was.
    pub title: String,
    /// How it stands, in words.
    pub stands: &'static str,
    /// Whether it can be taken back.
    pub can_be_undone: bool,
    /// The entry that it took back, if it was an undo.
    pub undo_of: Option<String>,
    /// Whether it brought a new state: a change, or what took an undo back.
    pub is_change: bool,
}

/// Whether an entry brought a new state, of what each entry takes back: an undo brings an old one, an undo of that the new one.
pub(crate) fn is_change<'e>(entry: &str, undo_of: impl Fn(&str) -> Option<&'e str>) -> bool {
    let (mut change, mut at) = (true, undo_of(entry));
    // Names come from a node: a ring of them ends too.
    for _ in 0..1_000 {
        let Some(of) = at else { break };
        change = !change;
        at = undo_of(of);
    }
    change
}

/// The entries that a node keeps, oldest first.
pub fn entries(reach: &dyn Reach, ask: &dyn Ask) -> Result<Vec<OnNode>, Refusal> {
    let mut node = log_in(reach, ask)?;
    let mut entries: Vec<OnNode> = node
        .entries()?
        .into_iter()
        .filter_map(|(entry, stands, bytes)| {
            let manifest = Manifest::read(&bytes, &entry)?;
            Some(OnNode {
                entry,
                at: manifest.at,
                operator: plain(&manifest.operator),
                seat: plain(&manifest.seat),
                title: plain(&manifest.title),
                stands: in_words(stands),
                can_be_undone: matches!(stands, Stands::Confirmed | Stands::Finished) && !manifest.change.one_way,
                undo_of: manifest.undo,
                is_change: true,
            })
        })
        .collect();
    let undone: Vec<String> =
        entries.iter().filter(|entry| entry.can_be_undone).filter_map(|entry| entry.undo_of.clone()).collect();
    let undoes: BTreeMap<String, Option<String>> =
        entries.iter().map(|entry| (entry.entry.clone(), entry.undo_of.clone())).collect();
    for entry in &mut entries {
        entry.can_be_undone &= !undone.contains(&entry.entry);
        entry.is_change = is_change(&entry.entry, |id| undoes.get(id)?.as_deref());
    }
    entries.sort_by(|one, other| one.entry.cmp(&other.entry));
    Ok(entries)
}

fn in_words(stands: Stands) -> &'static str {
    match stands {
        Stands::Applying { alive: true } => "under way",
        Stands::Applying { alive: false } => "left half-way",
        Stands::Armed { waiting: true } => "done, and waits to be confirmed",
        Stands::Armed { waiting: false } => "under way, with the switch armed",
        Stands::Reverting => "is being put back",
        Stands::Reverted => "was put back",
        Stands::Confirmed | Stands::Finished => "done",
        Stands::None => "not known",
    }
}

/// Text of a node's file, for people.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn log_in<'a>(reach: &'a dyn Reach, ask: &'a dyn Ask) -> Result<Node<'a>, Refusal> {
    let channel = reach.login(ask).map_err(|error| Refusal::new(error.message))?;
    Ok(Node { name: reach.node(), channel, limits: reach.limits(), ask })
}

/// Makes the way back of an entry exact: reads what its node kept and how its files are now. Refused where the entry is not
/// one that holds, where a later one changed the same files, or where a file is no longer as the entry left it.
pub fn prepare_undo(
    entry: &str,
    target: &str,
    reach: &dyn Reach,
    ask: &dyn Ask,
    choices: Choices,
) -> Result<Prepared, Refusal> {
    let mut node = log_in(reach, ask)?;
    let kept = node.kept(entry)?;
    let manifest = manifest(&kept, entry, reach.node())?;
    match kept.stands {
        Some(Stands::Confirmed | Stands::Finished) => {}
        stands => {
            return Err(Refusal::new(format!(
                "{}: entry {entry} {}, so there is nothing to take back",
                reach.node(),
                in_words(stands.unwrap_or(Stands::None))
            )));
        }
    }
    if manifest.change.one_way {
        return Err(Refusal::new(format!(
            "{}: entry {entry} ({}) cannot be taken back by this program. Use the node's own package manager",
            reach.node(),
            plain(&manifest.title)
        )));
    }
    newest_first(&mut node, entry, &manifest)?;
    let wants: Vec<Want> = manifest
        .change
        .files
        .iter()
        .map(|file| match (&file.before, &file.after) {
            _ if file.owner.is_some() => Want::Own(file.path.clone(), file.owner.unwrap_or_default().0),
            (before, after) if attributes_alone(before, after) => Want::Stat(file.path.clone()),
            _ => Want::File(file.path.clone()),
        })
        .collect();
    let fresh = node.read(&wants)?;
    let mut change = back(&manifest.change, &kept, &fresh, reach.node())?;
    for validate in change.validate.clone() {
        if let Validate::Sshd { sshd, main, connections, .. } = validate {
            node.try_sshd(&change, &sshd, &main, &connections)?;
        }
    }
    let mut notes = vec![format!("The state before entry {entry} of {} comes back", manifest.at)];
    notes.extend(known_to_the_cluster(&mut change, reach));
    change.delay = switch(&change, choices);
    notes.extend(super::behind::remarks(reach, &change)?);
    let plan = Plan {
        controls: manifest.controls.iter().map(|control| plain(control)).collect(),
        target: target.to_owned(),
        title: format!("Take back: {}", plain(&manifest.title)),
        work: Work::Node(Vec::new()),
        notes,
    };
    Ok(Prepared::of_change(plan, change).into_undo_of(entry))
}

fn manifest(kept: &Kept, entry: &str, node: &str) -> Result<Manifest, Refusal> {
    let read = kept.manifest.as_deref().and_then(|bytes| Manifest::read(bytes, entry));
    read.ok_or_else(|| {
        Refusal::new(format!(
            "{node}: what it kept of entry {entry} is missing or damaged. Look at /var/lib/sitewarden there by hand"
        ))
    })
}

/// Whether an entry that came later and still holds changed the same files.
fn newest_first(node: &mut Node<'_>, entry: &str, manifest: &Manifest) -> Result<(), Refusal> {
    let all = node.entries()?;
    let read: Vec<(String, Stands, Manifest)> = all
        .into_iter()
        .filter_map(|(id, stands, bytes)| Some((id.clone(), stands, Manifest::read(&bytes, &id)?)))
        .filter(|(_, stands, _)| matches!(stands, Stands::Confirmed | Stands::Finished))
        .collect();
    let by = |id: &str| read.iter().find(|(_, _, other)| other.undo.as_deref() == Some(id)).map(|(id, ..)| id.as_str());
    let undone = |id: &str| by(id).is_some();
    let is_change = |id: &str| is_change(id, |id| read.iter().find(|(other, ..)| other == id)?.2.undo.as_deref());
    if let Some(undo) = by(entry) {
        let again = match by(undo) {
            Some(again) => format!(", and what took it back was itself taken back: take {again} back instead"),
            None => String::new(),
        };
        return Err(Refusal::new(format!("{}: entry {entry} was taken back already, by {undo}{again}", node.name)));
    }
    let paths: Vec<&str> = manifest.change.files.iter().map(|file| file.path.as_str()).collect();
    let later = read.iter().find(|(id, _, other)| {
        id.as_str() > entry
            && is_change(id)
            && !undone(id)
            && other.change.files.iter().any(|file| paths.contains(&file.path.as_str()))
    });
    match later {
        Some((id, ..)) => Err(Refusal::new(format!(
            "{}: a later entry, {id}, changed the same file. Take that back first: sitewarden undo {id}",
            node.name
        ))),
        None => Ok(()),
    }
}

fn attributes_alone(before: &State, after: &State) -> bool {
    match (before, after) {
        (State::File { sha256: one, .. }, State::File { sha256: other, .. }) => one == other,
        (State::Folder { .. }, State::Folder { .. }) => true,
        _ => false,
    }
}

/// The change that takes another one back.
fn back(done: &NodeChange, kept: &Kept, fresh: &Fresh, node: &str) -> Result<NodeChange, Refusal> {
    let (mut files, mut why) = (Vec::new(), Vec::new());
    for (number, file) in done.files.iter().enumerate() {
        let now = fresh.file(&file.path);
        let state = now.and_then(|found| found.state.as_ref().filter(|_| found.trouble.is_none()));
        if state == Some(&State::Absent) && attributes_alone(&file.before, &file.after) {
            why.push(format!("{} is not there any more, so that its mode and owner are nobody's concern", file.path));
            continue;
        }
        if state != Some(&file.after) {
            return Err(Refusal::new(format!(
                "{node}: {} has changed since that entry ({}; it was left as {}). Nothing was changed; look at it by hand, the \
                 old file is in /var/lib/sitewarden there",
                file.path,
                state.and_then(State::in_words).unwrap_or_else(|| "it is not there, or may not be touched".to_owned()),
                file.after.in_words().unwrap_or_else(|| "removed".to_owned()),
            )));
        }
        let was = now.and_then(|found| found.contents.clone());
        let path = file.path.clone();
        let (before, after) = (file.after.clone(), file.before.clone());
        let contents = if attributes_alone(&before, &after) || after == State::Absent {
            None
        } else {
            let State::File { sha256: wanted, .. } = &after else {
                return Err(Refusal::new(format!("{node}: {path} was no file. Look at it by hand")));
            };
            let backup = kept.backups.iter().find(|(of, _)| *of == number).map(|(_, bytes)| bytes.clone());
            match backup.filter(|bytes| sha256(bytes) == *wanted) {
                Some(bytes) => Some(bytes),
                None => {
                    return Err(Refusal::new(format!(
                        "{node}: the copy of {path} that was kept is missing or has changed. Nothing was changed; mend the file by hand"
                    )));
                }
            }
        };
        files.push(FileChange { path, before, after, owner: file.owner, contents, was });
    }
    if files.is_empty() && !done.files.is_empty() && done.deactivate.is_empty() {
        return Err(Refusal::new(format!("{node}: {}. There is nothing to take back", why.join("; "))));
    }
    files.reverse();
    let validate = done
        .validate
        .iter()
        .map(|validate| match validate {
            // It is the old state that is wanted, whatever it says.
            Validate::Sshd { sshd, main, connections, .. } => Validate::Sshd {
                sshd: sshd.clone(),
                main: main.clone(),
                wants: Vec::new(),
                connections: connections.clone(),
            },
            Validate::Line { .. } | Validate::Keep { .. } => validate.clone(),
        })
        .filter(|validate| !matches!(validate, Validate::Line { .. }))
        .collect();
    Ok(NodeChange {
        folders: Vec::new(),
        files,
        validate,
        before_change: done.before_back.clone(),
        before_back: done.before_change.clone(),
        activate: done.deactivate.clone(),
        follows: None,
        holds: done.restored.clone(),
        within: done.within,
        deactivate: done.activate.clone(),
        restored: done.holds.clone(),
        risk: done.risk,
        interrupts: done.interrupts.clone(),
        why,
        private: done.private,
        reports_as: done.reports_as.clone(),
        one_way: false,
        proof: Proof::Login,
        delay: 0,
    })
}
