//! The API server's audit log on k3s and RKE2: a policy, a folder for the log, and what names them, as far as they are missing.
//! k3s takes flags (docs.k3s.io/security/hardening-guide); RKE2 has the key `audit-policy-file`, by which it gives the API server
//! the flags and mounts, the log too (rancher/rke2, pkg/executor/staticpod/staticpod.go, APIServer).

use super::audit;
use super::rancher::{RancherOp, Which};
use super::rancher_config::{ConfigFile, Running};
use super::static_flag::Flag;
use crate::remedy::change::NodeChange;
use crate::remedy::edit::yaml::{get_path, set_path};
use crate::remedy::fresh::{Fresh, FreshFile};
use crate::remedy::plan::Refusal;
use serde_json::{Value as Json, json};

const API_SERVER: &str = "kube-apiserver";
const KEY: &str = "audit-policy-file";

/// Where the policy goes.
pub(super) fn policy(which: Which) -> String {
    match which {
        Which::K3s => which.data("/server/audit.yaml"),
        Which::Rke2 => "/etc/rancher/rke2/audit-policy.yaml".to_owned(),
    }
}

fn log(which: Which) -> String {
    which.data("/server/logs/audit.log")
}

/// What else it means: sentences for the person.
pub(super) fn notes(which: Which) -> [String; 3] {
    [
        format!(
            "The policy records who did what to which object, and when; never what a Secret, a ConfigMap or a token holds. Look \
             through it, and change {} later as you need it; the API server reads it when it starts",
            policy(which)
        ),
        format!(
            "The log is {} on this node alone: who breaks into it as root can change it. Have it sent elsewhere as soon as you can. Unless \
             it is bounded otherwise already it takes 1100 MB of the disk at most",
            log(which)
        ),
        "When this is taken back the policy goes, where it was not there before; the folder of the log and what is in it stay".to_owned(),
    ]
}

/// Adds what is missing: the policy's file and the log's folder to the change, a key to the files, or flags. Gives the file of
/// the log, which is to be written to. Refused where something else stands there that is not plainly understood.
pub(super) fn change(
    op: &RancherOp,
    fresh: &Fresh,
    files: &mut [ConfigFile],
    flags: &mut Vec<(String, String, Flag)>,
    change: &mut NodeChange,
    (new, old): (&mut Vec<String>, &mut Vec<String>),
) -> Result<Option<String>, Refusal> {
    let (node, which) = (&op.node, op.which);
    let (path, called) = (policy(which), which.called());
    let given = |flag: &str| match op.running(fresh, API_SERVER, flag) {
        Running::Seen(value) => Ok(value.filter(|value| !value.is_empty())),
        Running::Hidden => Err(Refusal::new(format!(
            "{node}: with which flags {called} runs the API server cannot be seen now. Restart {} so that it is told, or set up the audit \
             log by hand",
            op.unit
        ))),
    };
    if given("audit-webhook-config-file")?.is_some() {
        return Err(Refusal::new(format!(
            "{node}: the audit events go to a webhook (--audit-webhook-config-file), and what it is to get is for those to say who run it. \
             Write a policy with them, and put it in by hand"
        )));
    }
    let mut add = |flag: &str, value: &str| {
        flags.push((API_SERVER.to_owned(), flag.to_owned(), Flag::Value(value.to_owned())));
    };
    let has_policy = given(KEY)?.is_some();
    if !has_policy {
        if fresh.file(&path).and_then(FreshFile::text).is_some_and(records_nothing) {
            return Err(Refusal::new(format!(
                "{path} is there and records nothing (level None). Look at it, move it away, and make the plan again"
            )));
        }
        audit::policy(&path, change, fresh)?;
        match which {
            Which::K3s => add(KEY, &path),
            Which::Rke2 => {
                by_key(node, files, &path)?;
                new.extend(op.runs(API_SERVER, &format!("--{KEY}={path}")));
                old.extend(op.runs(API_SERVER, &format!("^--{KEY}={path}")));
            }
        }
    }
    // With its own key RKE2 gives the path and the bounds as well, unless they are given.
    let by_itself = which == Which::Rke2 && !has_policy;
    let log = match given("audit-log-path")? {
        Some(known) if known == "-" => return Ok(None),
        Some(known) => known,
        None => {
            let log = log(which);
            change.folders.extend(log.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            if !by_itself {
                add("audit-log-path", &log);
            }
            log
        }
    };
    if !by_itself {
        for (flag, usual) in audit::BOUNDS {
            if given(flag)?.is_none() {
                add(flag, usual);
            }
        }
    }
    Ok(Some(log))
}

/// Puts RKE2's own key into its main file.
fn by_key(node: &str, files: &mut [ConfigFile], path: &str) -> Result<(), Refusal> {
    for file in files.iter() {
        let known = get_path(&file.text, &[KEY]).map_err(|error| Refusal::new(format!("{}: {error}", file.path)))?;
        if known.is_some_and(|known| !known.is_null()) {
            return Err(Refusal::new(format!(
                "{node}: {} names an audit policy already, and the API server runs without one. Restart RKE2, then scan again",
                file.path
            )));
        }
    }
    let Some(main) = files.first_mut() else { return Ok(()) };
    main.text =
        set_path(&main.text, &[KEY], &json!(path)).map_err(|error| Refusal::new(format!("{}: {error}", main.path)))?;
    Ok(())
}

/// Whether a policy has no rule but for level None, as RKE2 writes one itself where none is there.
fn records_nothing(text: &str) -> bool {
    let rules = get_path(text, &["rules"]).ok().flatten();
    let Some(Json::Array(rules)) = rules else { return false };
    rules.iter().all(|rule| rule.get("level") == Some(&json!("None")))
}
