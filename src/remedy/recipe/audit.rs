//! The API server's audit log: a policy, a folder for the log, and the flags and mounts that name them, as far as they are
//! missing. They go into the same edit of its manifest as other flags.

use super::config_map::{Held, set_there};
use super::static_pod::Mount;
use crate::evidence::{Evidence, Reading, Value};
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::manifest_flag::{HostPathKind, flag_values, is_on_node, runs_as};
use crate::remedy::edit::yaml::get_path;
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;
use serde_json::json;

const API_SERVER: &str = "kube-apiserver";
const POLICY: &str = "/etc/kubernetes/audit/policy.yaml";
const FOLDER: &str = "/var/log/kubernetes/audit";
const LOG: &str = "/var/log/kubernetes/audit/audit.log";
const TEXT: &str = include_str!("../../../assets/remedy/audit-policy.yaml");

/// Without bounds a log would grow until the disk is full: days, files that were put away, and MB of one.
pub(super) const BOUNDS: [(&str, &str); 3] =
    [("audit-log-maxage", "30"), ("audit-log-maxbackup", "10"), ("audit-log-maxsize", "100")];

/// How many MB are free where the log will lie.
const FREE: &str = "df -Pk /var/log | awk 'NR == 2 { print int($4 / 1024) }'";

/// Where the API server writes its audit log.
pub(super) enum Log {
    /// Into a file.
    File,
    /// To its standard output, or to a webhook.
    Elsewhere,
    /// Nowhere.
    None,
}

/// Where it is written, as far as that is known.
pub(super) fn log(node: &Reading) -> Log {
    let is = |name: &str| node.at(&format!("kube_apiserver.effective.{name}")).value;
    match (is("auditLogPath"), is("auditWebhookConfigFile")) {
        (Value::Text(path), _) if &*path != "-" => Log::File,
        (Value::Absent, Value::Absent) => Log::None,
        _ => Log::Elsewhere,
    }
}

/// The refusal where an audit log's size is asked for, and no log is written.
pub(super) fn no_log(manifest: &str, flag: &str) -> String {
    format!(
        "{manifest}: the API server writes no audit log into a file yet, so --{flag} has nothing to work on. Put \
         apiserver-audit-log right first"
    )
}

/// What is missing.
#[derive(Default)]
pub(super) struct Missing {
    /// Flags and their values.
    pub(super) flags: Vec<(&'static str, &'static str)>,
    /// What the container must see of the node.
    pub(super) mounts: Vec<Mount>,
    /// Everything beside the manifest.
    pub(super) change: NodeChange,
}

/// What else it means: sentences for the person.
pub(super) fn notes(evidence: &Evidence) -> [String; 4] {
    [
        format!(
            "The policy records who did what to which object, and when; never what a Secret, a ConfigMap or a token holds. Look \
             through it, and change {POLICY} later as you need it; the API server reads it when it starts"
        ),
        "The log is on this node alone: who breaks into it as root can change it. Have it sent elsewhere as soon as you can"
            .to_owned(),
        format!(
            "kubeadm writes the manifest anew at an upgrade, from the {}. Flags and mounts belong together: an API server with the flags \
             alone does not start",
            set_there(Held::Cluster, ", in apiServer.extraArgs and apiServer.extraVolumes", evidence)
        ),
        format!("When this is taken back the policy goes, where it was not there before; {FOLDER} and its logs stay"),
    ]
}

/// Flags and mounts that an API server lacks for an audit log, by what it is given: what [`missing`] puts in.
pub(super) fn lacks(given: impl Fn(&str) -> Option<String>) -> (Vec<(&'static str, &'static str)>, Vec<Mount>) {
    let (mut flags, mut mounts) = (Vec::new(), Vec::new());
    if given("audit-policy-file").is_none() {
        flags.push(("audit-policy-file", POLICY));
        mounts.push(Mount { name: "audit-policy", path: POLICY, read_only: true, kind: HostPathKind::File });
    }
    let log = given("audit-log-path");
    if log.is_none() {
        flags.push(("audit-log-path", LOG));
        // Not on the node that has it by then, but where a control plane joins.
        mounts.push(Mount { name: "audit-log", path: FOLDER, read_only: false, kind: HostPathKind::DirectoryOrCreate });
    }
    if log.as_deref() != Some("-") {
        flags.extend(BOUNDS.into_iter().filter(|(flag, _)| given(flag).is_none()));
    }
    (flags, mounts)
}

pub(super) fn wants() -> [Want; 2] {
    [Want::File(POLICY.to_owned()), Want::Tell(FREE.to_owned())]
}

/// What the API server of a manifest lacks for an audit log. Refused where something else stands there that is not plainly
/// understood.
pub(super) fn missing(manifest: &str, text: &str, fresh: &Fresh) -> Result<Missing, Refusal> {
    let refuse = |why: String| Refusal::new(format!("{manifest}: {why}"));
    let given = |flag: &str| match flag_values(text, API_SERVER, flag) {
        Ok(values) => Ok(values.into_iter().flatten().find(|value| !value.is_empty())),
        Err(error) => Err(refuse(error.to_string())),
    };
    if given("audit-webhook-config-file")?.is_some() {
        return Err(refuse(
            "the audit events go to a webhook (--audit-webhook-config-file), and what it is to get is for those to say who run it. \
             Write a policy with them, and put --audit-policy-file in by hand"
                .to_owned(),
        ));
    }
    if runs_as(text, API_SERVER).map_err(|error| refuse(error.to_string()))?.is_some_and(|user| user != 0) {
        return Err(refuse(format!(
            "the API server does not run as root (runAsUser), and could neither read a policy nor write a log that are root's alone. \
             Make {POLICY} and {FOLDER} for its user by hand, then put --audit-policy-file and --audit-log-path in"
        )));
    }
    let mut missing = Missing::default();
    if given("audit-policy-file")?.is_none() {
        missing.flags.push(("audit-policy-file", POLICY));
        missing.mounts.push(Mount { name: "audit-policy", path: POLICY, read_only: true, kind: HostPathKind::File });
        policy(POLICY, &mut missing.change, fresh)?;
    }
    let log = given("audit-log-path")?;
    match log.as_deref() {
        None => {
            missing.flags.push(("audit-log-path", LOG));
            missing.mounts.push(Mount {
                name: "audit-log",
                path: FOLDER,
                read_only: false,
                kind: HostPathKind::Directory,
            });
            missing.change.folders.push(FOLDER.to_owned());
            missing.change.holds.push(format!("[ -s {LOG} ]"));
        }
        Some("-") => return Ok(missing),
        Some(path) if !is_on_node(text, API_SERVER, path).map_err(|error| refuse(error.to_string()))? => {
            return Err(refuse(format!(
                "--audit-log-path names {path}, which is mounted from nowhere, so the log would go with the container. Take the flag \
                 out by hand, then make the plan again"
            )));
        }
        Some(_) => {}
    }
    for (flag, usual) in BOUNDS {
        if given(flag)?.is_none() {
            missing.flags.push((flag, usual));
        }
    }
    Ok(missing)
}

/// The policy's file, where it is not there yet; one that is there stays as it is.
pub(super) fn policy(path: &str, change: &mut NodeChange, fresh: &Fresh) -> Result<(), Refusal> {
    let by_hand = "Look at it, then put --audit-policy-file in by hand, or move it away and make the plan again";
    let file =
        fresh.file(path).ok_or_else(|| Refusal::new(format!("{path}: the node did not tell of it. Try again")))?;
    if let Some(trouble) = file.trouble {
        return Err(Refusal::new(format!("{path} is left alone: {trouble}. {by_hand}")));
    }
    if file.state == Some(State::Absent) {
        change.folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
        change.files.push(FileChange::contents(path, State::Absent, None, TEXT.as_bytes().to_vec(), Some(0o600)));
        return Ok(());
    }
    let of = |key: &str| file.text().and_then(|text| get_path(text, &[key]).ok().flatten());
    if of("kind") != Some(json!("Policy")) || of("apiVersion") != Some(json!("audit.k8s.io/v1")) {
        return Err(Refusal::new(format!("{path} is there, and it is no audit policy of audit.k8s.io/v1. {by_hand}")));
    }
    change.why.push(format!("{path} is there already and stays as it is"));
    Ok(())
}

/// How much of the disk the log of a manifest takes. None where it goes into no file.
pub(super) fn room(text: &str, fresh: &Fresh) -> Option<String> {
    let given = |flag: &str| flag_values(text, API_SERVER, flag).ok()?.into_iter().flatten().next();
    let log = given("audit-log-path").filter(|path| path != "-")?;
    let mut bounds = BOUNDS.iter().map(|(flag, _)| given(flag)?.parse::<u64>().ok());
    let (Some(Some(age)), Some(Some(files)), Some(Some(size))) = (bounds.next(), bounds.next(), bounds.next()) else {
        return Some(format!(
            "How much of the disk {log} takes is not plain from --audit-log-maxage, -maxbackup and -maxsize"
        ));
    };
    let days = if age == 0 { "whatever their age".to_owned() } else { format!("for {age} days at most") };
    if files == 0 {
        return Some(format!(
            "{log} is put away at {size} MB, and all old ones are kept, {days}: see that the disk does not run full"
        ));
    }
    let most = files.saturating_add(1).saturating_mul(size);
    let free = fresh.told(FREE).and_then(|said| said.trim().parse::<u64>().ok()).filter(|_| log == LOG);
    let free = match free {
        Some(free) if free < most => {
            format!(". That is more than the {free} MB that are free there now: make room first")
        }
        Some(free) => format!("; {free} MB are free there now"),
        None => String::new(),
    };
    Some(format!(
        "{log} takes {most} MB of the disk at most: it is put away at {size} MB, and {files} old ones are kept, {days}{free}"
    ))
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
