//! What `nft -j list table` prints.

use super::iptables::inner;
use super::net::{Net, Sources};
use super::rules::{Chain, Filter, Rule, Target};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Sets and maps by name.
type Named<'a> = BTreeMap<&'a str, &'a Json>;

/// A table for one family of addresses; None where the answer is not of this shape, an empty list where the table does not
/// concern the family.
pub(super) fn parse(json: &Json, v6: bool) -> Option<Vec<Filter>> {
    let objects = json.get("nftables")?.as_array()?;
    let table = objects.iter().find_map(|object| object.get("table"))?;
    let (family, name) = (table.get("family")?.as_str()?, table.get("name")?.as_str()?);
    if !matches!((family, v6), ("inet" | "netdev", _) | ("ip", false) | ("ip6", true)) {
        return Some(Vec::new());
    }
    let mut sets = Named::new();
    for set in objects.iter().filter_map(|object| object.get("set").or_else(|| object.get("map"))) {
        // What is filled while packets pass may hold anything when it is asked.
        let flags = set.get("flags").map(Json::to_string).unwrap_or_default();
        if !flags.contains("dynamic") && !flags.contains("timeout") {
            sets.insert(set.get("name")?.as_str()?, set.get("elem").unwrap_or(&Json::Null));
        }
    }
    let mut filter = Filter { tool: "nftables", table: format!("{family} {name}"), ..Filter::default() };
    let mut ingress = Vec::new();
    for chain in objects.iter().filter_map(|object| object.get("chain")) {
        let text = |key: &str| chain.get(key).and_then(Json::as_str);
        let way_in = matches!(text("hook"), Some("input" | "prerouting" | "ingress")) && text("type") == Some("filter");
        let base = way_in.then(|| text("policy") != Some("drop"));
        let name = text("name")?.to_owned();
        if text("hook") == Some("ingress") {
            ingress.push(name.clone());
        }
        filter.chains.insert(name, Chain { base, ..Chain::default() });
    }
    for rule in objects.iter().filter_map(|object| object.get("rule")) {
        let chain = filter.chains.get_mut(rule.get("chain")?.as_str()?)?;
        let mut made = Reader { rule: Rule::default(), done: Vec::new(), sets: &sets, v6 };
        for statement in rule.get("expr").and_then(Json::as_array).into_iter().flatten() {
            made.statement(statement);
        }
        chain.rules.append(&mut made.done);
        chain.rules.push(made.rule);
    }
    // What comes in by one device passes these; by the others it does not.
    for name in ingress {
        let Some(chain) = filter.chains.get_mut(&name) else { continue };
        if chain.base == Some(false) {
            chain.base = Some(true);
            chain.rules.push(Rule { target: Target::Drop, ..Rule::default() });
        }
        chain.rules.iter_mut().for_each(|rule| rule.certain = false);
    }
    Some(vec![filter])
}

struct Reader<'a> {
    rule: Rule,
    /// Rules that a verdict map stands for.
    done: Vec<Rule>,
    sets: &'a Named<'a>,
    v6: bool,
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Json) {
        let Some((kind, value)) = statement.as_object().and_then(|object| object.iter().next()) else {
            self.rule.certain = false;
            return;
        };
        match kind.as_str() {
            "match" => self.condition(value),
            "vmap" => self.verdict_map(value),
            "limit" | "ct count" => {
                let over = value.get("inv").and_then(Json::as_bool) == Some(true);
                self.rule.rate = true;
                self.rule.certain &= !over && kind == "limit";
            }
            "counter" | "log" | "mangle" | "notrack" | "comment" | "meter" | "set" | "ct helper" | "quota" => {
                // A meter or quota narrows; the others only note something.
                self.rule.certain &= !matches!(kind.as_str(), "meter" | "quota");
            }
            _ => match verdict(statement) {
                Target::Unknown => {
                    self.rule.certain = false;
                    self.rule.target = Target::Unknown;
                }
                target => self.rule.target = target,
            },
        }
    }

    fn condition(&mut self, value: &Json) {
        let not = match value.get("op").and_then(Json::as_str) {
            Some("==" | "in") => false,
            Some("!=") => true,
            _ => return self.rule.certain = false,
        };
        let (Some(left), Some(right)) = (value.get("left"), value.get("right")) else {
            return self.rule.certain = false;
        };
        if let Some(key) = left.pointer("/meta/key").and_then(Json::as_str) {
            return self.meta(key, right, not);
        }
        if let Some(key) = left.pointer("/ct/key").and_then(Json::as_str) {
            return match (key, not) {
                ("state", _) => self.states(right, not),
                // Only what the node itself translated carries it.
                ("status", false) if right == "dnat" => self.rule.never = true,
                _ => self.rule.certain = false,
            };
        }
        if let Some(fib) = left.get("fib") {
            let flags = fib.get("flags").map(Json::to_string).unwrap_or_default();
            return match (fib.get("result").and_then(Json::as_str), right, not) {
                // Of the destination; what is asked of the source narrows.
                (Some("type"), Json::String(kind), _) if flags.contains("daddr") && !flags.contains("saddr") => {
                    self.rule.never |= (kind == "local") == not;
                }
                // A source that no route leads back to.
                (Some("oif"), Json::Bool(false), false) => self.rule.never = true,
                _ => self.rule.certain = false,
            };
        }
        let of = |key: &str| left.pointer(key).and_then(Json::as_str);
        match (of("/payload/protocol"), of("/payload/field")) {
            (Some(protocol @ ("ip" | "ip6")), Some(field)) => {
                if (protocol == "ip6") != self.v6 {
                    self.rule.never = true;
                    return;
                }
                match field {
                    "saddr" => self.source(right, not),
                    "daddr" => match self.nets(right) {
                        Some(nets) if nets.iter().all(|net| net.is_loopback()) => self.rule.never |= !not,
                        _ => self.rule.certain = false,
                    },
                    "protocol" | "nexthdr" => self.named(right, &["tcp"], not),
                    _ => self.rule.certain = false,
                }
            }
            (Some("tcp" | "th"), Some("dport")) => match (self.ports(right), not) {
                (Some(ranges), false) => self.rule.ports = Some(ranges),
                _ => self.rule.certain = false,
            },
            (Some("udp" | "udplite" | "icmp" | "icmpv6" | "sctp" | "dccp" | "igmp" | "esp" | "ah" | "arp"), _) => {
                self.rule.never = true
            }
            _ => self.rule.certain = false,
        }
    }

    fn meta(&mut self, key: &str, right: &Json, not: bool) {
        match key {
            "iif" | "iifname" => {
                let all = items(right);
                let ours = !all.is_empty() && all.iter().all(|name| name.as_str().is_some_and(inner));
                if !ours {
                    return self.rule.certain = false;
                }
                self.rule.never |= !not;
            }
            "oif" | "oifname" => self.rule.never = true,
            "l4proto" => self.named(right, &["tcp"], not),
            "nfproto" => self.named(right, &[if self.v6 { "ipv6" } else { "ipv4" }], not),
            "protocol" => self.named(right, &[if self.v6 { "ip6" } else { "ip" }], not),
            "pkttype" => self.named(right, &["host", "unicast"], not),
            _ => self.rule.certain = false,
        }
    }

    /// A condition on a word: whether one of the wanted is among those named.
    fn named(&mut self, right: &Json, wanted: &[&str], not: bool) {
        if plain(right) { self.rule.never |= names(right, wanted) == not } else { self.rule.certain = false }
    }

    /// A new connection is `new`, or `untracked` where somebody asked for that, which is not known here.
    fn states(&mut self, right: &Json, not: bool) {
        if !plain(right) || (names(right, &["untracked"]) && !names(right, &["new"])) {
            self.rule.certain = false;
        } else {
            self.rule.never |= names(right, &["new"]) == not;
        }
    }

    fn source(&mut self, right: &Json, not: bool) {
        match (self.nets(right), not) {
            (Some(nets), false) => self.rule.sources = self.rule.sources.and(&Sources::of(nets)),
            (Some(nets), true) if self.rule.except.is_none() => self.rule.except = Some(nets),
            _ => self.rule.certain = false,
        }
    }

    /// The elements of a set in the rule, of a named one, or the value alone. None where it cannot be known.
    fn elements<'a>(&'a self, value: &'a Json) -> Option<Vec<&'a Json>> {
        match value.as_str().and_then(|name| name.strip_prefix('@')) {
            Some(name) => self.sets.get(name).map(|elements| items(elements)),
            None => Some(items(value)),
        }
    }

    fn nets(&self, value: &Json) -> Option<Vec<Net>> {
        self.elements(value)?.into_iter().map(net).collect()
    }

    fn ports(&self, value: &Json) -> Option<Vec<(u16, u16)>> {
        self.elements(value)?.into_iter().map(range).collect()
    }

    /// `ct state vmap { established : accept, invalid : drop }`, `tcp dport vmap { 22 : jump ssh }`, `iifname vmap { ... }`
    fn verdict_map(&mut self, value: &Json) {
        let key = value.get("key").unwrap_or(&Json::Null);
        let of = |path: &str| key.pointer(path).and_then(Json::as_str);
        let entries = value.get("data").and_then(|data| self.elements(data));
        let Some(entries) = entries else {
            let mut rule = self.rule.clone();
            (rule.certain, rule.target) = (false, Target::Unknown);
            self.done.push(rule);
            return;
        };
        let mut made = Vec::new();
        for entry in entries {
            let mut rule = self.rule.clone();
            let pair = entry.as_array().map(Vec::as_slice);
            let Some([name, target]) = pair else {
                (rule.certain, rule.target) = (false, Target::Unknown);
                made.push(rule);
                continue;
            };
            rule.target = verdict(target);
            let name = name.pointer("/elem/val").unwrap_or(name);
            match (of("/ct/key"), of("/meta/key"), of("/payload/protocol"), of("/payload/field")) {
                (Some("state"), ..) => rule.never |= !has_new(name),
                (_, Some("iif" | "iifname"), ..) if name.as_str().is_some_and(inner) => rule.never = true,
                (.., Some("tcp" | "th"), Some("dport")) => match range(name) {
                    Some(ports) => rule.ports = Some(vec![ports]),
                    None => rule.certain = false,
                },
                _ => rule.certain = false,
            }
            made.push(rule);
        }
        self.done.append(&mut made);
    }
}

/// A list, a set in braces, or one value; elements out of what they carry along.
fn items(value: &Json) -> Vec<&Json> {
    let list = value.get("set").unwrap_or(value);
    let bare = |element: &'_ Json| element.pointer("/elem/val").is_some();
    match list {
        Json::Array(elements) => elements
            .iter()
            .map(|element| if bare(element) { element.pointer("/elem/val").unwrap_or(element) } else { element })
            .collect(),
        Json::Null => Vec::new(),
        one => vec![one],
    }
}

fn names(value: &Json, wanted: &[&str]) -> bool {
    items(value).iter().any(|item| {
        let six = item.as_i64() == Some(6) && wanted.contains(&"tcp");
        six || item.as_str().is_some_and(|name| wanted.contains(&name))
    })
}

fn has_new(value: &Json) -> bool {
    names(value, &["new", "untracked"])
}

/// Whether these are words and numbers alone, and no name of a set.
fn plain(value: &Json) -> bool {
    items(value).iter().all(|item| item.is_i64() || item.as_str().is_some_and(|word| !word.starts_with('@')))
}

fn net(value: &Json) -> Option<Net> {
    match value {
        Json::String(text) => Net::parse(text),
        _ => {
            let prefix = value.get("prefix")?;
            Net::parse(&format!("{}/{}", prefix.get("addr")?.as_str()?, prefix.get("len")?.as_u64()?))
        }
    }
}

fn range(value: &Json) -> Option<(u16, u16)> {
    let port = |value: &Json| value.as_u64().and_then(|port| u16::try_from(port).ok());
    match value.get("range").and_then(Json::as_array).map(Vec::as_slice) {
        Some([from, to]) => Some((port(from)?, port(to)?)),
        Some(_) => None,
        None => port(value).map(|port| (port, port)),
    }
}

fn verdict(statement: &Json) -> Target {
    let Some((kind, value)) = statement.as_object().and_then(|object| object.iter().next()) else {
        return Target::Unknown;
    };
    let to = || value.get("target").and_then(Json::as_str).map(str::to_owned);
    match (kind.as_str(), to()) {
        ("accept", _) => Target::Accept,
        ("drop", _) => Target::Drop,
        ("reject", _) => Target::Reject,
        ("return", _) => Target::Return,
        ("continue", _) => Target::Nothing,
        ("jump", Some(name)) => Target::Jump(name),
        ("goto", Some(name)) => Target::Goto(name),
        _ => Target::Unknown,
    }
}
