//! Rules of a packet filter as far as they can meet a new TCP connection from elsewhere, and what they make of one.
//!
//! Two bounds are kept. Upper: the sources that some rule may let pass, where every condition that is not understood is
//! taken to hold for an accepting rule and not to hold for a dropping one. Lower: whether everybody certainly passes. A port
//! counts as restricted by the upper bound, as open by the lower one, and is not understood in between.

use super::net::{Net, Sources};
use std::collections::BTreeMap;

/// Deepest nesting of chains, as the kernel's own.
const DEPTH: usize = 16;
/// Rules that are looked at for one port.
const STEPS: usize = 50_000;

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Accept,
    Drop,
    Reject,
    Jump(String),
    Goto(String),
    Return,
    /// It counts, marks or logs, and goes on.
    Nothing,
    /// What becomes of the packet is not known.
    Unknown,
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Sources that it can meet at most.
    pub(super) sources: Sources,
    /// It meets everybody but these.
    pub(super) except: Option<Vec<Net>>,
    /// Destination ports, as ranges. None: all.
    pub(super) ports: Option<Vec<(u16, u16)>>,
    /// Whether nothing else narrows it.
    pub(super) certain: bool,
    /// Whether it meets only who comes too often.
    pub(super) rate: bool,
    /// Whether it can never meet a new TCP connection from elsewhere.
    pub(super) never: bool,
    pub(super) target: Target,
}

impl Default for Rule {
    fn default() -> Self {
        Rule {
            sources: Sources::Any,
            except: None,
            ports: None,
            certain: true,
            rate: false,
            never: false,
            target: Target::Nothing,
        }
    }
}

impl Rule {
    fn meets(&self, port: u16) -> bool {
        !self.never && self.ports.as_ref().is_none_or(|ranges| ranges.iter().any(|(a, b)| (*a..=*b).contains(&port)))
    }
}

/// One chain.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    pub(super) rules: Vec<Rule>,
    /// Of a chain that the kernel itself enters on a packet's way in: whether what comes to its end passes.
    pub(super) base: Option<bool>,
}

/// The chains of one table for one family.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// `iptables`, `ip6tables`, `nftables`.
    pub(super) tool: &'static str,
    /// The table.
    pub(super) table: String,
    /// By name.
    pub(super) chains: BTreeMap<String, Chain>,
}

/// What becomes of new connections to one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Who can pass at most.
    pub(super) upper: Sources,
    /// Whether everybody certainly passes.
    pub(super) open: bool,
}

impl Outcome {
    /// Sources, where it is known who can pass. None: not understood.
    pub(super) fn known(&self) -> Option<Sources> {
        match &self.upper {
            Sources::Any if self.open => Some(Sources::Any),
            Sources::Any => None,
            only => Some(only.clone()),
        }
    }
}

/// What all these filters together make of a connection to a port: it has to pass every one.
pub(super) fn outcome(filters: &[Filter], port: u16) -> Outcome {
    let mut all = Outcome { upper: Sources::Any, open: true };
    for filter in filters {
        for (chain, passes) in filter.chains.values().filter_map(|chain| Some((chain, chain.base?))) {
            let mut walk = Walk { filter, port, accepted: Sources::none(), dropped: false, open: false, steps: 0 };
            let (end, left) = walk.chain(chain, Sources::Any, true, false, 0);
            if end == End::Fell && passes {
                walk.accepted.add(&left);
                walk.open |= !walk.dropped && left == Sources::Any;
            }
            if walk.steps >= STEPS {
                (walk.accepted, walk.open) = (Sources::Any, false);
            }
            all = Outcome { upper: all.upper.and(&walk.accepted), open: all.open && walk.open };
        }
    }
    all
}

#[derive(PartialEq, Eq)]
enum End {
    /// Some may have come to the end of the chain.
    Fell,
    /// Nobody came to its end.
    Ended,
}

struct Walk<'a> {
    filter: &'a Filter,
    port: u16,
    accepted: Sources,
    /// Whether somebody may have been dropped.
    dropped: bool,
    open: bool,
    steps: usize,
}

impl Walk<'_> {
    /// Goes through a chain with those who may be `here`. `sure`: everybody is. `limited`: only who comes too often is.
    fn chain(&mut self, chain: &Chain, here: Sources, sure: bool, limited: bool, depth: usize) -> (End, Sources) {
        let mut here = here;
        // Whether somebody may have left the chain early, so that what follows does not meet everybody.
        let mut leaky = false;
        let (port, filter) = (self.port, self.filter);
        for rule in chain.rules.iter().filter(|rule| rule.meets(port)) {
            self.steps += 1;
            if self.steps >= STEPS {
                self.accepted = Sources::Any;
                return (End::Fell, here);
            }
            let may = rule.sources.and(&here);
            if may.is_none() {
                continue;
            }
            let must = rule.certain && rule.except.is_none() && may == here && !leaky;
            let slow = limited || rule.rate;
            match &rule.target {
                Target::Nothing => {}
                Target::Accept => {
                    self.accepted.add(&may);
                    if must {
                        self.open |= sure && !self.dropped && may == Sources::Any;
                        return (End::Ended, here);
                    }
                }
                // A bound on how often somebody comes keeps nobody out.
                Target::Drop | Target::Reject if slow => {}
                Target::Drop | Target::Reject => {
                    self.dropped = true;
                    if must {
                        return (End::Ended, here);
                    }
                    if let (Some(nets), true, false) = (&rule.except, rule.certain && may == here, leaky) {
                        here = here.and(&Sources::of(nets.clone()));
                    }
                }
                Target::Return if must => return (End::Fell, here),
                Target::Return => leaky = true,
                Target::Unknown => {
                    self.accepted.add(&may);
                    self.dropped = true;
                }
                Target::Jump(name) | Target::Goto(name) => {
                    let goes = matches!(rule.target, Target::Goto(_));
                    let Some(next) = filter.chains.get(name).filter(|_| depth < DEPTH) else {
                        self.accepted.add(&may);
                        self.dropped = true;
                        continue;
                    };
                    let (end, left) = self.chain(next, may, sure && must, slow, depth + 1);
                    match (end, must, goes) {
                        (End::Ended, true, _) => return (End::Ended, here),
                        (End::Fell, true, true) => return (End::Fell, left),
                        (End::Fell, true, false) => here = left,
                        (End::Fell, false, true) => leaky = true,
                        _ => {}
                    }
                }
            }
        }
        (End::Fell, here)
    }
}
