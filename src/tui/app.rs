//! The state of the screens: plain data. `update` changes it, `views` draw it, nobody else holds it.

use super::keys::Place;
use super::list::Cursor;
use super::msg::Reply;
use super::rows::{Group, Row};
use super::theme::Theme;
use crate::assess::Assessment;
use crate::catalog::{Catalog, Section};
use crate::channel::{Question, Secret};
use crate::evidence::Evidence;
use crate::site::NodeTarget;
use crate::visit::Visit;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the evidence comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nothing has been named yet.
    Nothing,
    /// Nodes, read now.
    Live,
    /// A document collected earlier; the file where it is known.
    Saved(Option<PathBuf>),
    /// The made-up site.
    Demo,
}

/// How far a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Its turn has not come.
    Waiting,
    /// The connection is being made.
    Connecting,
    /// The collector runs.
    Reading,
    /// Read.
    Read,
    /// Read in part; why.
    Partly(String),
    /// Not read; why.
    Failed(String),
}

impl NodeState {
    /// The word for screens.
    pub fn word(&self) -> &'static str {
        match self {
            NodeState::Waiting => "waiting",
            NodeState::Connecting => "connecting",
            NodeState::Reading => "reading",
            NodeState::Read => "read",
            NodeState::Partly(_) => "incomplete",
            NodeState::Failed(_) => "failed",
        }
    }

    /// Whether a reading is still under way.
    pub fn pending(&self) -> bool {
        matches!(self, NodeState::Waiting | NodeState::Connecting | NodeState::Reading)
    }
}

/// A node on the screens.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, unique.
    pub name: String,
    /// How it is reached. None where it comes from a saved document.
    pub target: Option<NodeTarget>,
    /// How far it is.
    pub state: NodeState,
    /// The reading that it last took part in.
    pub run: u64,
    /// What that reading said about the way to it.
    pub warnings: Vec<String>,
}

/// What the first screen offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
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
    /// Sections, then nodes; the cursor runs through both, its `top` is that of the nodes.
    Overview(Cursor),
    /// Controls.
    Controls(Box<Controls>),
    /// One control.
    Finding(Detail),
    /// One node: its name, first line that is seen.
    Node(String, usize),
    /// Help for a place; first line that is seen.
    Help(Place, usize),
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

/// Everything on the screens.
#[derive(Debug)]
pub struct App {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Looks.
    pub theme: Theme,
    /// Site, seat, SSH options and bounds for every reading; its targets are those of [`App::nodes`].
    pub visit: Visit,
    /// The controls, for their texts.
    pub catalog: Arc<Catalog>,
    /// Where the evidence comes from.
    pub source: Source,
    /// The choices of the first screen.
    pub choices: Vec<Choice>,
    /// The nodes, in the order in which they were named.
    pub nodes: Vec<Node>,
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
        if self.trouble.is_some() {
            return Place::Trouble;
        }
        match self.asked.front().map(|asked| &asked.question) {
            Some(Question::HostKey { .. }) => return Place::HostKey,
            Some(Question::Passphrase { .. }) => return Place::Passphrase,
            Some(Question::Password { .. } | Question::SudoPassword { .. } | Question::Prompt { .. }) => {
                return Place::Password;
            }
            Some(Question::Reuse { .. }) => return Place::Reuse,
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
            Some(Screen::Help(..)) => Place::Help,
        }
    }

    /// The screen that help was asked on, or the visible one.
    fn screen_at_hand(&self) -> Option<&Screen> {
        match self.screen() {
            Some(Screen::Help(..)) => self.screens.iter().rev().nth(1),
            screen => screen,
        }
    }

    /// Whether nodes can be read (again).
    pub fn live(&self) -> bool {
        self.source == Source::Live
    }

    /// The node that the visible screen is about.
    pub fn node_at_hand(&self) -> Option<&Node> {
        match self.screen_at_hand()? {
            Screen::Overview(cursor) => self.nodes.get(cursor.at.checked_sub(Section::ALL.len())?),
            Screen::Finding(detail) => self.node(detail.target.strip_prefix("node/")?),
            Screen::Node(name, _) => self.node(name),
            _ => None,
        }
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
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

    /// How many nodes are being read, and how many wait for their turn.
    pub fn under_way(&self) -> (usize, usize) {
        let waiting = self.nodes.iter().filter(|node| node.state == NodeState::Waiting).count();
        (self.nodes.iter().filter(|node| node.state.pending()).count() - waiting, waiting)
    }

    /// The name of the site, as far as anybody gave it one.
    pub fn site_name(&self) -> Option<&str> {
        let recorded = self.evidence.as_ref().and_then(|evidence| evidence.site.name.as_deref());
        match self.source {
            Source::Saved(_) | Source::Demo => recorded,
            Source::Live | Source::Nothing => self.visit.site.name.as_deref().or(recorded),
        }
    }
}
