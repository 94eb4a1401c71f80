//! Remedies as both the command line and the screens use them: which findings are put right together, how their node is
//! reached again, and what the node looks like afterwards.

use super::{Visit, read};
use crate::assess::{Assessment, Finding, Verdict};
use crate::catalog::Catalog;
use crate::channel::ssh::{self, Ssh, SshOptions};
use crate::channel::{Ask, Channel, ChannelError, Limits, local::Local};
use crate::evidence::{Evidence, Reason, SiteIdentity, joined_nodes};
use crate::remedy::{ClusterReach, DRAIN_WITHIN, Drain, Plan, Prepared, Reach, Refusal, Who, kept, plan};
use crate::site::{NodeTarget, Way};
use std::borrow::Cow;
use std::mem::discriminant;
use std::net::{IpAddr, ToSocketAddrs as _};

/// A node that can be logged in to again and again by the same way.
#[derive(Debug, Clone)]
pub struct NodeReach {
    target: NodeTarget,
    ssh: SshOptions,
    limits: Limits,
    /// The options that say how it is reached, as a person would type them again.
    again: String,
    /// All nodes of the visit, by which it is known who is reached through this one.
    all: Vec<NodeTarget>,
    cluster: Option<ClusterReach>,
}

impl NodeReach {
    /// The way to a node of a visit, by the name of its target. None where the visit names no such node.
    pub fn of(visit: &Visit, name: &str) -> Option<Self> {
        let all = super::told_apart(&visit.targets);
        let target = all.iter().find(|target| target.name == name)?.clone();
        let again = again(visit, &target);
        let all = all.into_iter().chain(visit.others.iter().cloned()).collect::<Vec<_>>();
        let cluster = visit.cluster.as_ref().map(|cluster| cluster.reach(visit.limits.connect));
        Some(NodeReach { target, ssh: visit.ssh.clone(), limits: visit.limits, again, all, cluster })
    }
}

impl Reach for NodeReach {
    fn node(&self) -> &str {
        &self.target.name
    }

    fn login(&self, ask: &dyn Ask) -> Result<Box<dyn Channel>, ChannelError> {
        if self.target.way == Way::Local {
            return Ok(Box::new(Local));
        }
        let Some(destination) = read::destination(&self.target) else {
            let words = format!("{}: it is not known how it is reached", self.target.name);
            return Err(ChannelError::new(Reason::Unsupported, words));
        };
        Ok(Box::new(Ssh::reach(&destination, &self.ssh, &self.limits, ask, &|_| ())?))
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn again(&self) -> String {
        self.again.clone()
    }

    fn cluster(&self) -> Option<ClusterReach> {
        self.cluster.clone()
    }

    fn behind(&self) -> Vec<Box<dyn Reach>> {
        let Some(own) = read::destination(&self.target) else { return Vec::new() };
        let (host, port, _) = ssh::dialled(&own, &self.ssh);
        let through = |target: &&NodeTarget| {
            let Some(destination) = read::destination(target) else { return false };
            let jumps = ssh::by_way_of(&destination, &self.ssh);
            target.name != self.target.name && jumps.iter().any(|jump| jump.1 == port && same_host(&jump.0, &host))
        };
        let reach = |target: &NodeTarget| -> Box<dyn Reach> {
            Box::new(NodeReach {
                target: target.clone(),
                ssh: self.ssh.clone(),
                limits: self.limits,
                again: String::new(),
                all: Vec::new(),
                cluster: None,
            })
        };
        self.all.iter().filter(through).map(reach).collect()
    }
}

/// The options that name a node of a visit and the way to it, with a blank before each.
fn again(visit: &Visit, target: &NodeTarget) -> String {
    let mut words = match &target.way {
        Way::Local => vec!["--local".to_owned()],
        Way::Ssh { host, port, user, .. } => {
            let host = if host.contains(':') && port.is_some() { format!("[{host}]") } else { host.clone() };
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
            let typed = format!("{user}{host}{port}");
            // A node of the site file goes by its name there.
            let its_own = typed.parse::<NodeTarget>().is_ok_and(|read| read.name == target.name);
            vec!["--node".to_owned(), if its_own { typed } else { target.name.clone() }]
        }
    };
    // What was typed into a form stands in no option yet.
    if let Way::Ssh { identity: Some(file), .. } = &target.way
        && !visit.given.iter().any(|word| word == "--site")
    {
        words.extend(["--identity".to_owned(), file.display().to_string()]);
    }
    words.extend(visit.given.iter().cloned());
    typed(&words)
}

/// Words as they are typed into a shell, with a blank before each.
pub fn typed(words: &[String]) -> String {
    words.iter().map(|word| format!(" {}", shlex::try_quote(word).unwrap_or(Cow::Borrowed("?")))).collect()
}

/// Whether two names of hosts lead to the same one. Names that are not the same are asked for their addresses.
fn same_host(one: &str, other: &str) -> bool {
    let addresses = |host: &str| (host, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    if one.parse::<IpAddr>().is_ok() && other.parse::<IpAddr>().is_ok() {
        return one.parse::<IpAddr>().ok() == other.parse::<IpAddr>().ok();
    }
    let (one, other): (Vec<IpAddr>, Vec<IpAddr>) =
        (addresses(one).unwrap_or_default(), addresses(other).unwrap_or_default());
    one.iter().any(|address| other.contains(address))
}

/// The findings of some controls that fail, in the order of the assessment.
pub fn failing<'a>(assessment: &'a Assessment, controls: &[String]) -> Vec<&'a Finding> {
    let wanted = |finding: &&Finding| finding.verdict == Verdict::Fail && controls.contains(&finding.control);
    assessment.findings.iter().filter(wanted).collect()
}

/// Plans for findings: those that change the same node are one plan. What cannot be planned is given with its reason.
/// Control-plane nodes come last, so that a change that breaks a component is met on a worker. Behind them all comes one plan
/// for the cluster, by which an upgrade keeps what they change, where kubeadm would take it back.
pub fn offer(findings: &[&Finding], evidence: &Evidence, catalog: &Catalog) -> (Vec<Plan>, Vec<(String, Refusal)>) {
    let mut plans: Vec<Plan> = Vec::new();
    let mut refused = Vec::new();
    let mut keeping: Option<Plan> = None;
    for finding in findings {
        let name = || format!("{} at {}", finding.control, finding.target);
        let Some(control) = catalog.control(&finding.control) else { continue };
        if !catalog.is_own(control) {
            refused.push((
                name(),
                Refusal::new("its control is of a catalog folder, for which no remedies are run: follow its `fix`"),
            ));
            continue;
        }
        let planned = match plan(control, finding, evidence) {
            Ok(planned) => planned,
            Err(refusal) => {
                refused.push((name(), refusal));
                continue;
            }
        };
        keeping = match (keeping, kept(&planned, evidence)) {
            (Some(known), Some(more)) => Some(known.join(more).unwrap_or_else(|both| both.0)),
            (known, more) => known.or(more),
        };
        let same = |known: &Plan| {
            let kind = discriminant(&known.work) == discriminant(&planned.work);
            let alone = known.stands_alone() || planned.stands_alone();
            known.target == planned.target && kind && (!alone || known.work == planned.work)
        };
        match plans.iter().position(same) {
            None => plans.push(planned),
            Some(at) => {
                let known = plans.remove(at);
                match known.join(planned) {
                    Ok(joined) => plans.insert(at, joined),
                    Err(both) => {
                        plans.insert(at, both.1);
                        plans.insert(at, both.0);
                    }
                }
            }
        }
    }
    let control_plane = |plan: &Plan| {
        let node = plan.node().and_then(|name| evidence.nodes.iter().find(|node| node.name == name));
        node.is_some_and(|node| {
            node.kube_apiserver.exists.known() == Some(&true) || node.etcd.exists.known() == Some(&true)
        })
    };
    // What stands alone may close the way for what follows.
    plans.sort_by_key(|plan| (control_plane(plan), plan.stands_alone()));
    plans.extend(keeping);
    (plans, refused)
}

/// A plan with its node emptied for it. Asks the cluster which pods would go, and changes nothing.
pub fn emptied_for(prepared: Prepared, visit: &Visit, evidence: &Evidence) -> Result<Prepared, Refusal> {
    if !prepared.may_be_emptied() {
        return Err(Refusal::new("a node is emptied for waiting security updates alone. Go on without emptying it"));
    }
    let Some(cluster) = &visit.cluster else {
        return Err(Refusal::new("to empty the node its cluster must be named, with --context"));
    };
    let name = prepared.plan().node().unwrap_or_default();
    let joined = joined_nodes(evidence);
    let Some(api) = joined.iter().find(|joined| joined.name == name).and_then(|joined| joined.api) else {
        return Err(Refusal::new(
            "the cluster lists no node that surely is this one, so that it cannot be emptied. Say in a site file which one it is \
             (kubernetes = \"NAME\")",
        ));
    };
    let reach = cluster.reach(visit.limits.connect);
    Ok(prepared.with_drain(Drain::prepare(&reach, &api.name, DRAIN_WITHIN)?))
}

/// Who changes something at the site of this visit, for the journal.
pub fn who(visit: &Visit, evidence: &Evidence) -> Who {
    let site = SiteIdentity::of(evidence).map(|identity| identity.id).or_else(|| visit.site.name.clone());
    Who { operator: visit.seat.user.clone(), seat: visit.seat.host.clone(), site }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evidence::{Seat, SiteFacts};

    fn visit(targets: Vec<NodeTarget>, given: &[&str]) -> Visit {
        Visit {
            site: SiteFacts::default(),
            cluster: None,
            targets,
            others: Vec::new(),
            endpoints: false,
            before: None,
            ssh: SshOptions::default(),
            limits: Limits::default(),
            packages: false,
            jobs: 1,
            given: given.iter().map(|word| (*word).to_owned()).collect(),
            seat: Seat::default(),
        }
    }

    #[test]
    fn a_node_is_named_as_it_was_and_what_led_to_it_is_said_again() {
        let node = |given: &str| given.parse::<NodeTarget>().unwrap();
        let named = |name: &str, host: &str| {
            let (host, user) = (host.to_owned(), Some("ops".to_owned()));
            NodeTarget::new(name, Way::Ssh { host, port: None, user, identity: Some("/k".into()), jump: None })
        };
        let again = |target: NodeTarget, given: &[&str]| {
            let name = target.name.clone();
            NodeReach::of(&visit(vec![target], given), &name).unwrap().again()
        };
        assert_eq!(again(node("ops@10.0.0.4:2222"), &[]), " --node ops@10.0.0.4:2222");
        assert_eq!(again(node("ops@[fd00::4]:22"), &[]), " --node 'ops@[fd00::4]:22'");
        assert_eq!(again(NodeTarget::new("laptop", Way::Local), &[]), " --local");
        let more = ["--identity", "/my keys/k", "--journal", "j"];
        assert_eq!(again(node("edge1"), &more), " --node edge1 --identity '/my keys/k' --journal j");
        assert_eq!(again(named("n1", "10.0.0.4"), &["--site", "s.toml"]), " --node n1 --site s.toml");
        assert_eq!(again(named("10.0.0.4", "10.0.0.4"), &[]), " --node ops@10.0.0.4 --identity /k");
    }
}
