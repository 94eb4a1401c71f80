//! Remedies in the background: making a plan exact, carrying it out, looking again, saving a plan, reading the journal.

use super::ask::AskScreens;
use super::jobs::{Jobs, expand};
use super::msg::{Effect, Job, Msg, Wanted};
use super::work::Remembered;
use crate::assess::{Verdict, assess};
use crate::channel::Ask;
use crate::evidence::Evidence;
use crate::remedy::{self, Choices, ClusterReach, Confirmed, Found, Memory, Prepared, Ran, Reach, Refusal, Who, Work};
use crate::site::Way;
use crate::store::{Entry, Store};
use crate::visit::{NodeReach, Progress, Visit, emptied_for};
use jiff::Timestamp;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

impl Jobs {
    /// Begins the work of an effect that is about remedies.
    pub(super) fn start_remedy(&self, effect: Effect) {
        let jobs = self.clone();
        match effect {
            Effect::Prepare { serial, what, visit, choices, memory } => self.spawn(Job::Prepare(serial), move || {
                let memory = memory.map_or_else(|| jobs.memory(), |known| known.0);
                let result = jobs.prepare(what, &known_paths(*visit), &memory, choices).map(Box::new);
                jobs.tell(Msg::Prepared { serial, result, memory: Remembered(memory) });
            }),
            Effect::LookAt { serial, entry, visit, who } => self.spawn(Job::Prepare(serial), move || {
                let memory = jobs.memory();
                let (result, trouble) = jobs.look_at(&entry, &known_paths(*visit), &who, &memory);
                let (at, result, memory) = (Timestamp::now(), result.map(Box::new), Remembered(memory));
                jobs.tell(Msg::Found { serial, at, result, trouble, memory });
            }),
            Effect::Drain { serial, prepared, visit, evidence } => self.spawn(Job::Prepare(serial), move || {
                let (prepared, refused) = match emptied_for((*prepared).clone(), &known_paths(*visit), &evidence) {
                    Ok(emptied) => (Box::new(emptied), None),
                    Err(refusal) => (prepared, Some(refusal.0)),
                };
                jobs.tell(Msg::Emptied { serial, prepared, refused });
            }),
            Effect::Run { serial, confirmed, visit, who, before, memory } => self.spawn(Job::Run(serial), move || {
                let (result, trouble) = jobs.run(serial, *confirmed, &known_paths(*visit), &who, before, &memory.0);
                jobs.tell(Msg::Ran { serial, result: result.map(Box::new), trouble });
            }),
            Effect::Look { serial, run, visit, evidence, target, before, ran, memory } => {
                self.spawn(Job::Look(serial, run), move || {
                    let seen = jobs.look(run, &known_paths(*visit), &memory.0);
                    let after = jobs.verdicts(&seen, evidence.as_deref(), &target, &before);
                    jobs.tell(Msg::Finished { run, evidence: Box::new(seen) });
                    let (was, is) = (super::doc::verdicts(&before), super::doc::verdicts(&after));
                    let written = jobs.store().and_then(|mut store| {
                        remedy::finish(&mut store, &ran, was.as_deref(), is.as_deref()).map_err(|refusal| refusal.0)
                    });
                    jobs.tell(Msg::Looked { serial, after, trouble: written.err() });
                });
            }
            Effect::Tick(serial) => self.spawn(Job::Aside, move || {
                std::thread::sleep(Duration::from_secs(1));
                jobs.tell(Msg::Tick { serial, at: Timestamp::now() });
            }),
            Effect::Save(prepared) => self.spawn(Job::Aside, move || {
                jobs.tell(Msg::Saved(save(&prepared, Path::new("."))));
            }),
            Effect::Journal => self.spawn(Job::Aside, move || jobs.tell(Msg::Journal(jobs.entries()))),
            _ => {}
        }
    }

    fn memory(&self) -> Arc<Memory> {
        Arc::new(Memory::new(Arc::new(AskScreens(self.send.clone()))))
    }

    fn store(&self) -> Result<Store, String> {
        let folder = self.journal.as_deref().ok_or(
            "There is no home folder (HOME is not set), so there is no place for the journal. Name one with --journal",
        )?;
        Store::open(folder).map_err(|error| error.to_string())
    }

    /// The journal's entries; none where nothing was ever kept.
    fn entries(&self) -> Result<Vec<Entry>, String> {
        let Some(folder) = self.journal.as_deref() else { return Ok(Vec::new()) };
        let store = Store::open_existing(folder).map_err(|error| error.to_string())?;
        store.map_or(Ok(Vec::new()), |store| store.entries().map_err(|error| error.to_string()))
    }

    /// Makes a plan, or the way back of an entry, exact.
    fn prepare(&self, what: Wanted, visit: &Visit, memory: &Memory, choices: Choices) -> Result<Prepared, Refusal> {
        match what {
            Wanted::Plan(plan) => match (&plan.work, cluster(visit)) {
                (Work::Cluster(_) | Work::Azure(_), Some(reach)) => remedy::prepare_cluster(*plan, &reach),
                _ => {
                    let reach = plan.node().and_then(|name| NodeReach::of(visit, name));
                    remedy::prepare(*plan, reach.as_ref().map(|reach| reach as &dyn Reach), memory, choices)
                }
            },
            Wanted::Undo { entry, target } => {
                let unknown = || Refusal::new(format!("It is not known how {target} is reached"));
                if let Some(name) = target.strip_prefix("node/") {
                    let reach = NodeReach::of(visit, name).ok_or_else(unknown)?;
                    let prepared = remedy::prepare_undo(&entry, &target, &reach, memory, choices)?;
                    let note = self.store().ok().and_then(|store| remedy::kept_beyond(&store, &entry));
                    return Ok(note.map_or(prepared.clone(), |note| prepared.with_note(note)));
                }
                let reach = cluster(visit).ok_or_else(unknown)?;
                let store = self.store().map_err(Refusal::new)?;
                let known = store.entry(&entry).map_err(|error| Refusal::new(error.to_string()))?;
                let known =
                    known.ok_or_else(|| Refusal::new(format!("Entry {entry} is not in the journal any more")))?;
                remedy::prepare_undo_cluster(&known, &reach, &store)
            }
        }
    }

    /// How an entry stands that has no end in the journal. One that has ended gets its end there, and what could not be
    /// written is told beside it.
    fn look_at(
        &self,
        entry: &str,
        visit: &Visit,
        who: &Who,
        memory: &Memory,
    ) -> (Result<Found, Refusal>, Option<String>) {
        let look = || {
            let store = self.store().map_err(Refusal::new)?;
            let known = store.entry(entry).map_err(|error| Refusal::new(error.to_string()))?;
            let known = known.filter(Entry::is_open);
            let known = known.ok_or_else(|| Refusal::new("It has its end in the journal by now. Look at it there"))?;
            let unknown = || Refusal::new(format!("It is not known how {} is reached", known.target()));
            let found = match known.target().strip_prefix("node/") {
                Some(name) => remedy::found(&known, &NodeReach::of(visit, name).ok_or_else(unknown)?, memory)?,
                None => remedy::found_in_cluster(&known, &cluster(visit).ok_or_else(unknown)?, &store)?,
            };
            Ok((found, store))
        };
        match look() {
            Ok((Found::Ended(outcome, note), mut store)) => {
                let written = remedy::close(&mut store, entry, outcome, &note, who);
                (Ok(Found::Ended(outcome, note)), written.err().map(|refusal| refusal.0))
            }
            Ok((found, _)) => (Ok(found), None),
            Err(refusal) => (Err(refusal), None),
        }
    }

    /// Carries it out, and writes its end at once: what is looked at afterwards may take long, or never come.
    fn run(
        &self,
        serial: u64,
        confirmed: Confirmed<Prepared>,
        visit: &Visit,
        who: &Who,
        before: Option<String>,
        memory: &Memory,
    ) -> (Result<Ran, Refusal>, Option<String>) {
        let node = confirmed.get().plan().target.strip_prefix("node/").map(str::to_owned);
        let way = match &node {
            Some(name) => NodeReach::of(visit, name).map(|reach| Over::Node(Box::new(reach))),
            None => cluster(visit).map(Over::Cluster),
        };
        let Some(way) = way else {
            return (Err(Refusal::new("It is not known how the target is reached. Nothing was changed")), None);
        };
        let mut store = match self.store() {
            Ok(store) => store,
            Err(why) => return (Err(Refusal::new(format!("{why}. Nothing was changed"))), None),
        };
        let tell = |told| self.tell(Msg::Told { serial, at: Timestamp::now(), told });
        let ran = match &way {
            Over::Node(reach) if confirmed.get().ends().is_some() => {
                remedy::run_end(confirmed, reach.as_ref(), memory, &mut store, who, &tell)
            }
            Over::Node(reach) => remedy::run(confirmed, reach.as_ref(), memory, &mut store, who, &tell),
            Over::Cluster(reach) => remedy::run_cluster(confirmed, reach, &mut store, who, &tell),
        };
        match ran {
            Ok(ran) => {
                let written = remedy::finish(&mut store, &ran, before.as_deref(), None);
                (Ok(ran), written.err().map(|refusal| refusal.0))
            }
            Err(refusal) => (Err(refusal), None),
        }
    }

    /// Reads the node once more, as every reading is told.
    fn look(&self, run: u64, visit: &Visit, memory: &Arc<Memory>) -> Evidence {
        let ask: Arc<dyn Ask> = Arc::<Memory>::clone(memory);
        let send = self.send.clone();
        let progress: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(move |progress| {
            let _ = send.send(Msg::Progress { run, at: Timestamp::now(), progress });
        });
        visit.collect(&ask, &progress)
    }

    /// How the controls stand at the target by what was just seen, with what was known of everything else.
    fn verdicts(
        &self,
        seen: &Evidence,
        known: Option<&Evidence>,
        target: &str,
        before: &[(String, Verdict)],
    ) -> Vec<(String, Verdict)> {
        let mut whole = known.unwrap_or(seen).clone();
        for node in &seen.nodes {
            match whole.nodes.iter_mut().find(|known| known.name == node.name) {
                Some(known) => known.clone_from(node),
                None => whole.nodes.push(node.clone()),
            }
        }
        if seen.cluster.is_some() {
            whole.cluster.clone_from(&seen.cluster);
        }
        whole.finished = seen.finished;
        let now = self.as_of.unwrap_or_else(Timestamp::now);
        let assessment = assess(&whole, &self.catalog, &self.lifecycle, &self.policy, now);
        let verdict = |control: &str| assessment.verdict(control, target).unwrap_or(Verdict::Unknown);
        before.iter().map(|(control, _)| (control.clone(), verdict(control))).collect()
    }
}

/// With the home directory in place of `~` in what was typed into a form.
fn known_paths(mut visit: Visit) -> Visit {
    for target in &mut visit.targets {
        if let Way::Ssh { identity: Some(file), .. } = &mut target.way {
            *file = expand(file);
        }
    }
    visit
}

/// By what a change is made.
enum Over {
    Node(Box<NodeReach>),
    Cluster(ClusterReach),
}

/// The way to the cluster of a visit.
fn cluster(visit: &Visit) -> Option<ClusterReach> {
    visit.cluster.as_ref().map(|cluster| cluster.reach(visit.limits.connect))
}

/// Writes a plan as Markdown and, where there is something to run, as a script. Nothing that is there is written over.
fn save(prepared: &Prepared, folder: &Path) -> Result<Vec<String>, String> {
    let mut parts = vec![("md", remedy::markdown(prepared))];
    parts.extend(remedy::script(prepared).map(|script| ("sh", script)));
    let stem = stem(prepared);
    // One number for both, so that they are seen to belong together.
    let free = |number: &u32| parts.iter().all(|(kind, _)| !folder.join(name(&stem, *number, kind)).exists());
    let number = (1..1000).find(free).ok_or_else(|| format!("There are too many plans called {stem} here already."))?;
    let mut files = Vec::new();
    for (kind, text) in parts {
        let file = name(&stem, number, kind);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // A script holds whole files of a node, which may have been root's alone.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(folder.join(&file));
        written.and_then(|mut out| out.write_all(text.as_bytes())).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{file} has just come into being; nothing was written over it. Save again.")
            }
            _ => format!("{file} cannot be written: {error}. Start the program in a folder of your own."),
        })?;
        files.push(file);
    }
    Ok(files)
}

fn name(stem: &str, number: u32, kind: &str) -> String {
    if number < 2 { format!("{stem}.{kind}") } else { format!("{stem}-{number}.{kind}") }
}

/// What the files are called: the node, and the control where there is one alone. Nothing but plain letters.
fn stem(prepared: &Prepared) -> String {
    let plan = prepared.plan();
    let what = match plan.controls.as_slice() {
        [one] => one.as_str(),
        _ => "plan",
    };
    let node = plan.target.strip_prefix("node/").unwrap_or(&plan.target);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    format!("sitewarden-{node}-{what}").chars().map(plain).take(100).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::remedy::Risk;

    #[test]
    fn a_plan_is_saved_twice_under_two_names_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Prepared::sample("edge/../1", Risk::CanLockOut, 90);
        let files = save(&plan, folder.path()).unwrap();
        assert_eq!(files, ["sitewarden-edge_.._1-sshd-root-login.md", "sitewarden-edge_.._1-sshd-root-login.sh"]);
        std::fs::write(folder.path().join(&files[0]), "mine").unwrap();
        let again = save(&plan, folder.path()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(&files[1])).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "a script may hold what only root could read");
        }
        assert_eq!(again[0], "sitewarden-edge_.._1-sshd-root-login-2.md");
        assert_eq!(std::fs::read_to_string(folder.path().join(&files[0])).unwrap(), "mine");
        let manual = save(&Prepared::sample_manual("edge1"), folder.path()).unwrap();
        assert_eq!(manual, ["sitewarden-edge1-os-supported.md"]);
        assert!(save(&plan, Path::new("/nowhere")).unwrap_err().contains("cannot be written"));
    }
}
