//! Settings of the kubelet and flags of the control plane on k3s and RKE2, which give the components their command lines: in
//! the configuration files of these two, which are read when their unit starts.

use super::About;
use super::audit::no_log;
use super::etcd::Members;
use super::kubelet::known_as;
use super::rancher_config::{ConfigFile, Running, gives, set};
use super::static_flag::Flag;
use super::static_pod::of;
use super::{rancher_audit, rancher_etcd, rancher_settings, rancher_told};
use crate::evidence::effective::kubelet_flag;
use crate::evidence::{Fact, NodeEvidence};
use crate::probe::without_secrets;
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::manifest_flag::flag_values;
use crate::remedy::edit::yaml::get_path;
use crate::remedy::fresh::{Fresh, FreshFile, Want};
use crate::remedy::owner::distribution;
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// The two, which differ little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All components within one process.
    K3s,
    /// The kubelet a process of its own, the control plane static pods that RKE2 writes.
    Rke2,
}

impl Which {
    /// What runs the components of a node. None where it is neither.
    pub(super) fn of(node: &NodeEvidence) -> Option<Self> {
        match distribution(node) {
            Some("k3s") => Some(Which::K3s),
            Some("rke2") => Some(Which::Rke2),
            _ => None,
        }
    }

    pub(super) fn id(self) -> &'static str {
        match self {
            Which::K3s => "k3s",
            Which::Rke2 => "rke2",
        }
    }

    pub(super) fn called(self) -> &'static str {
        match self {
            Which::K3s => "k3s",
            Which::Rke2 => "RKE2",
        }
    }

    pub(super) fn main(self) -> String {
        format!("/etc/rancher/{}/config.yaml", self.id())
    }

    /// A path in the folder of all data.
    pub(super) fn data(self, path: &str) -> String {
        format!("/var/lib/rancher/{}{path}", self.id())
    }

    /// The kubeconfig that is written for the administrator.
    pub(super) fn kubeconfig(self) -> String {
        format!("/etc/rancher/{0}/{0}.yaml", self.id())
    }

    /// Asks the API server of the node itself whether it is ready.
    pub(super) fn ready(self) -> &'static str {
        match self {
            Which::K3s => "timeout 20 k3s kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml get --raw /readyz",
            Which::Rke2 => {
                "timeout 20 /var/lib/rancher/rke2/bin/kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml get --raw /readyz"
            }
        }
    }
}

/// Flags of the components of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct RancherOp {
    pub(super) which: Which,
    pub(super) node: String,
    pub(super) unit: String,
    /// Whether an API server runs on this node.
    pub(super) serves: bool,
    /// The node's name in the cluster, where it is surely known.
    reports_as: Option<String>,
    /// Component, flag, and what it is to be.
    pub(super) flags: Vec<(String, String, Flag)>,
    /// The manifest that RKE2 wrote for a component, which shows with what it runs.
    manifests: BTreeMap<String, String>,
    /// How etcd's members are asked after, where a flag of it changes.
    members: Option<Members>,
    /// Whether the API server is to have an audit log.
    audit: bool,
    /// Whether the kubelet is to start only where the kernel's settings are as it wants them.
    pub(super) protects: bool,
    /// Settings of the kubelet that no flag sets: path, with dots -> value.
    pub(super) settings: BTreeMap<String, Json>,
}

/// Time that the unit may take to start and to have everything well again.
const WITHIN: u32 = 240;

/// Seconds for which the unit must have been up, and a component's process.
const UP: u32 = 10;

/// What is done for `kubelet-setting`, and what else it means.
pub(super) fn kubelet(
    which: Which,
    path: &str,
    value: &Json,
    about: &About<'_>,
) -> Result<(RancherOp, Vec<String>), Refusal> {
    let node = about.node()?;
    let (name, called, main) = (&node.name, which.called(), which.main());
    let flag = match path {
        "protectKernelDefaults" if *value == Json::Bool(true) => {
            let (op, mut notes) = op(which, "kubelet", about)?;
            notes.push("The kubelet does not start any more where somebody changes the kernel's settings".to_owned());
            return Ok((RancherOp { protects: true, ..op }, notes));
        }
        "protectKernelDefaults" => {
            return Err(Refusal::new(format!(
                "{name}: {called} has a key of its own for this. Put `protect-kernel-defaults: {value}` into {main}, and restart it"
            )));
        }
        "rotateCertificates" | "serverTLSBootstrap" => {
            return Err(Refusal::new(format!(
                "{name}: {called} issues the kubelet's certificates itself and renews them when it starts. Restart it once a year at \
                 least, and leave {path} alone"
            )));
        }
        _ => kubelet_flag(path),
    };
    let text = match value {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => items.iter().map(Json::as_str).collect::<Option<Vec<_>>>().map(|words| words.join(",")),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string()),
        _ => None,
    };
    let (Some(flag), Some(text)) = (flag, text) else {
        if !rancher_settings::reads_drop_ins(which, node) {
            return Err(Refusal::new(format!("{name}: {}", which.no_flag(path))));
        }
        let (op, notes) = op(which, "kubelet", about)?;
        return Ok((RancherOp { settings: BTreeMap::from([(path.to_owned(), value.clone())]), ..op }, notes));
    };
    let (mut op, notes) = op(which, "kubelet", about)?;
    op.flags.push(("kubelet".to_owned(), flag.to_owned(), Flag::Value(text)));
    Ok((op, notes))
}

/// What is done for `static-pod-flag`, and what else it means.
pub(super) fn component(
    which: Which,
    component: &str,
    flag: &str,
    setting: Flag,
    about: &About<'_>,
) -> Result<(RancherOp, Vec<String>), Refusal> {
    let node = about.node()?;
    let (mut op, mut notes) = op(which, component, about)?;
    if component == "etcd" {
        op.members = Some(rancher_etcd::members());
        notes.extend(rancher_etcd::plan(which, flag, node)?);
    }
    op.flags.push((component.to_owned(), flag.to_owned(), setting));
    Ok((op, notes))
}

/// What is done for `audit-policy`, and what else it means.
pub(super) fn audit(which: Which, about: &About<'_>) -> Result<(RancherOp, Vec<String>), Refusal> {
    let (op, mut notes) = op(which, "kube-apiserver", about)?;
    notes.extend(rancher_audit::notes(which));
    Ok((RancherOp { audit: true, ..op }, notes))
}

/// With nothing to be done yet to a component.
fn op(which: Which, component: &str, about: &About<'_>) -> Result<(RancherOp, Vec<String>), Refusal> {
    let node = about.node()?;
    let name = &node.name;
    let unit = node.kubelet.process.known().and_then(|process| process.unit.known());
    let Some(unit) = unit.filter(|unit| unit.starts_with(which.id()) && unit.ends_with(".service")) else {
        return Err(Refusal::new(format!(
            "{name}: which unit runs {} was not read, or none does. Scan again as root; else put the flag into {} by hand and restart it",
            which.called(),
            which.main()
        )));
    };
    let manifests = of(node, component).and_then(|evidence| evidence.static_pod.known());
    let op = RancherOp {
        which,
        node: name.clone(),
        unit: unit.clone(),
        serves: node.kube_apiserver.exists == Fact::Known(true),
        reports_as: known_as(about, name),
        flags: Vec::new(),
        manifests: manifests.map(|pod| (component.to_owned(), pod.path.clone())).into_iter().collect(),
        members: None,
        audit: false,
        protects: false,
        settings: BTreeMap::new(),
    };
    let others = if component == "kubelet" { "node" } else { "server" };
    let note =
        format!("This is the file of this {others} alone; every other {others} of {} has its own", which.called());
    Ok((op, vec![note]))
}

impl RancherOp {
    pub(super) fn add(&mut self, other: RancherOp) {
        for (component, flag, setting) in other.flags {
            match self.flags.iter_mut().find(|(ours, known, _)| *ours == component && *known == flag) {
                Some((.., known)) => known.add(setting),
                None => self.flags.push((component, flag, setting)),
            }
        }
        self.manifests.extend(other.manifests);
        self.members = self.members.take().or(other.members);
        self.audit |= other.audit;
        self.protects |= other.protects;
        self.settings.extend(other.settings);
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let main = self.which.main();
        let mut wants = vec![Want::File(main.clone()), Want::Tell(self.facts())];
        // A shell lists names with a leading dot for a pattern of their own alone; these programs read them all.
        wants.extend(["*", ".*"].map(|names| Want::Pattern(format!("{main}.d/{names}"))));
        wants.extend(self.manifests.values().cloned().map(Want::File));
        if self.which == Which::K3s {
            let of_api = self.audit.then_some("kube-apiserver");
            let components: BTreeSet<&str> =
                self.flags.iter().map(|(component, ..)| component.as_str()).chain(of_api).collect();
            wants.extend(components.iter().map(|component| Want::Tell(rancher_told::line(&self.unit, component))));
        }
        if self.audit {
            wants.push(Want::File(rancher_audit::policy(self.which)));
        }
        wants.extend(self.members.iter().map(|members| Want::Tell(members.line().to_owned())));
        wants.extend(self.wants_of_kubelet());
        if self.serves {
            wants.push(Want::Tell(self.which.ready().to_owned()));
        }
        wants
    }

    /// The files that count, in their order.
    fn files<'f>(&self, fresh: &'f Fresh) -> Result<Vec<(Option<&'f FreshFile>, ConfigFile)>, Refusal> {
        let main = self.which.main();
        let is_yaml = |file: &&FreshFile| {
            let name = file.path.to_ascii_lowercase();
            name.ends_with(".yaml") || name.ends_with(".yml")
        };
        let drop_ins = ["*", ".*"].iter().flat_map(|names| fresh.pattern(&format!("{main}.d/{names}"))).filter(is_yaml);
        let mut drop_ins: Vec<&FreshFile> = drop_ins.collect();
        drop_ins.sort_by(|one, other| one.path.cmp(&other.path));
        let first = fresh.file(&main).filter(|file| file.state != Some(State::Absent));
        let mut files = Vec::new();
        if first.is_none() {
            files.push((None, ConfigFile { path: main.clone(), text: String::new() }));
        }
        for file in first.into_iter().chain(drop_ins) {
            let path = &file.path;
            if let Some(trouble) = file.trouble {
                return Err(Refusal::new(format!("{path} is left alone: {trouble}. Change it by hand")));
            }
            let Some(text) = file.text() else {
                return Err(Refusal::new(format!("{path} is no plain text. Change it by hand")));
            };
            // In one line with a flag a token would be shown with it.
            if text.trim_start().starts_with('{') {
                return Err(Refusal::new(format!(
                    "{path} is written as JSON, in which a token may stand beside a flag. Change it by hand"
                )));
            }
            files.push((Some(file), ConfigFile { path: path.clone(), text: text.to_owned() }));
        }
        Ok(files)
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        self.decides(fresh)?;
        let found = self.files(fresh)?;
        let mut files: Vec<ConfigFile> = found.iter().map(|(_, file)| file.clone()).collect();
        let logs = |file: &&ConfigFile| get_path(&file.text, &["log"]).is_ok_and(|log| log.is_some());
        if let Some(file) = files.iter().find(logs).filter(|_| self.which == Which::K3s) {
            return Err(Refusal::new(format!(
                "{} sends the log into a file (`log`), so that the journal does not tell with which flags the components run. Put the flag \
                 in by hand, restart {} and look",
                file.path, self.unit
            )));
        }
        let mut change = NodeChange { risk: Risk::Disruptive, within: WITHIN, ..NodeChange::default() };
        let (mut new, mut old) = (Vec::new(), Vec::new());
        let mut flags = self.flags.clone();
        let log = match self.audit {
            true => rancher_audit::change(self, fresh, &mut files, &mut flags, &mut change, (&mut new, &mut old))?,
            false => None,
        };
        self.change_kubelet(fresh, &mut files, &mut change, (&mut new, &mut old))?;
        for (component, flag, setting) in &flags {
            let key = format!("{component}-arg");
            if flag.starts_with("audit-log-max")
                && !self.audit
                && !gives(&files, &key, "audit-log-path")?
                && !matches!(self.running(fresh, component, "audit-log-path"), Running::Seen(Some(path)) if path != "-")
            {
                return Err(Refusal::new(no_log(&self.which.main(), flag)));
            }
            let turn = set(&mut files, &key, flag, setting, &self.running(fresh, component, flag))?;
            if turn.was == turn.is {
                continue;
            }
            let test = |is: &Option<String>, was: &Option<String>| match (is, was) {
                (Some(value), _) => format!("--{flag}={value}"),
                (None, Some(value)) => format!("^--{flag}={value}"),
                (None, None) => format!("^--{flag}"),
            };
            new.extend(self.runs(component, &test(&turn.is, &turn.was)));
            old.extend(self.runs(component, &test(&turn.was, &turn.is)));
        }
        if new.is_empty() {
            return Ok(NodeChange::default());
        }
        if let Some(members) = &self.members {
            change.interrupts.push(members.well(fresh)?);
            change.validate.push(rancher_etcd::snapshot(self.which));
        }
        let main = self.which.main();
        for ((file, was), now) in found.iter().zip(files) {
            if was.text == now.text {
                continue;
            }
            if now.path != main {
                change.why.push(format!("{} decides over {main}, so it is changed there", now.path));
            }
            if let Some(log) = &log {
                // It lies there anew when the API server starts with it: what was written into the log before does not count.
                new.push(format!("[ -n \"$(find {} -newer {})\" ]", quoted(log), quoted(&now.path)));
            }
            change.private |= was.text.lines().any(|line| without_secrets(line) != line);
            let state = file.and_then(|file| file.state.clone()).unwrap_or(State::Absent);
            let bytes = file.and_then(|file| file.contents.clone());
            change.files.push(FileChange::contents(&now.path, state, bytes, now.text.into_bytes(), None));
        }
        let unit = quoted(&self.unit);
        change.activate.push(format!("systemctl restart {unit}"));
        change.reports_as.clone_from(&self.reports_as);
        change.deactivate.push(format!("systemctl reset-failed {unit} 2>/dev/null; systemctl restart {unit}"));
        let conditions = |components: Vec<String>| {
            let ready = self.serves.then(|| format!("{} >/dev/null", self.which.ready()));
            [format!("unit_up {unit} {UP}")].into_iter().chain(components).chain(ready).collect()
        };
        change.holds = conditions(new);
        change.restored = conditions(old);
        change.why.push(format!(
            "{} reads these files when it starts, and gives the flags to the components",
            self.which.called()
        ));
        if self.which == Which::K3s {
            change.why.push(
                "The components run within k3s: with which flags they run is told by the log of its unit alone, which is read for it"
                    .to_owned(),
            );
        }
        change.interrupts.push(self.interrupts());
        Ok(change)
    }

    /// The value of a flag that a component runs with now.
    pub(super) fn running(&self, fresh: &Fresh, component: &str, flag: &str) -> Running {
        let shown = self.manifests.get(component).and_then(|path| fresh.file(path)).and_then(FreshFile::text);
        match (self.which, shown.map(|text| flag_values(text, component, flag))) {
            (Which::K3s, _) => rancher_told::running(fresh, &self.unit, component, flag),
            (Which::Rke2, Some(Ok(values))) => Running::Seen(values.into_iter().flatten().next_back()),
            (Which::Rke2, _) => Running::Hidden,
        }
    }

    /// The conditions that a component runs, and with an argument that fits.
    pub(super) fn runs(&self, component: &str, test: &str) -> Vec<String> {
        if component == "etcd" {
            return rancher_etcd::runs(self.which, test);
        }
        let test = quoted(test);
        vec![match self.which {
            Which::K3s => format!("said {} {component} {test}", quoted(&self.unit)),
            // The kernel keeps no more of a name.
            Which::Rke2 => format!("runs {} {UP} {test}", component.chars().take(15).collect::<String>()),
        }]
    }

    fn interrupts(&self) -> String {
        let api = if self.serves {
            "the API of this node does not answer (where it is the only server, the cluster has none), and "
        } else {
            ""
        };
        format!(
            "{} is restarted: for a minute or two {api}no pod is started, probed, or reached by exec and logs. Running pods keep running",
            self.unit
        )
    }
}

#[cfg(test)]
#[path = "rancher_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rancher_more_tests.rs"]
mod more_tests;
