//! Flags of the control plane's static pods, in the manifest that the kubelet really reads. The kubelet makes the pod anew
//! when the file changes; whether it works is asked on the node, since the API may be away for it.

use super::audit::{Log, log, no_log};
use super::config_map::{self, Held};
use super::etcd::{self, Members};
use super::static_flag::Flag;
use super::{About, audit, host};
use crate::evidence::{Component, NodeEvidence, Reading, Value, platform_of};
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::manifest_flag::{HostPathKind, add_mount, flag_values, probe_hosts};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;

/// Flags of one component on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticPodOp {
    component: String,
    manifest: String,
    flags: Vec<(String, Flag)>,
    /// What its container must see of the node.
    mounts: Vec<Mount>,
    /// Whether what is missing for an audit log is put in too.
    audit: bool,
    /// How etcd's members are asked after, for etcd itself.
    members: Option<Members>,
    /// How many nodes have a control plane, where that is known.
    control_planes: Option<usize>,
}

/// A file or folder of the node that a component sees under the same path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mount {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) read_only: bool,
    pub(super) kind: HostPathKind,
}

/// Time that the kubelet may take to end the old pod and to have the new one well.
const WITHIN: u32 = 180;

/// Seconds for which the new process must have run: one that does not like a flag ends at once.
const RUNS: u32 = 12;

/// What is done for `static-pod-flag`, and what else it means.
pub(super) fn plan(
    component: &str,
    flag: &str,
    setting: Flag,
    about: &About<'_>,
) -> Result<(StaticPodOp, Vec<String>), Refusal> {
    let mut op = of_pod(component, about)?;
    let mut notes: Vec<String> = kept(about, &op).into_iter().collect();
    if flag.starts_with("audit-log-max") {
        match log(&Reading::of_node(about.node()?)) {
            Log::File => {}
            Log::Elsewhere => return Err(Refusal::new(no_log(&op.manifest, flag))),
            // It has nothing to work on, so it comes with what it works on.
            Log::None => {
                op.audit = true;
                notes.extend(audit::notes(about.evidence));
            }
        }
    }
    op.flags.push((flag.to_owned(), setting));
    Ok((op, notes))
}

/// What is done for `audit-policy`, and what else it means.
pub(super) fn audit(about: &About<'_>) -> Result<(StaticPodOp, Vec<String>), Refusal> {
    let op = StaticPodOp { audit: true, ..of_pod("kube-apiserver", about)? };
    Ok((op, audit::notes(about.evidence).into()))
}

/// A component's pod, with nothing to be done yet.
pub(super) fn of_pod(component: &str, about: &About<'_>) -> Result<StaticPodOp, Refusal> {
    let node = about.node()?;
    let name = &node.name;
    let evidence = of(node, component).ok_or_else(|| Refusal::new(format!("{component} is not known here")))?;
    let Some(pod) = evidence.static_pod.known() else {
        return Err(Refusal::new(format!(
            "{name}: {component} was started by no static pod that could be read, so what starts it has to be changed by hand{}",
            by_unit(evidence)
        )));
    };
    let tree = Reading::of_node(node);
    let folder = match tree.at("kubelet.effective.staticPodPath").value {
        Value::Text(folder) => folder.trim_end_matches('/').to_owned(),
        _ => {
            return Err(Refusal::new(format!(
                "{name}: which folder the kubelet reads static pods from was not read. Scan again as root"
            )));
        }
    };
    if pod.path.rsplit_once('/').is_none_or(|(of, _)| of != folder) {
        return Err(Refusal::new(format!(
            "{name}: {} is not in {folder}, from where the kubelet reads static pods. Change it by hand",
            pod.path
        )));
    }
    let members = match component {
        "etcd" => Some(Members::of(name, pod)?),
        _ => None,
    };
    Ok(StaticPodOp {
        component: component.to_owned(),
        manifest: pod.path.clone(),
        flags: Vec::new(),
        mounts: Vec::new(),
        audit: false,
        members,
        control_planes: control_planes(about),
    })
}

/// A component of the control plane.
pub(super) fn of<'n>(node: &'n NodeEvidence, component: &str) -> Option<&'n Component> {
    match component {
        "kube-apiserver" => Some(&node.kube_apiserver),
        "kube-controller-manager" => Some(&node.kube_controller_manager),
        "kube-scheduler" => Some(&node.kube_scheduler),
        "etcd" => Some(&node.etcd),
        _ => None,
    }
}

fn by_unit(component: &Component) -> String {
    let unit = component.process.known().and_then(|process| process.unit.known());
    unit.map_or_else(String::new, |unit| format!(" (it belongs to {unit})"))
}

fn control_planes(about: &About<'_>) -> Option<usize> {
    let nodes = &about.evidence.cluster.as_ref()?.nodes;
    let count = nodes.items.iter().filter(|node| node.control_plane.known() == Some(&true)).count();
    (nodes.complete && count > 0).then_some(count)
}

/// What kubeadm would take back.
fn kept(about: &About<'_>, op: &StaticPodOp) -> Option<String> {
    let kubeadm = match platform_of(about.evidence).as_deref() {
        Some(platform) => platform == "kubeadm",
        None => op.folder() == "/etc/kubernetes/manifests",
    };
    let there = config_map::set_there(Held::Cluster, &config_map::extra_args_of(&op.component), about.evidence);
    kubeadm.then(|| format!("kubeadm writes the manifest anew at an upgrade, from the {there}"))
}

impl StaticPodOp {
    /// Whether both are about the same manifest.
    pub(super) fn fits(&self, other: &StaticPodOp) -> bool {
        self.manifest == other.manifest && self.component == other.component
    }

    pub(super) fn add(&mut self, other: StaticPodOp) {
        self.audit |= other.audit;
        for (flag, setting) in other.flags {
            match self.flags.iter_mut().find(|(known, _)| *known == flag) {
                Some((_, known)) => known.add(setting),
                None => self.flags.push((flag, setting)),
            }
        }
    }

    /// The same with a flag more, and a mount that it needs.
    pub(super) fn with(mut self, flag: &str, setting: Flag, mount: Mount) -> Self {
        self.flags.push((flag.to_owned(), setting));
        self.mounts.push(mount);
        self
    }

    pub(super) fn control_planes(&self) -> Option<usize> {
        self.control_planes
    }

    /// Whose flags they are.
    pub(super) fn component(&self) -> &str {
        &self.component
    }

    /// What is set.
    /// Whether it brings what an audit log lacks.
    pub(super) fn audits(&self) -> bool {
        self.audit
    }

    /// What else of the node its component sees with it.
    pub(super) fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    pub(super) fn flags(&self) -> &[(String, Flag)] {
        &self.flags
    }

    fn folder(&self) -> &str {
        self.manifest.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = vec![Want::File(self.manifest.clone()), Want::Pattern(format!("{}/*", self.folder()))];
        if let Some(members) = &self.members {
            wants.extend([Want::Tell(members.line().to_owned()), Want::Tell(etcd::CAN_KEEP.to_owned())]);
        }
        if self.audit {
            wants.extend(audit::wants());
        }
        wants
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let manifest = &self.manifest;
        let file = fresh.file(manifest).filter(|file| file.state != Some(State::Absent));
        let file = file.ok_or_else(|| Refusal::new(format!("{manifest} is not there any more. Scan again")))?;
        if let Some(trouble) = file.trouble {
            return Err(Refusal::new(format!("{manifest} is left alone: {trouble}. Change it by hand")));
        }
        let (Some(state @ State::File { .. }), Some(before)) = (&file.state, file.text()) else {
            return Err(Refusal::new(format!("{manifest} is no plain text. Change it by hand")));
        };
        if file.path != *manifest {
            return Err(Refusal::new(format!(
                "{manifest} is a link to {}, whose changes the kubelet does not see. Change it by hand, and touch {manifest} then",
                file.path
            )));
        }
        self.no_other(fresh)?;
        let more = match self.audit {
            true => audit::missing(manifest, before, fresh)?,
            false => audit::Missing::default(),
        };
        let missing = more.flags.iter().map(|(flag, value)| ((*flag).to_owned(), Flag::Value((*value).to_owned())));
        // What a finding asks for comes after what is usual, and counts.
        let flags: Vec<(String, Flag)> = missing.chain(self.flags.iter().cloned()).collect();
        let mut after = before.to_owned();
        for mount in more.mounts.iter().chain(&self.mounts) {
            let Mount { name, path, read_only, kind } = *mount;
            after = add_mount(&after, &self.component, name, path, path, read_only, kind)
                .map_err(|error| Refusal::new(format!("{manifest}: {error}")))?;
        }
        for (flag, setting) in &flags {
            self.may_decide(&after, flag)?;
            after = setting.edit(&after, &self.component, flag, manifest)?;
        }
        self.probed(before, &after)?;
        if after == before {
            return Ok(NodeChange::default());
        }
        let mut change = more.change;
        (change.risk, change.within) = (Risk::Disruptive, WITHIN);
        change.why.extend(self.audit.then(|| audit::room(&after, fresh)).flatten());
        if let Some(members) = &self.members {
            change.interrupts.push(members.well(fresh)?);
            change.validate.push(etcd::snapshot(manifest, before, fresh)?);
        }
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (number, (flag, _)) in flags.iter().enumerate() {
            if flags.iter().take(number).any(|(known, _)| known == flag) {
                continue;
            }
            let values = |text: &str| flag_values(text, &self.component, flag).unwrap_or_default();
            let (was, is) = (values(before), values(&after));
            if was != is {
                new.extend(arguments(flag, &after, is.first(), was.first()));
                old.extend(arguments(flag, before, was.first(), is.first()));
            }
        }
        let own = std::mem::replace(&mut change.holds, self.conditions(&after, &new));
        change.holds.extend(own);
        change.restored = self.conditions(before, &old);
        let bytes = after.into_bytes();
        change.files.push(FileChange::contents(manifest, state.clone(), file.contents.clone(), bytes, None));
        change.interrupts.push(self.interrupts());
        change.why.push(format!("The kubelet reads {manifest} and makes the pod anew as soon as it changes"));
        Ok(change)
    }

    /// Whether another file in the folder is a manifest of the same component: the kubelet reads them all.
    fn no_other(&self, fresh: &Fresh) -> Result<(), Refusal> {
        let others = fresh.pattern(&format!("{}/*", self.folder()));
        let same = |text: &str| flag_values(text, &self.component, "profiling").is_ok();
        match others.iter().find(|other| other.path != self.manifest && other.text().is_some_and(same)) {
            Some(other) => Err(Refusal::new(format!(
                "{} is a manifest of {} too, and the kubelet reads every file of that folder. Move the one that is not meant out of \
                 {} first",
                other.path,
                self.component,
                self.folder()
            ))),
            None => Ok(()),
        }
    }

    /// Refuses where the flag would not count, or would stop the component.
    fn may_decide(&self, text: &str, flag: &str) -> Result<(), Refusal> {
        let given = |flag: &str| flag_values(text, &self.component, flag).is_ok_and(|values| !values.is_empty());
        let value =
            |flag: &str| flag_values(text, &self.component, flag).unwrap_or_default().into_iter().flatten().next();
        if self.component == "kube-apiserver" && flag == "authorization-mode" && !given(flag) {
            return Err(Refusal::new(format!(
                "{}: --{flag} is not given, so everything is allowed now. Asking for rights is to be planned: write the roles first, \
                 then put --{flag}=Node,RBAC in by hand",
                self.manifest
            )));
        }
        let to_a_file = value("audit-log-path").is_some_and(|path| path != "-");
        if flag.starts_with("audit-log-max") && !to_a_file {
            return Err(Refusal::new(no_log(&self.manifest, flag)));
        }
        let over = match (self.component.as_str(), flag) {
            ("etcd", _) => Some("config-file"),
            ("kube-scheduler", "profiling") => Some("config"),
            ("kube-apiserver", "authorization-mode") => Some("authorization-config"),
            _ => None,
        };
        match over.filter(|over| given(over)) {
            Some(over) => Err(Refusal::new(format!(
                "{}: {} is started with --{over}, and --{flag} does not go with it. Set it in the file that --{over} names",
                self.manifest, self.component
            ))),
            None => Ok(()),
        }
    }

    /// Refuses where a component would listen at loopback alone while the kubelet's probes ask elsewhere, which would end it
    /// again and again.
    fn probed(&self, before: &str, after: &str) -> Result<(), Refusal> {
        let address = |text: &str| {
            flag_values(text, &self.component, "bind-address").unwrap_or_default().into_iter().flatten().next()
        };
        let (was, is) = (address(before), address(after));
        let loopback = |text: &str| text.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if was == is || !is.as_deref().is_some_and(loopback) {
            return Ok(());
        }
        let hosts =
            probe_hosts(after, &self.component).map_err(|error| Refusal::new(format!("{}: {error}", self.manifest)))?;
        match hosts.iter().find(|host| !loopback(host) && *host != "localhost") {
            None => Ok(()),
            Some(host) => Err(Refusal::new(format!(
                "{}: the kubelet's probes ask {} at {}, where it would not listen any more. Set host: 127.0.0.1 in its probes by hand, \
                 together with --bind-address",
                self.manifest,
                self.component,
                if host.is_empty() { "the node's address" } else { host }
            ))),
        }
    }

    /// Conditions in shell: a process of it has run for a while with these arguments, its port listens, it says that it is
    /// well.
    fn conditions(&self, text: &str, arguments: &[String]) -> Vec<String> {
        conditions(&self.component, text, arguments)
    }

    fn interrupts(&self) -> String {
        let what = match self.component.as_str() {
            "kube-apiserver" | "etcd" => "the API of this node does not answer; running pods keep running",
            "kube-scheduler" => "no new pod is given a node",
            _ => "nothing in the cluster is repaired or scaled",
        };
        let api = matches!(self.component.as_str(), "kube-apiserver" | "etcd");
        let alone = match self.control_planes {
            Some(1) if api => ". It is the only control-plane node, so the whole cluster has no API meanwhile",
            Some(_) | None if !api => "",
            Some(_) => ". Other control-plane nodes go on",
            None => ". Where it is the only control-plane node, the whole cluster has no API meanwhile",
        };
        format!("{} restarts: for about a minute {what}{alone}", self.component)
    }
}

/// The same for a component whose arguments are not looked at: that it has been made anew and serves.
pub(super) fn serves(component: &str, text: &str) -> Vec<String> {
    conditions(component, text, &[])
}

fn conditions(component: &str, text: &str, arguments: &[String]) -> Vec<String> {
    let given =
        |flag: &str| flag_values(text, component, flag).ok().and_then(|values| values.into_iter().next().flatten());
    // The kernel keeps no more of a name.
    let name: String = component.chars().take(15).collect();
    let words: String = arguments.iter().map(|argument| format!(" {}", quoted(argument))).collect();
    let mut lines = vec![format!("runs {name} {RUNS}{words}")];
    let (port, path) = match component {
        "kube-apiserver" => (6443, "readyz"),
        "kube-controller-manager" => (10257, "healthz"),
        "kube-scheduler" => (10259, "healthz"),
        _ => {
            let urls = |flag: &str| given(flag).unwrap_or_default();
            if let Some(port) = urls("listen-client-urls").split(',').find_map(port_of) {
                lines.push(format!("listens {port}"));
            }
            if let Some(url) = urls("listen-metrics-urls").split(',').find(|url| url.starts_with("http://")) {
                lines.push(format!("answers {}", quoted(&format!("{}/health", url.trim_end_matches('/')))));
            }
            return lines;
        }
    };
    let port = given("secure-port").map_or(Some(port), |text| text.parse().ok());
    if let Some(port) = port.filter(|port| *port != 0_u16) {
        let address = host(&given("bind-address").unwrap_or_default());
        lines.push(format!("listens {port}"));
        lines.push(format!("answers {}", quoted(&format!("https://{address}:{port}/{path}"))));
    }
    lines
}

/// The port of `https://127.0.0.1:2379`.
fn port_of(url: &str) -> Option<u16> {
    url.trim().trim_end_matches('/').rsplit_once(':')?.1.parse().ok()
}

/// What the arguments of a process must be that has `is` and not `was`, as `runs` takes it.
fn arguments(flag: &str, text: &str, is: Option<&Option<String>>, was: Option<&Option<String>>) -> Vec<String> {
    match is {
        Some(Some(value)) if text.contains(&format!("--{flag}={value}")) => vec![format!("--{flag}={value}")],
        Some(_) => vec![format!("--{flag}")],
        // It has none: neither the one that it had, nor any other.
        None => {
            let had = was.map(|_| format!("!--{flag}="));
            had.into_iter().chain([format!("^--{flag}")]).collect()
        }
    }
}

#[cfg(test)]
#[path = "static_pod_tests.rs"]
mod tests;
