//! Work in the background: reading nodes, assessing, loading a file. Each job is a thread that sends messages and is
//! never joined: a node that hangs cannot hold up a key or the end of the program.

use super::ask::AskScreens;
use super::msg::{Effect, Job, Msg};
use crate::assess::assess;
use crate::catalog::Catalog;
use crate::channel::Ask;
use crate::evidence::{Evidence, Lifecycle, Policy};
use crate::site::Way;
use crate::visit::{Progress, Visit};
use jiff::Timestamp;
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;

/// Longest evidence file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// What all jobs share.
#[derive(Debug, Clone)]
pub(super) struct Jobs {
    /// Where messages go.
    pub(super) send: Sender<Msg>,
    /// What assessing needs besides evidence.
    pub(super) catalog: Arc<Catalog>,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) policy: Arc<Policy>,
    /// The time to assess for; None: now.
    pub(super) as_of: Option<Timestamp>,
    /// The folder of the journal; None: there is no place for one.
    pub(super) journal: Option<PathBuf>,
}

impl Jobs {
    /// Begins an effect's work; effects that concern the terminal are the caller's.
    pub(super) fn start(&self, effect: Effect) {
        let jobs = self.clone();
        match effect {
            Effect::Read { run, visit } => self.spawn(Job::Read(run), move || jobs.read(run, *visit)),
            Effect::Assess { serial, evidence, as_of } => self.spawn(Job::Assess(serial), move || {
                let now = jobs.as_of.or(as_of).unwrap_or_else(Timestamp::now);
                let assessment = Box::new(assess(&evidence, &jobs.catalog, &jobs.lifecycle, &jobs.policy, now));
                jobs.tell(Msg::Assessed { serial, assessment });
            }),
            Effect::Load(path) => self.spawn(Job::Load, move || {
                let result = load(&expand(&path)).map(Box::new);
                jobs.tell(Msg::Loaded { path, result });
            }),
            Effect::Answer(reply, answer) => drop(reply.0.send(answer.0)),
            Effect::Redraw | Effect::Quit(_) => {}
            remedy => self.start_remedy(remedy),
        }
    }

    pub(super) fn tell(&self, message: Msg) {
        // Nobody listens any more when the program is ending.
        let _ = self.send.send(message);
    }

    pub(super) fn spawn(&self, job: Job, work: impl FnOnce() + Send + 'static) {
        let send = self.send.clone();
        let started = thread::Builder::new().name("job".to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let _ = send.send(Msg::Defect(job));
            }
        });
        if started.is_err() {
            self.tell(Msg::Defect(job));
        }
    }

    fn read(&self, run: u64, mut visit: Visit) {
        for target in &mut visit.targets {
            if let Way::Ssh { identity: Some(file), .. } = &mut target.way {
                *file = expand(file);
            }
        }
        let ask: Arc<dyn Ask> = Arc::new(AskScreens(self.send.clone()));
        let send = self.send.clone();
        let progress: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(move |progress| {
            let _ = send.send(Msg::Progress { run, at: Timestamp::now(), progress });
        });
        let evidence = Box::new(visit.collect(&ask, &progress));
        self.tell(Msg::Finished { run, evidence });
    }
}

/// `~/` at the beginning is the home directory: no shell has read what was typed into a form.
pub(super) fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), dirs::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn load(path: &Path) -> Result<Evidence, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("{shown} cannot be read: {error}. Check the path.");
    let file = File::open(path).map_err(unreadable)?;
    // A device or a pipe may never end.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(format!("{shown} is no file. Name one that `sitewarden collect -o FILE` wrote."));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(format!("{shown} is larger than 1 GiB and is not read."));
    }
    Evidence::from_json(&text).map_err(|error| format!("{shown}: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn files_that_are_no_evidence_end_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.json");
        assert!(load(&path).unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "{\"schema\": \"other/v2\"}").unwrap();
        assert!(load(&path).unwrap_err().contains("other/v2"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(load(&path).unwrap_err().contains("cannot be read"));
        assert!(load(folder.path()).unwrap_err().contains("is no file"));
        let evidence = crate::tui::sample::evidence();
        std::fs::write(&path, serde_json::to_string(&evidence).unwrap()).unwrap();
        assert_eq!(load(&path).unwrap(), evidence);
    }
}
