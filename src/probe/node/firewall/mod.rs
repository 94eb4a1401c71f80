//! The node's own packet filter: who can reach sshd and the control plane through it.

mod iptables;
mod net;
mod nft;
mod rules;

use super::answer::{Answer, Got};
use super::defences::unit_state;
use super::frames::{Pair, Pairs, Record, State};
use super::text;
use crate::evidence::{Fact, Firewall, FirewallPort, FirewallRule, Listing, NodeEvidence, Reason};
use net::Sources;
use rules::{Filter, Target};
use std::collections::BTreeSet;

const PATH: &str = "firewall";
/// Ports of the control plane and the kubelet.
const CONTROL_PLANE: [u16; 7] = [6443, 2379, 2380, 10250, 10255, 10257, 10259];
/// A port that has no service and that no rule names; ranges that begin higher leave it out.
const NAMELESS: u16 = 4;
/// Rules that are listed.
const LISTED: usize = 200;
/// Tables of nftables that the collector sends.
const TABLES: usize = 16;

/// Reads the filters. `node` tells the units and sshd's ports, which are read already.
pub(super) fn read(answer: &mut Answer<'_>, node: &NodeEvidence) -> Firewall {
    let got = answer.got("firewall");
    answer.note(&got, PATH, "the packet filter");
    let Some(pairs) = got.record().map(Record::pairs) else { return Firewall::default() };
    let mut found = Found { v4: Vec::new(), v6: Vec::new(), missing: None };
    found.iptables(answer, &pairs);
    found.nftables(answer, &pairs);
    if let Some((state, detail)) = found.missing {
        let reason = state.reason().unwrap_or(Reason::Malformed);
        answer.gap(PATH, reason, detail);
        return Firewall::default();
    }
    let v6 = pairs.value("ipv6") != Some("no");
    let ssh = ssh_ports(node);
    let all: BTreeSet<u16> = ssh.iter().copied().chain(CONTROL_PLANE).collect();
    let mut ports = Vec::new();
    for port in &all {
        let sources = found.sources(*port, v6 && !only_v4(node, *port));
        ports.push(FirewallPort {
            name: format!("tcp {port}"),
            port: i64::from(*port),
            unread: sources.is_none().then_some(Reason::Unsupported),
            sources: sources.map_or(Fact::Unread, Fact::Known),
        });
    }
    let mut ssh_sources: Option<Vec<String>> = Some(Vec::new());
    for port in &ssh {
        ssh_sources = match (ssh_sources, found.sources(*port, v6 && !only_v4(node, *port))) {
            (Some(mut known), Some(more)) => {
                known.extend(more.into_iter().filter(|source| !known.contains(source)).collect::<Vec<_>>());
                Some(known)
            }
            _ => None,
        };
    }
    let not_understood = "it depends on rules that this version does not understand";
    if ssh_sources.is_none() {
        answer.gap("firewall.ssh_sources", Reason::Unsupported, not_understood);
    }
    let default_input = match found.sources(NAMELESS, v6) {
        Some(sources) if sources.is_empty() => Fact::Known("drop".to_owned()),
        Some(sources) if sources.iter().any(|source| source == "0.0.0.0/0") => Fact::Known("accept".to_owned()),
        _ => {
            answer.gap("firewall.default_input", Reason::Unsupported, not_understood);
            Fact::Unread
        }
    };
    let rules = found.rules(&all);
    if !rules.complete {
        answer.gap("firewall.rules", Reason::TooLarge, "more rules than are listed");
    }
    Firewall {
        active: Fact::Known(found.active(node)),
        default_input,
        ssh_sources: ssh_sources.map_or(Fact::Unread, Fact::Known),
        ports: Listing::whole(ports),
        rules,
    }
}

/// The ports of every sshd, from its own settings; 22 where none is known.
fn ssh_ports(node: &NodeEvidence) -> BTreeSet<u16> {
    let dumps = node.sshd.daemons.items.iter().flat_map(|daemon| &daemon.dumps.items);
    let settings = dumps.filter_map(|dump| dump.settings.known()?.get("port"));
    let mut ports: BTreeSet<u16> = settings.flatten().filter_map(|port| port.parse().ok()).collect();
    let bound = node.listeners.items.iter().filter(|one| one.process.known().is_some_and(|name| name == "sshd"));
    ports.extend(bound.filter_map(|one| u16::try_from(one.port).ok()));
    if ports.is_empty() {
        ports.insert(22);
    }
    ports
}

/// Whether what listens at a port listens to IPv4 alone, so that nobody comes by IPv6 whatever the filter lets pass.
fn only_v4(node: &NodeEvidence, port: u16) -> bool {
    let mut here = node.listeners.items.iter().filter(|one| one.port == i64::from(port) && one.exposed).peekable();
    node.listeners.complete && here.peek().is_some() && here.all(|one| one.protocol == "tcp")
}

struct Found {
    v4: Vec<Filter>,
    v6: Vec<Filter>,
    /// Why the whole is not known.
    missing: Option<(State, &'static str)>,
}

impl Found {
    fn miss(&mut self, state: State, detail: &'static str) {
        self.missing.get_or_insert((state, detail));
    }

    /// What one `iptables-save` printed.
    fn saved(&mut self, answer: &Answer<'_>, key: &str, tool: &'static str) {
        let parsed = match answer.got(key) {
            Got::Here(record) => iptables::parse(&record.text(), tool),
            Got::Cut(_) => return self.miss(State::TooLarge, "the rules of iptables are longer than the bound"),
            _ => None,
        };
        match parsed {
            Some(filters) if tool == "ip6tables" => self.v6.extend(filters),
            Some(filters) => self.v4.extend(filters),
            None => self.miss(State::Malformed, "iptables-save failed, or what it said could not be understood"),
        }
    }

    fn iptables(&mut self, answer: &Answer<'_>, pairs: &Pairs) {
        for (family, tool) in [("ip", "iptables"), ("ip6", "ip6tables")] {
            match pairs.get(&format!("legacy_{family}")) {
                Some(Pair::Value(word)) if word == "absent" => {}
                Some(Pair::Value(word)) if word == "here" => self.saved(answer, &format!("fw.legacy.{family}"), tool),
                _ => self.miss(
                    State::Unsupported,
                    "the kernel holds rules of the older iptables, and the node lacks its tool",
                ),
            }
            let key = format!("fw.nft.{family}");
            if answer.any(&key).is_some() {
                self.saved(answer, &key, tool);
            }
        }
    }

    fn nftables(&mut self, answer: &Answer<'_>, pairs: &Pairs) {
        match pairs.value("nft") {
            Some("absent") => return,
            Some("here") => {}
            _ => return self.miss(State::Unsupported, "the node lacks `nft`, which alone can tell the kernel's rules"),
        }
        let count = pairs.value("nft_tables").and_then(|count| count.parse::<usize>().ok());
        let Some(count) = count.filter(|count| *count <= TABLES && pairs.value("nft_more").is_none()) else {
            return self.miss(State::TooLarge, "the node has more tables of nftables than are read");
        };
        for number in 0..count {
            let parsed = match answer.got(&format!("fw.table.{number}")) {
                Got::Here(record) => serde_json::from_slice::<serde_json::Value>(&record.payload).ok(),
                Got::Cut(_) => return self.miss(State::TooLarge, "a table of nftables is longer than the bound"),
                _ => None,
            };
            let both = parsed.and_then(|json| Some((nft::parse(&json, false)?, nft::parse(&json, true)?)));
            let Some((v4, v6)) = both else {
                return self.miss(State::Malformed, "a table of nftables could not be understood");
            };
            self.v4.extend(v4);
            self.v6.extend(v6);
        }
    }

    /// Who can reach a port, as networks. None: not understood.
    fn sources(&self, port: u16, v6: bool) -> Option<Vec<String>> {
        let words = |sources: Sources, everybody: &str| match sources {
            Sources::Any => vec![everybody.to_owned()],
            Sources::Only(nets) => nets.iter().map(|net| net.to_string()).collect(),
        };
        let mut all = words(rules::outcome(&self.v4, port).known()?, "0.0.0.0/0");
        if v6 {
            all.extend(words(rules::outcome(&self.v6, port).known()?, "::/0"));
        }
        Some(all)
    }

    /// What filters: whose chains hold rules, or drop by themselves.
    fn active(&self, node: &NodeEvidence) -> Vec<String> {
        let mut active = BTreeSet::new();
        for filter in self.v4.iter().chain(&self.v6) {
            let filters = filter.chains.values().any(|chain| {
                chain.base == Some(false)
                    || (chain.base.is_some() && chain.rules.iter().any(|rule| rule.target != Target::Nothing))
            });
            let named = |start: &str| filter.chains.keys().any(|name| name.starts_with(start));
            if !filters {
                continue;
            }
            match filter.tool {
                "nftables" if filter.table.ends_with(" firewalld") => active.insert("firewalld"),
                "nftables" => active.insert("nftables"),
                _ if named("ufw") => active.insert("ufw"),
                _ => active.insert("iptables"),
            };
        }
        if !active.is_empty() && unit_state(&node.service_units, "firewalld.service").1 == Fact::Known(true) {
            active.insert("firewalld");
        }
        active.into_iter().map(str::to_owned).collect()
    }

    /// The rules that name one of these ports.
    fn rules(&self, ports: &BTreeSet<u16>) -> Listing<FirewallRule> {
        let mut items = Vec::new();
        for filter in self.v4.iter().chain(&self.v6) {
            for (name, chain) in &filter.chains {
                for rule in chain.rules.iter().filter(|rule| !rule.never) {
                    let Some(ranges) = &rule.ports else { continue };
                    for port in ports.iter().filter(|port| ranges.iter().any(|(a, b)| (a..=b).contains(port))) {
                        let row = row(filter, name, rule, *port);
                        if !items.contains(&row) {
                            items.push(row);
                        }
                    }
                }
            }
        }
        let complete = items.len() <= LISTED;
        items.truncate(LISTED);
        Listing { items, complete }
    }
}

fn row(filter: &Filter, chain: &str, rule: &rules::Rule, port: u16) -> FirewallRule {
    let join = |nets: &[net::Net]| nets.iter().map(|net| net.to_string()).collect::<Vec<_>>().join(", ");
    let source = match (&rule.sources, &rule.except) {
        (_, Some(nets)) => format!("all but {}", join(nets)),
        (Sources::Any, None) => "any".to_owned(),
        (Sources::Only(nets), None) => join(nets),
    };
    let action = match &rule.target {
        Target::Accept => "accept".to_owned(),
        Target::Drop => "drop".to_owned(),
        Target::Reject => "reject".to_owned(),
        Target::Return => "return".to_owned(),
        Target::Nothing => "continue".to_owned(),
        Target::Unknown => "unknown".to_owned(),
        Target::Jump(name) | Target::Goto(name) => text::line(name),
    };
    let chain = text::line(&format!("{} {chain}", filter.table));
    let name = format!("{} {chain}: tcp {port} from {source} {action}", filter.tool);
    FirewallRule { name, tool: filter.tool.to_owned(), chain, port: i64::from(port), source, action }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
