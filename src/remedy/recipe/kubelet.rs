//! Settings of the kubelet, in the file that decides: the configuration file that the running kubelet's command line names,
//! or the drop-in over it that sets the value. A flag is over both, and is not edited.

use super::config_map::{self, Held};
use super::{About, host};
use crate::evidence::effective::kubelet_flag;
use crate::evidence::{Reading, Value, joined_nodes, platform_of};
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::yaml::{get_path, set_path};
use crate::remedy::fresh::{Fresh, FreshFile, Want};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Values of KubeletConfiguration of one node's kubelet.
#[derive(Debug, Clone, PartialEq)]
pub struct KubeletOp {
    unit: String,
    /// The file that `--config` names.
    main: String,
    /// The folder that `--config-dir` names, and the drop-ins that were seen in it.
    drop_ins: Option<(String, Vec<String>)>,
    /// Where `/healthz` answers: address and port. Port 0: nowhere.
    health: (String, i64),
    /// Path, with dots -> value.
    settings: BTreeMap<String, Json>,
    /// A file that changed after the kubelet started.
    stale: Option<String>,
    /// Whether it can tell by now who speaks with it, or that was not read.
    knows_logins: bool,
    /// The node's name in the cluster, where it is surely known.
    reports_as: Option<String>,
}

/// Time that the check after a restart may take.
const WITHIN: u32 = 90;

/// Seconds for which the kubelet must have been up: one that does not like what it finds ends within a few.
const UP: u32 = 15;

/// What is not looked at where the node is not known in its cluster.
const NOT_HEARD: &str = "Whether the node reports to the cluster again afterwards is not looked at: the cluster was not read, or lists no \
    node that surely is this one";

/// What `protectKernelDefaults` makes the kubelet compare with the kernel's own settings before it starts.
pub(super) const KERNEL: &str = "cd /proc/sys && for s in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 \
    kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do \
    [ \"$(cat \"${s%=*}\")\" = \"${s#*=}\" ] || echo \"$s\"; done";

/// What else a value means: sentences for the person.
const MEANS: [(&str, &str); 6] = [
    ("readOnlyPort", "What reads the kubelet's metrics from port 10255 without a login gets no answer any more"),
    ("authentication.anonymous.enabled", "What speaks with the kubelet without a login is refused"),
    (
        "authorization.mode",
        "What speaks with the kubelet needs the rights for it in the cluster (resource nodes/proxy and the like)",
    ),
    ("podPidsLimit", "A pod that already has more processes and threads than this gets no new ones"),
    (
        "seccompDefault",
        "Pods that start from now on without a seccomp profile of their own get the runtime's, which forbids rare system calls",
    ),
    ("protectKernelDefaults", "The kubelet does not start any more where somebody changes the kernel's settings"),
];

/// What is done for `kubelet-setting`, and what else it means.
pub(super) fn plan(path: &str, value: &Json, about: &About<'_>) -> Result<(KubeletOp, Vec<String>), Refusal> {
    let node = about.node()?;
    let name = &node.name;
    let process = node.kubelet.process.known();
    let unit = process.and_then(|process| process.unit.known()).filter(|unit| unit.ends_with(".service"));
    let Some(unit) = unit.cloned() else {
        return Err(Refusal::new(format!(
            "{name}: which unit starts the kubelet was not read, or none does. Scan again as root; else change it by hand"
        )));
    };
    let exe = process.and_then(|process| process.exe.known());
    if exe.is_none_or(|exe| exe.rsplit('/').next() != Some("kubelet")) {
        return Err(Refusal::new(format!(
            "{name}: the kubelet there is a part of another program ({}), whose own configuration decides. Change it there",
            exe.map_or("which was not read", String::as_str)
        )));
    }
    let tree = Reading::of_node(node);
    let given = |flag: &str| match tree.at(&format!("kubelet.flags.{flag}")) {
        Reading { value: Value::Unread(_), .. } => {
            Err(Refusal::new(format!("{name}: the command line of the kubelet was not read. Scan again as root")))
        }
        Reading { value: Value::Absent, .. } => Ok(None),
        reading => Ok(Some(reading)),
    };
    let flag = if path.starts_with("featureGates.") { Some("feature-gates") } else { kubelet_flag(path) };
    if let Some(flag) = flag
        && let Some(reading) = given(flag)?
    {
        return Err(by_flag(name, &unit, flag, path, value, reading.origin.as_deref()));
    }
    let text = |reading: Option<Reading>| match reading.map(|reading| reading.value) {
        Some(Value::Text(text)) if text.starts_with('/') => Some(text.trim_end_matches('/').to_owned()),
        _ => None,
    };
    let Some(main) = text(given("config")?) else {
        return Err(Refusal::new(format!(
            "{name}: the kubelet was started without a configuration file (--config), so flags alone decide. `systemctl cat \
             {unit}` shows where they stand: put the setting there"
        )));
    };
    let folder = text(given("config-dir")?);
    let seen = node.kubelet.drop_ins.items.iter().map(|file| file.path.clone()).collect();
    let int = |path: &str, otherwise: i64| match tree.at(path).value {
        Value::Int(int) => int,
        _ => otherwise,
    };
    let address = match tree.at("kubelet.effective.healthzBindAddress").value {
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let stale = tree.at("kubelet.config_stale");
    let stale = match stale.value {
        Value::Bool(true) => Some(stale.origin.as_deref().unwrap_or("a configuration file changed").to_owned()),
        _ => None,
    };
    let on = |path: &str| !matches!(tree.at(path).value, Value::Bool(false) | Value::Absent);
    let named = |path: &str| match tree.at(path).value {
        Value::Text(text) => !text.is_empty(),
        // What was not read may be there.
        other => !matches!(other, Value::Absent),
    };
    let knows_logins = named("kubelet.effective.authentication.x509.clientCAFile")
        || on("kubelet.effective.authentication.webhook.enabled");
    let mut notes: Vec<String> =
        MEANS.iter().filter(|(of, _)| *of == path).map(|(_, means)| (*means).to_owned()).collect();
    notes.extend(kept(about, node.kubelet.environment.items.iter().map(|file| file.path.as_str()), &main));
    let op = KubeletOp {
        unit,
        main,
        drop_ins: folder.map(|folder| (folder, seen)),
        health: (host(&address), int("kubelet.effective.healthzPort", 10248)),
        settings: BTreeMap::from([(path.to_owned(), value.clone())]),
        stale,
        knows_logins,
        reports_as: known_as(about, name),
    };
    Ok((op, notes))
}

/// The refusal where a flag decides: where it stands, and what to do.
fn by_flag(name: &str, unit: &str, flag: &str, path: &str, value: &Json, origin: Option<&str>) -> Refusal {
    let value = match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    let file = origin.and_then(|origin| origin.strip_prefix("flag, from "));
    let place = match file {
        Some(file) => format!("It stands in {file}"),
        None => format!("It stands in {unit} or a drop-in of it (`systemctl cat {unit}`)"),
    };
    let upgrade = if file.is_some_and(|file| file.ends_with("kubeadm-flags.env")) {
        ", and out of nodeRegistration.kubeletExtraArgs of the kubeadm configuration"
    } else {
        ""
    };
    Refusal::new(format!(
        "{name}: the flag --{flag} of the kubelet's command line is over every file. {place}: take it out there{upgrade} (or make it \
         --{flag}={value}), then `systemctl daemon-reload && systemctl restart {unit}`; the file's {path} counts from then on"
    ))
}

/// The name of a node in its cluster. None where the cluster was not read, or it is not sure which of its nodes this one is.
pub(super) fn known_as(about: &About<'_>, name: &str) -> Option<String> {
    let joined = joined_nodes(about.evidence);
    joined.iter().find(|joined| joined.name == name)?.api.map(|node| node.name.clone())
}

/// What kubeadm would take back.
fn kept<'a>(about: &About<'_>, mut environment: impl Iterator<Item = &'a str>, main: &str) -> Option<String> {
    let by_api = platform_of(about.evidence);
    let kubeadm = match by_api.as_deref() {
        Some(platform) => platform == "kubeadm",
        None => environment.any(|file| file.ends_with("kubeadm-flags.env")),
    };
    let there = config_map::set_there(Held::Kubelet, "", about.evidence);
    kubeadm.then(|| format!("kubeadm writes {main} anew at an upgrade, from the {there}"))
}

impl KubeletOp {
    /// Whether both are about the same kubelet.
    pub(super) fn fits(&self, other: &KubeletOp) -> bool {
        self.unit == other.unit && self.main == other.main
    }

    pub(super) fn add(&mut self, other: KubeletOp) {
        self.settings.extend(other.settings);
    }

    /// What is set: path with dots, value.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.settings.iter()
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = vec![Want::File(self.main.clone())];
        if let Some((folder, seen)) = &self.drop_ins {
            wants.push(Want::Pattern(format!("{folder}/*.conf")));
            wants.extend(seen.iter().map(|file| Want::File(file.clone())));
        }
        if self.protects() {
            wants.push(Want::Tell(KERNEL.to_owned()));
        }
        wants
    }

    fn protects(&self) -> bool {
        self.settings.get("protectKernelDefaults") == Some(&Json::Bool(true))
    }

    /// The files, the one that decides first: drop-ins as the kubelet walks them, backwards, then the main file.
    fn files<'f>(&self, fresh: &'f Fresh) -> Result<Vec<(bool, &'f FreshFile, &'f State, String)>, Refusal> {
        let mut found: BTreeMap<Vec<&str>, &FreshFile> = BTreeMap::new();
        if let Some((folder, seen)) = &self.drop_ins {
            let listed = fresh.pattern(&format!("{folder}/*.conf")).iter();
            for file in listed.chain(seen.iter().filter_map(|path| fresh.file(path))) {
                if file.state != Some(State::Absent) && file.path.ends_with(".conf") {
                    found.insert(file.path.split('/').collect(), file);
                }
            }
        }
        let main = fresh.file(&self.main).filter(|file| file.state != Some(State::Absent));
        let gone = || Refusal::new(format!("{} is not there any more. Scan again", self.main));
        let drop_ins = found.into_values().rev().map(|file| (true, file));
        drop_ins
            .chain([(false, main.ok_or_else(gone)?)])
            .map(|(drop_in, file)| {
                let path = &file.path;
                if let Some(trouble) = file.trouble {
                    return Err(Refusal::new(format!("{path} is left alone: {trouble}. Change it by hand")));
                }
                match (&file.state, file.text()) {
                    (Some(state @ State::File { .. }), Some(text)) => Ok((drop_in, file, state, text.to_owned())),
                    _ => Err(Refusal::new(format!("{path} is no plain text. Change it by hand"))),
                }
            })
            .collect()
    }

    /// A kubelet that knows no login takes the API server itself for anonymous.
    fn refuse_where_nobody_could_log_in(&self) -> Result<(), Refusal> {
        let set = |path: &str, value: Json| self.settings.get(path) == Some(&value);
        let closes = set("authentication.anonymous.enabled", Json::Bool(false))
            || set("authorization.mode", Json::from("Webhook"));
        let knows = self.knows_logins
            || self.settings.contains_key("authentication.x509.clientCAFile")
            || set("authentication.webhook.enabled", Json::Bool(true));
        if !closes || knows {
            return Ok(());
        }
        Err(Refusal::new(
            "this kubelet knows no login at all (authentication.x509.clientCAFile is not set, authentication.webhook is off): the API server \
             is anonymous to it, and logs, exec and metrics of this node would end. Set clientCAFile to the cluster's CA first \
             (kubelet-client-ca)",
        ))
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        if self.protects() {
            kernel(fresh)?;
        }
        self.refuse_where_nobody_could_log_in()?;
        let mut change = NodeChange { risk: Risk::Disruptive, within: WITHIN, ..NodeChange::default() };
        let mut files = self.files(fresh)?;
        for (path, value) in &self.settings {
            let parts: Vec<&str> = path.split('.').collect();
            let mut decides = files.len().saturating_sub(1);
            for (number, (drop_in, file, _, text)) in files.iter().enumerate() {
                let get = |length: usize| {
                    get_path(text, parts.get(..length).unwrap_or_default())
                        .map_err(|error| Refusal::new(format!("{}: {error}", file.path)))
                };
                for length in 1..=parts.len() {
                    if *drop_in && get(length)? == Some(Json::Null) {
                        return Err(Refusal::new(format!(
                            "{} sets {path}, or what it stands in, to null, which kubelets of different versions take differently. \
                             Change it by hand",
                            file.path
                        )));
                    }
                }
                if get(parts.len())?.is_some_and(|value| !value.is_null()) {
                    decides = number;
                    break;
                }
            }
            let Some((drop_in, file, _, text)) = files.get_mut(decides) else { continue };
            if *drop_in {
                change.why.push(format!("{} sets {path} over {}, so it is changed there", file.path, self.main));
            }
            *text = set_path(text, &parts, value).map_err(|error| Refusal::new(format!("{}: {error}", file.path)))?;
        }
        for (_, file, state, text) in files {
            if file.text() != Some(text.as_str()) {
                let was = file.contents.clone();
                change.files.push(FileChange::contents(&file.path, state.clone(), was, text.into_bytes(), None));
            }
        }
        if change.files.is_empty() {
            return Ok(NodeChange::default());
        }
        change.why.insert(0, format!("The running kubelet was started with --config={}", self.main));
        self.restart(&mut change);
        Ok(change)
    }

    /// How it becomes effective, and how that is known.
    fn restart(&self, change: &mut NodeChange) {
        let unit = quoted(&self.unit);
        change.activate.push(format!("systemctl restart {unit}"));
        change.reports_as.clone_from(&self.reports_as);
        if self.reports_as.is_none() {
            change.why.push(NOT_HEARD.to_owned());
        }
        // One that was started in vain too often is not started again unless that is forgotten.
        change.deactivate.push(format!("systemctl reset-failed {unit} 2>/dev/null; systemctl restart {unit}"));
        let (address, port) = &self.health;
        let conditions = |port: i64| {
            let mut lines = vec![format!("unit_up {unit} {UP}")];
            if port > 0 {
                let url = format!("http://{address}:{port}/healthz");
                lines.extend([format!("listens {port}"), format!("answers {}", quoted(&url))]);
            }
            lines
        };
        change.restored = conditions(*port);
        change.holds = conditions(self.settings.get("healthzPort").and_then(Json::as_i64).unwrap_or(*port));
        change.interrupts.push(format!(
            "{} is restarted. Running pods keep running; for some seconds no pod is started, probed, or reached by exec and logs",
            self.unit
        ));
        if let Some(stale) = &self.stale {
            change.interrupts.push(format!("{stale}: what was changed there becomes effective with this restart too"));
        }
    }
}

/// Whether the kernel's settings are as the kubelet will want them.
pub(super) fn kernel(fresh: &Fresh) -> Result<(), Refusal> {
    let Some(said) = fresh.told(KERNEL) else {
        return Err(Refusal::new(
            "protectKernelDefaults: the kernel's settings were not read, with which the kubelet may refuse to start. Try again",
        ));
    };
    let wrong: Vec<String> = said.lines().map(|line| line.trim().replace('/', ".")).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "protectKernelDefaults: the kubelet would not start, since the kernel's settings are others than it wants. Set {} first (in \
         /etc/sysctl.d/90-kubelet.conf, then `sysctl --system`)",
        wrong.join(", ")
    )))
}

#[cfg(test)]
#[path = "kubelet_tests.rs"]
mod tests;
