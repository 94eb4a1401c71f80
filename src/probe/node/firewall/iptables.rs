//! What `iptables-save` and `ip6tables-save` print.

use super::net::{Net, Sources};
use super::rules::{Chain, Filter, Rule, Target};

/// Targets that leave the packet on its way.
const PASSING: [&str; 20] = [
    "LOG",
    "NFLOG",
    "ULOG",
    "MARK",
    "CONNMARK",
    "CT",
    "NOTRACK",
    "TRACE",
    "TCPMSS",
    "AUDIT",
    "SECMARK",
    "CONNSECMARK",
    "TOS",
    "DSCP",
    "CHECKSUM",
    "TTL",
    "HL",
    "SET",
    "CLASSIFY",
    "TEE",
];
/// Targets that decide in a way that cannot be seen.
const OPAQUE: [&str; 6] = ["QUEUE", "NFQUEUE", "TARPIT", "SYNPROXY", "STEAL", "BPF"];

/// The tables of a saved rule set on a packet's way in. None where it did not come whole.
pub(super) fn parse(text: &str, tool: &'static str) -> Option<Vec<Filter>> {
    let mut filters: Vec<Filter> = Vec::new();
    let mut whole = false;
    for line in text.lines() {
        if line == "# rc 0" {
            whole = true;
        } else if let Some(table) = line.strip_prefix('*') {
            filters.push(Filter { tool, table: table.to_owned(), ..Filter::default() });
        } else if let Some(filter) = filters.last_mut() {
            read(filter, line)?;
        }
    }
    whole.then_some(filters)
}

fn read(filter: &mut Filter, line: &str) -> Option<()> {
    if let Some(chain) = line.strip_prefix(':') {
        let mut words = chain.split_whitespace();
        let (name, policy) = (words.next()?, words.next()?);
        let way_in = name == "INPUT" || (name == "PREROUTING" && filter.table != "nat");
        let base = match policy {
            "ACCEPT" if way_in => Some(true),
            "DROP" if way_in => Some(false),
            _ => None,
        };
        filter.chains.entry(name.to_owned()).or_insert(Chain { base, ..Chain::default() });
    } else if line.starts_with("-A ") {
        let words = shlex::split(line)?;
        let mut words = words.iter().map(String::as_str).skip(1);
        let name = words.next()?;
        // With host endpoints Calico's marks say what its policies let in to the node itself.
        let host_endpoints = filter.chains.keys().any(|chain| chain.starts_with("cali-fh-"));
        let rule = rule(name, &words.collect::<Vec<_>>(), host_endpoints);
        filter.chains.entry(name.to_owned()).or_default().rules.push(rule);
    } else if !(line.is_empty() || line.starts_with('#') || line == "COMMIT") {
        return None;
    }
    Some(())
}

fn rule(chain: &str, words: &[&str], host_endpoints: bool) -> Rule {
    let mut rule = Rule::default();
    let mut words = words.iter().copied();
    let mut not = false;
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word {
            "!" => {
                not = true;
                continue;
            }
            "-m" | "--comment" => _ = value(),
            "-p" => match (value(), not) {
                ("tcp" | "6" | "all" | "0", false) => {}
                ("tcp" | "6", true) => rule.never = true,
                (_, negated) => rule.never |= !negated,
            },
            "-s" => source(&mut rule, value(), not),
            "-d" => match (Net::parse(value()), not) {
                (Some(net), false) if net.is_loopback() => rule.never = true,
                (Some(net), true) if net.is_loopback() => {}
                _ => rule.certain = false,
            },
            "-i" => interface(&mut rule, value(), not),
            "-o" => rule.never = true,
            "--dport" | "--dports" => match (ports(value()), not) {
                (Some(ranges), false) => rule.ports = Some(ranges),
                _ => rule.certain = false,
            },
            "--ctstate" | "--state" => {
                let states: Vec<&str> = value().split(',').collect();
                // Untracked is what somebody asked not to be tracked, which is not known here.
                if states.contains(&"UNTRACKED") && !states.contains(&"NEW") {
                    rule.certain = false;
                } else {
                    rule.never |= states.contains(&"NEW") == not;
                }
            }
            // Only what the node itself translated carries it.
            "--ctstatus" => match (value(), not) {
                ("DNAT", false) => rule.never = true,
                _ => rule.certain = false,
            },
            "--dst-type" => rule.never |= value().split(',').any(|kind| kind == "LOCAL") == not,
            "--mark" => {
                value();
                // These mark what goes to services and pods, and nothing else.
                if ["KUBE-", "CILIUM_", "cali-"].iter().any(|own| chain.starts_with(own)) && !not && !host_endpoints {
                    rule.never = true;
                } else {
                    rule.certain = false;
                }
            }
            "--limit" | "--limit-burst" => {
                rule.rate = true;
                value();
            }
            "--hitcount" | "--connlimit-above" | "--hashlimit-above" => {
                rule.rate = true;
                rule.certain = false;
                value();
            }
            "-j" | "-g" => {
                rule.target = target(value(), word == "-g");
                break;
            }
            // Anything else may narrow the rule.
            _ => rule.certain = false,
        }
        not = false;
    }
    rule
}

fn source(rule: &mut Rule, text: &str, not: bool) {
    match (Net::parse(text), not) {
        (Some(net), false) => rule.sources = Sources::of(vec![net]),
        (Some(net), true) => rule.except = Some(vec![net]),
        (None, _) => rule.certain = false,
    }
}

/// Interfaces that no packet from elsewhere comes in by: the loopback, and the bridges and pairs of containers.
pub(super) fn inner(name: &str) -> bool {
    let bridges =
        ["cni", "flannel", "cali", "lxc", "cilium_", "veth", "docker", "virbr", "kube-", "nodelocaldns", "podman"];
    name == "lo" || bridges.iter().any(|start| name.starts_with(start))
}

fn interface(rule: &mut Rule, name: &str, not: bool) {
    match (inner(name), not) {
        (true, false) => rule.never = true,
        (true, true) => {}
        (false, _) => rule.certain = false,
    }
}

/// `22`, `2379:2380`, `22,80,100:200`.
fn ports(text: &str) -> Option<Vec<(u16, u16)>> {
    text.split(',')
        .map(|part| match part.split_once(':') {
            Some((from, to)) => Some((from.parse().ok()?, to.parse().ok()?)),
            None => part.parse().ok().map(|port| (port, port)),
        })
        .collect()
}

fn target(name: &str, goes: bool) -> Target {
    match name {
        "ACCEPT" => Target::Accept,
        "DROP" => Target::Drop,
        "REJECT" => Target::Reject,
        "RETURN" => Target::Return,
        name if PASSING.contains(&name) => Target::Nothing,
        name if OPAQUE.contains(&name) || name.is_empty() => Target::Unknown,
        name if goes => Target::Goto(name.to_owned()),
        name => Target::Jump(name.to_owned()),
    }
}
