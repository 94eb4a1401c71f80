//! `sitewarden fix`: the remedies without the screens. Shows the plan, asks, changes, looks again.

use super::args::{Folders, Judge, Talk, Under, Walk, given, nothing_left};
use super::console::Console;
use super::error::CliError;
use super::look::Look;
use super::plan::show;
use super::told::{outcome_words, telling};
use super::tty::Person;
use super::{FAILED, GOOD, cluster, site_file, source, targets};
use crate::assess::{Assessment, Finding, Verdict, assess};
use crate::catalog::Catalog;
use crate::channel::Ask;
use crate::evidence::{Evidence, Lifecycle, Policy, Privilege};
use crate::remedy::{self, Answer, Choices, ClusterReach, Memory, Plan, Prepared, Ran, Reach, Refusal, Who, Work};
use crate::report::clean;
use crate::site::NodeTarget;
use crate::store::{Outcome, Store};
use crate::visit::{NodeReach, Visit, emptied_for, failing, offer, typed, who};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// `fix`.
#[derive(Debug, Args)]
pub(super) struct Fix {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) folders: Folders,
    #[command(flatten)]
    pub(super) talk: Talk,
    #[command(flatten)]
    pub(super) change: Change,
    /// The controls that are to be put right; several of one node become one plan
    #[arg(value_name = "CONTROL", required = true)]
    pub(super) controls: Vec<String>,
    /// Show the plan and end: what would run, exactly
    #[arg(long, help_heading = "Changes")]
    pub(super) plan: bool,
    /// How the plan is written with --plan: for the screen, as a document, or as a shell script to be run on the node by hand
    #[arg(long, value_enum, default_value_t = PlanFormat::Text, requires = "plan", help_heading = "Changes")]
    pub(super) format: PlanFormat,
    /// Empty the node first, and let it take pods again afterwards, however it went: for waiting security updates, with the
    /// cluster named
    #[arg(long, help_heading = "Changes")]
    pub(super) drain: bool,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Text,
    Markdown,
    Script,
}

/// What may be changed, and where that is written down.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Changes")]
pub(super) struct Change {
    /// Allow changes: without it everything is shown and nothing is run
    #[arg(long)]
    pub(super) allow_changes: bool,
    /// Seconds after which a node puts the old state back by itself unless all is well [default: 120 beyond the check]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub(super) revert_after: Option<u32>,
    /// Keep the journal in this folder [default: sitewarden in the state folder, mostly ~/.local/state/sitewarden]
    #[arg(long, value_name = "DIR")]
    pub(super) journal: Option<PathBuf>,
}

impl Fix {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let look = self.look.under(std::mem::take(&mut before.look));
        let folders = self.folders.under(std::mem::take(&mut before.folders));
        let talk = self.talk.under(std::mem::take(&mut before.talk));
        let change = self.change.under(std::mem::take(&mut before.change));
        nothing_left(&before, "fix")?;
        Ok(Fix { look, folders, talk, change, ..self })
    }
}

impl Change {
    /// The journal, made where there is none yet.
    pub(super) fn store(&self) -> Result<Store, CliError> {
        let folder = self.folder().ok_or_else(|| {
            CliError::Nothing(
                "there is no home folder (HOME is not set), so there is no place for the journal; name one with --journal"
                    .to_owned(),
            )
        })?;
        Ok(Store::open(&folder)?)
    }

    /// The folder of the journal; none where there is no place for one.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.journal.clone().or_else(Store::usual_dir)
    }

    /// The options that say where the journal is, as they would be typed again.
    pub(super) fn ways(&self) -> Vec<String> {
        self.journal.iter().flat_map(|folder| ["--journal".to_owned(), folder.display().to_string()]).collect()
    }

    /// What a person chose.
    pub(super) fn choices(&self) -> Choices {
        Choices { delay: self.revert_after }
    }
}

impl Under for Change {
    fn under(self, before: Self) -> Self {
        Change {
            allow_changes: self.allow_changes || before.allow_changes,
            revert_after: self.revert_after.or(before.revert_after),
            journal: self.journal.or(before.journal),
        }
    }
}

impl Change {
    /// Names of the options that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given([
            ("--allow-changes", self.allow_changes),
            ("--revert-after", self.revert_after.is_some()),
            ("--journal", self.journal.is_some()),
        ])
    }
}

/// Everything that one run needs.
struct Run<'a> {
    visit: Visit,
    catalog: Catalog,
    lifecycle: Lifecycle,
    policy: Policy,
    memory: Arc<Memory>,
    console: Arc<Console>,
    fix: &'a Fix,
}

/// Runs it and gives the exit status: 0 where everything that was named holds in the end.
pub(super) fn run(fix: &Fix, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
    let site = site_file::read(fix.look.site.as_deref())?;
    let catalog = source::catalog(&fix.folders, &site)?;
    let judge = Judge { control: fix.controls.clone(), ..Judge::default() };
    let policy = source::policy(&judge, &catalog.controls)?;
    let lifecycle = source::lifecycle()?;
    let (mut visit, usual) = targets::visit(&fix.look, &site)?;
    visit.given.extend(fix.change.ways());
    targets::or_usual(&mut visit, &fix.look, usual, &mut |note| {
        let _ = writeln!(err, "sitewarden: {}", clean(note));
    })?;
    if let Some(cluster) = &visit.cluster {
        cluster::log_in(&cluster.target, err);
    }
    let console = Arc::new(Console::new(Box::new(io::stderr())));
    let memory = Arc::new(Memory::new(targets::asker(&console, false)));
    let run = Run { visit, catalog, lifecycle, policy, memory, console, fix };
    let ask: Arc<dyn Ask> = Arc::<Memory>::clone(&run.memory);
    let evidence = targets::collect_asking(&run.visit, fix.talk, &run.console, &ask);
    let assessment = run.judge(&evidence);
    let findings = failing(&assessment, &fix.controls);
    let (mut plans, refused) = offer(&findings, &evidence, &run.catalog);
    // A document or a script holds the plan alone; what else is to be said stands beside it.
    let beside: &mut dyn Write = if fix.format == PlanFormat::Text { &mut *out } else { &mut *err };
    told_otherwise(&assessment, beside)?;
    told_of_rights(&evidence, &assessment, beside)?;
    for (what, refusal) in &refused {
        writeln!(beside, "No plan for {}: {}\n", clean(what), clean(&refusal.0))?;
    }
    if fix.format == PlanFormat::Script {
        for plan in plans.extract_if(.., |plan| plan.is_for_upgrades()) {
            writeln!(beside, "Not in the script, since it is of the cluster: {}\n", clean(&plan.title))?;
        }
    }
    if fix.format == PlanFormat::Script && plans.len() > 1 {
        let targets: Vec<String> = plans.iter().map(|plan| clean(&plan.target).into_owned()).collect();
        return Err(CliError::Nothing(format!(
            "a script is for one node, and there are {} plans ({}). Name one node and one kind of control at a time",
            plans.len(),
            targets.join(", ")
        )));
    }
    if plans.is_empty() && refused.is_empty() {
        let known = assessment.findings.iter().all(|finding| finding.verdict != Verdict::Unknown);
        writeln!(out, "{}", if known { "Nothing fails." } else { "Nothing is known to fail." })?;
        return Ok(if known { GOOD } else { super::INCOMPLETE });
    }
    let mut status = if refused.is_empty() { GOOD } else { FAILED };
    for plan in plans {
        if !run.one(plan, &evidence, out)? {
            status = FAILED;
            break;
        }
    }
    Ok(status)
}

/// Says of every finding that does not fail how it stands.
fn told_otherwise(assessment: &Assessment, out: &mut dyn Write) -> Result<(), CliError> {
    for finding in assessment.findings.iter().filter(|finding| finding.verdict != Verdict::Fail) {
        let (control, target) = (&finding.control, &finding.target);
        writeln!(out, "{control} at {}: {} - {}", clean(target), finding.verdict.as_str(), clean(&finding.message))?;
    }
    Ok(())
}

/// Says of every node that was read without root's rights that this is why something is not known there.
fn told_of_rights(evidence: &Evidence, assessment: &Assessment, out: &mut dyn Write) -> Result<(), CliError> {
    for node in &evidence.nodes {
        let target = format!("node/{}", node.name);
        let unknown = |finding: &Finding| finding.verdict == Verdict::Unknown && finding.target == target;
        let Some(login) = node.login.known().filter(|login| login.privilege == Privilege::None) else { continue };
        if assessment.findings.iter().any(unknown) {
            writeln!(
                out,
                "{target} was read as {} without root's rights: there is no sudo, or it does not let this user run everything without a \
                 terminal. Log in as root, or as somebody who may use sudo for everything",
                clean(&login.user)
            )?;
        }
    }
    Ok(())
}

impl Run<'_> {
    fn judge(&self, evidence: &Evidence) -> Assessment {
        assess(evidence, &self.catalog, &self.lifecycle, &self.policy, Timestamp::now())
    }

    /// One plan. Whether it may go on with the next: what it was about holds now, or nothing was to be run.
    fn one(&self, plan: Plan, evidence: &Evidence, out: &mut dyn Write) -> Result<bool, CliError> {
        let node = plan.node().and_then(|name| NodeReach::of(&self.visit, name));
        let cluster = match (&plan.work, &self.visit.cluster) {
            (Work::Cluster(_) | Work::Azure(_), Some(cluster)) => Some(cluster.reach(self.visit.limits.connect)),
            _ => None,
        };
        let over = match (&node, &cluster) {
            (_, Some(cluster)) => Some(Over::Cluster(cluster)),
            (Some(node), None) => Some(Over::Node(node, &self.memory)),
            (None, None) => None,
        };
        let (title, target) = (plan.title.clone(), plan.target.clone());
        let judged = !plan.is_for_upgrades();
        let prepared = match over {
            Some(Over::Cluster(cluster)) => remedy::prepare_cluster(plan, cluster),
            Some(Over::Node(node, _)) => {
                remedy::prepare(plan, Some(node), self.memory.as_ref(), self.fix.change.choices())
            }
            None => remedy::prepare(plan, None, self.memory.as_ref(), self.fix.change.choices()),
        };
        let prepared = match prepared.and_then(|prepared| self.emptying(prepared, evidence)) {
            Ok(prepared) => prepared,
            Err(refusal) if self.fix.format == PlanFormat::Script => return Err(CliError::Nothing(refusal.0)),
            Err(refusal) => {
                writeln!(out, "{} at {}: {}", clean(&title), clean(&target), clean(&refusal.0))?;
                return Ok(!judged && refusal.is_already());
            }
        };
        match (self.fix.format, remedy::script(&prepared)) {
            (PlanFormat::Text, _) => show(&prepared, out)?,
            (PlanFormat::Markdown, _) => writeln!(out, "{}", remedy::markdown(&prepared))?,
            (PlanFormat::Script, Some(script)) => writeln!(out, "{script}")?,
            (PlanFormat::Script, None) if prepared.can_run() && prepared.change().is_some() => {
                let why = "a file of this plan holds a secret (a join token, say), which a script would carry; take --format markdown";
                return Err(CliError::Nothing(why.to_owned()));
            }
            // What only a person can do is no script, and stands in one as a comment.
            (PlanFormat::Script, None) => {
                remedy::markdown(&prepared).lines().try_for_each(|line| writeln!(out, "# {line}"))?;
            }
        }
        let Some(over) = over.filter(|_| prepared.can_run()) else { return Ok(false) };
        if self.fix.plan {
            return Ok(true);
        }
        let armed = self.fix.change.allow_changes;
        let Some(confirmed) = confirmed(prepared, armed, out)? else { return Ok(false) };
        let mut store = self.fix.change.store()?;
        let controls = confirmed.get().plan().controls.clone();
        let comes_back = confirmed.get().change().is_none_or(|change| !change.one_way && !change.no_undo);
        let ran = carry_out(confirmed, over, &mut store, &who(&self.visit, evidence), out)?;
        let Some(ran) = ran else { return Ok(false) };
        let after = if judged { self.look_again(&controls, &target) } else { Vec::new() };
        let words = verdicts(&after);
        end(&mut store, &ran, judged.then_some("fail"), words.as_deref(), out)?;
        if ran.outcome == Outcome::Done && comes_back {
            let mut way = match over {
                Over::Node(reach, _) => reach.again(),
                Over::Cluster(_) => self.fix.look.cluster_again(),
            };
            if let Some(folder) = &self.fix.change.journal {
                way.push_str(&typed(&["--journal".to_owned(), folder.display().to_string()]));
            }
            writeln!(out, "To take it back: sitewarden undo {} --allow-changes{}", ran.entry, clean(&way))?;
        }
        for (control, verdict) in &after {
            writeln!(out, "{control} at {}: fail before, {} now", clean(&target), verdict.as_str())?;
        }
        Ok(ran.outcome == Outcome::Done && after.iter().all(|(_, verdict)| *verdict == Verdict::Pass))
    }

    /// The plan with its node emptied for it, where that was asked for.
    fn emptying(&self, prepared: Prepared, evidence: &Evidence) -> Result<Prepared, Refusal> {
        if !self.fix.drain {
            return Ok(prepared);
        }
        if prepared.plan().node().is_none() {
            return Ok(prepared);
        }
        if self.fix.format == PlanFormat::Script {
            return Err(Refusal::new("a script runs on the node, which is not emptied from there. Leave --drain out"));
        }
        emptied_for(prepared, &self.visit, evidence)
    }

    /// The verdicts of some controls at a node or at the cluster, read once more.
    fn look_again(&self, controls: &[String], target: &str) -> Vec<(String, Verdict)> {
        let node = target.strip_prefix("node/");
        // A change of the cluster may put right what is judged at its nodes.
        let nodes_too = node.is_none() && controls.iter().any(|control| self.catalog.is_of_nodes(control));
        let meant = |target: &&NodeTarget| nodes_too || Some(target.name.as_str()) == node;
        let targets = self.visit.targets.iter().filter(meant).cloned().collect();
        let cluster = self.visit.cluster.clone().filter(|_| node.is_none());
        let visit = Visit { targets, cluster, endpoints: false, ..self.visit.clone() };
        let ask: Arc<dyn Ask> = Arc::<Memory>::clone(&self.memory);
        let seen = targets::collect_asking(&visit, self.fix.talk, &self.console, &ask);
        let assessment = self.judge(&seen);
        let of = |control: &String| assessment.verdict(control, target).unwrap_or(Verdict::Unknown);
        controls.iter().map(|control| (control.clone(), of(control))).collect()
    }
}

fn verdicts(after: &[(String, Verdict)]) -> Option<String> {
    let mut words: Vec<&str> = after.iter().map(|(_, verdict)| verdict.as_str()).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The plan, where the person confirms it. None otherwise, which is said.
pub(super) fn confirmed(
    prepared: Prepared,
    armed: bool,
    out: &mut dyn Write,
) -> Result<Option<remedy::Confirmed<Prepared>>, CliError> {
    let Some(answer) = answer(&prepared, armed, out)? else { return Ok(None) };
    match remedy::confirm(prepared, &answer) {
        Ok(confirmed) => Ok(Some(confirmed)),
        Err(refusal) => {
            writeln!(out, "{}", clean(&refusal.0))?;
            Ok(None)
        }
    }
}

/// What the person says to a plan. None where nobody may or can be asked, which is said.
fn answer(prepared: &Prepared, armed: bool, out: &mut dyn Write) -> Result<Option<Answer>, CliError> {
    if !armed {
        writeln!(out, "Nothing was changed: this program only reads unless changes are allowed (--allow-changes).")?;
        return Ok(None);
    }
    let Some(person) = Person::there() else {
        writeln!(out, "Nothing was changed: there is no terminal at which somebody could confirm it.")?;
        return Ok(None);
    };
    out.flush()?;
    let shown = prepared.digest().to_owned();
    let answer = match prepared.to_be_typed() {
        Some(name) => {
            let typed = person.types(&format!("\nType {} to do this; anything else does nothing: ", clean(name)));
            Answer { shown, armed, yes: !typed.is_empty(), typed }
        }
        None => {
            let yes = person.agrees("\nType yes to do this; anything else does nothing: ");
            Answer { shown, armed, yes, typed: String::new() }
        }
    };
    Ok(Some(answer))
}

/// Over which way something is changed.
#[derive(Clone, Copy)]
pub(super) enum Over<'a> {
    /// By a login on a node, with what the person answered.
    Node(&'a dyn Reach, &'a Memory),
    /// By the cluster's API, or by `az`.
    Cluster(&'a ClusterReach),
}

/// Runs it and tells each step. None where nothing was begun, which is said.
pub(super) fn carry_out(
    confirmed: remedy::Confirmed<Prepared>,
    over: Over<'_>,
    store: &mut Store,
    who: &Who,
    out: &mut dyn Write,
) -> Result<Option<Ran>, CliError> {
    let files: Vec<String> = confirmed
        .get()
        .change()
        .map(|change| change.files.iter().map(remedy::FileChange::in_words).collect())
        .unwrap_or_default();
    let tell = telling(out, files);
    let ran: Result<Ran, Refusal> = match over {
        Over::Node(reach, memory) => remedy::run(confirmed, reach, memory, store, who, &tell),
        Over::Cluster(reach) => remedy::run_cluster(confirmed, reach, store, who, &tell),
    };
    drop(tell);
    match ran {
        Ok(ran) => Ok(Some(ran)),
        Err(refusal) => {
            writeln!(out, "{}", clean(&refusal.0))?;
            Ok(None)
        }
    }
}

/// Writes the end into the journal and tells it.
pub(super) fn end(
    store: &mut Store,
    ran: &Ran,
    before: Option<&str>,
    after: Option<&str>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    writeln!(out, "{}. {}", outcome_words(ran.outcome), clean(&ran.note))?;
    if let Err(refusal) = remedy::finish(store, ran, before, after) {
        writeln!(out, "{}", clean(&refusal.0))?;
    }
    Ok(())
}
