//! The state of the screens: plain data. `update` changes it, `views` draw it, nobody else holds it.

use super::keys::Place;
use super::list::Cursor;
use super::msg::Reply;
use super::rows::{Group, Row};
use super::target::{Cluster, Listed, Node, Ports};
use super::theme::Theme;
use super::work::Work;
use crate::assess::Assessment;
use crate::catalog::{Catalog, Section};
use crate::channel::{Question, Secret};
use crate::evidence::{Evidence, SiteIdentity};
use crate::kubeapi::ContextInfo;
use crate::remedy::Choices;
use crate::store::Entry;
use crate::visit::{ClusterVisit, Visit};
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the evidence comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nothing has been named yet.
    Nothing,
    /// Cluster and nodes, read now.
    Live,
    /// A document collected earlier; the file where it is known.
    Saved(Option<PathBuf>),
    /// The made-up site.
    Demo,
}

/// What the first screen offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The cluster of a context.
    Context(ContextInfo),
    /// No cluster: the kubeconfig cannot be used; why.
    Broken(String),
    /// This machine as a node.
    Local,
    /// A node by SSH.
    Ssh,
    /// A saved evidence file.
    File,
    /// The made-up site.
    Demo,
}

/// A form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Whether it asks for a file; else for a node.
    pub file: bool,
    /// What stands in its fields.
    pub fields: Vec<String>,
    /// Field that is typed in.
    pub at: usize,
    /// What is wrong with what was sent.
    pub wrong: Option<String>,
    /// Sent, the answer is awaited.
    pub busy: bool,
}

/// A list of controls.
#[derive(Debug, Clone, Default)]
pub struct Controls {
    /// Section; None: all.
    pub section: Option<Section>,
    /// The filter as typed.
    pub query: String,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// Only what fails.
    pub only_failing: bool,
    /// In the guide's order instead of worst first.
    pub guide_order: bool,
    /// Cursor.
    pub cursor: Cursor,
    /// The rows, as section, filter and order leave them.
    pub rows: Vec<Row>,
}

/// One control at its targets.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The control.
    pub control: String,
    /// The target looked at.
    pub target: String,
    /// First line that is seen.
    pub top: usize,
}

/// A screen.
#[derive(Debug, Clone)]
pub enum Screen {
    /// What to look at.
    Connect(Cursor),
    /// Filling in what to look at.
    Form(Form),
    /// Sections, then targets; the cursor runs through both, its `top` is that of the targets.
    Overview(Cursor),
    /// Controls.
    Controls(Box<Controls>),
    /// One control.
    Finding(Detail),
    /// One node: its name, first line that is seen.
    Node(String, usize),
    /// The cluster; first line that is seen.
    Cluster(usize),
    /// The ports; first line that is seen.
    Ports(usize),
    /// The plan at hand, or what comes of it; first line that is seen.
    Plan(usize),
    /// The entries of the journal, newest first.
    Journal(Cursor),
    /// One entry: its name, first line that is seen.
    Entry(String, usize),
    /// Help for a place; first line that is seen.
    Help(Place, usize),
}

impl Screen {
    /// First line that is seen, where it is a page of text.
    pub(super) fn top(&mut self) -> Option<&mut usize> {
        match self {
            Screen::Finding(Detail { top, .. })
            | Screen::Node(_, top)
            | Screen::Cluster(top)
            | Screen::Ports(top)
            | Screen::Plan(top)
            | Screen::Entry(_, top)
            | Screen::Help(_, top) => Some(top),
            Screen::Connect(_) | Screen::Form(_) | Screen::Overview(_) | Screen::Controls(_) | Screen::Journal(_) => {
                None
            }
        }
    }
}

/// A question that a worker waits for.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub question: Question,
    /// To whom the answer goes.
    pub reply: Reply,
    /// What has been typed.
    pub typed: Secret,
    /// What to say about the last try.
    pub hint: Option<&'static str>,
}

/// A question of the screens themselves: may `az` be run?
#[derive(Debug, Clone)]
pub struct Consent {
    /// What would be run.
    pub commands: Vec<String>,
    /// What has been typed.
    pub typed: String,
    /// What to say about the last try.
    pub hint: Option<&'static str>,
}

/// A question of the screens that is answered by typing a word or a name.
#[derive(Debug, Clone, Default)]
pub struct Typing {
    /// What must be typed.
    pub wanted: String,
    /// What has been typed.
    pub typed: String,
    /// What to say about the last try.
    pub hint: Option<&'static str>,
}

/// The question before something is changed.
#[derive(Debug, Clone, Default)]
pub struct Confirming {
    /// Digest of the plan that was on the screen.
    pub digest: String,
    /// The word or name.
    pub typing: Typing,
}

/// Everything on the screens.
#[derive(Debug)]
pub struct App {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Looks.
    pub theme: Theme,
    /// Site, seat, SSH options and bounds for every reading; its targets are those of [`App::nodes`] and
    /// [`App::cluster`].
    pub visit: Visit,
    /// How a cluster is read that is chosen on the first screen.
    pub usual: ClusterVisit,
    /// The controls, for their texts.
    pub catalog: Arc<Catalog>,
    /// Where the evidence comes from.
    pub source: Source,
    /// The choices of the first screen.
    pub choices: Vec<Choice>,
    /// The cluster.
    pub cluster: Option<Cluster>,
    /// The nodes, in the order in which they were named.
    pub nodes: Vec<Node>,
    /// Nodes that the API alone shows.
    pub listed: Vec<Listed>,
    /// The ports.
    pub ports: Option<Ports>,
    /// What was seen so far.
    pub evidence: Option<Arc<Evidence>>,
    /// What it means.
    pub assessment: Option<Arc<Assessment>>,
    /// The findings of each control, in the order of the assessment.
    pub groups: Vec<Group>,
    /// Open screens, the visible one last. Never empty.
    pub screens: Vec<Screen>,
    /// Questions that wait, the visible one first.
    pub asked: VecDeque<Asked>,
    /// Whether `az` may be run, while that is being asked.
    pub consent: Option<Consent>,
    /// Whether changes are allowed.
    pub armed: bool,
    /// Whether the command line allows them, at every site that is looked at.
    pub allowed: bool,
    /// What was chosen for every change.
    pub chosen: Choices,
    /// Findings that are gathered: control and target.
    pub marks: BTreeSet<(String, String)>,
    /// The plan at hand, or the change that is under way.
    pub work: Option<Work>,
    /// Number of the last work.
    pub works: u64,
    /// Whether the plan may be run, while that is being asked.
    pub confirm: Option<Confirming>,
    /// Whether changes may be made, while that is being asked.
    pub arming: Option<Typing>,
    /// Whether the program is to be left in the middle of a change, while that is being asked.
    pub leaving: Option<Typing>,
    /// The journal's entries, oldest first, or why they cannot be read. None: nobody has read them yet.
    pub journal: Option<Result<Vec<Entry>, String>>,
    /// Something that went wrong and must be read.
    pub trouble: Option<String>,
    /// A sentence for the line above the footer, until the next key.
    pub notice: Option<String>,
    /// Number of the last reading.
    pub run: u64,
    /// Number of the last assessment that was asked for, and whether it is under way.
    pub serial: u64,
    /// An assessment is under way.
    pub assessing: bool,
    /// The evidence changed since it was asked for.
    pub stale: bool,
    /// Something that is seen changed: draw.
    pub changed: bool,
}

impl App {
    /// The visible screen.
    pub fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// Where a key goes now.
    pub fn place(&self) -> Place {
        if super::views::too_small(self.size) {
            return Place::Small;
        }
        if self.leaving.is_some() {
            return Place::Leaving;
        }
        if self.trouble.is_some() {
            return Place::Trouble;
        }
        match self.asked.front().map(|asked| &asked.question) {
            Some(Question::HostKey { .. }) => return Place::HostKey,
            Some(Question::Passphrase { .. }) => return Place::Passphrase,
            Some(
                Question::Password { .. }
                | Question::SudoPassword { .. }
                | Question::Prompt { .. }
                | Question::Code { .. },
            ) => {
                return Place::Password;
            }
            Some(Question::Reuse { .. }) => return Place::Reuse,
            None if self.confirm.is_some() => return Place::Confirm,
            None if self.arming.is_some() => return Place::Arming,
            None if self.consent.is_some() => return Place::Azure,
            None => {}
        }
        match self.screen() {
            Some(Screen::Connect(_)) | None => Place::Connect,
            Some(Screen::Form(_)) => Place::Form,
            Some(Screen::Overview(_)) => Place::Overview,
            Some(Screen::Controls(controls)) if controls.typing => Place::Filter,
            Some(Screen::Controls(_)) => Place::Controls,
            Some(Screen::Finding(_)) => Place::Finding,
            Some(Screen::Node(..)) => Place::Node,
            Some(Screen::Cluster(_)) => Place::Cluster,
            Some(Screen::Ports(_)) => Place::Ports,
            Some(Screen::Plan(_)) => Place::Plan,
            Some(Screen::Journal(_)) => Place::Journal,
            Some(Screen::Entry(..)) => Place::Entry,
            Some(Screen::Help(..)) => Place::Help,
        }
    }

    /// The screen that help was asked on, or the visible one.
    pub(super) fn screen_at_hand(&self) -> Option<&Screen> {
        match self.screen() {
            Some(Screen::Help(..)) => self.screens.iter().rev().nth(1),
            screen => screen,
        }
    }

    /// Whether targets can be read (again).
    pub fn live(&self) -> bool {
        self.source == Source::Live
    }

    /// How many targets the control that is looked at has.
    pub fn targets_at_hand(&self) -> usize {
        match self.screen_at_hand() {
            Some(Screen::Finding(detail)) => self.group(&detail.control).map_or(0, |group| group.findings.len()),
            _ => 0,
        }
    }

    /// The findings of a control.
    pub fn group(&self, control: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.control == control)
    }

    /// The name of the site, as far as anybody gave it one.
    pub fn site_name(&self) -> Option<&str> {
        let recorded = self.evidence.as_ref().and_then(|evidence| evidence.site.name.as_deref());
        match self.source {
            Source::Saved(_) | Source::Demo => recorded,
            Source::Live | Source::Nothing => self.visit.site.name.as_deref().or(recorded),
        }
    }

    /// Which site it is, as far as what was seen tells.
    pub fn identity(&self) -> Option<SiteIdentity> {
        self.evidence.as_deref().and_then(SiteIdentity::of)
    }
}
