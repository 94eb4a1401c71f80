//! The etcd that k3s and RKE2 run on their servers: how its members are asked after, and the snapshot before it is touched.

use super::etcd::Members;
use super::rancher::Which;
use crate::evidence::{Fact, NodeEvidence};
use crate::remedy::change::Validate;
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;

/// What etcd reads by the same name at the top of its configuration file (etcd, server/embed/config.go). Of an `etcd-arg` k3s
/// makes a line there (pkg/daemons/executor/executor.go, ToConfigFile); what etcd reads further in is not reached by it.
const AT_THE_TOP: [&str; 2] = ["tls-min-version", "tls-max-version"];

/// Whether a flag of etcd can be set by `etcd-arg`. Gives what else it means.
pub(super) fn plan(which: Which, flag: &str, node: &NodeEvidence) -> Result<Vec<String>, Refusal> {
    let (name, called, id) = (&node.name, which.called(), which.id());
    if node.etcd.exists != Fact::Known(true) {
        return Err(Refusal::new(format!("{name}: no etcd runs within {called} there. Change it where it runs")));
    }
    if !AT_THE_TOP.contains(&flag) {
        return Err(Refusal::new(format!(
            "{name}: {called} writes etcd's configuration itself, and of an `etcd-arg` it makes a line at the top of it, where etcd does not \
             read {flag}. Keep a snapshot first (`{id} etcd-snapshot save`), then see the documents of {called} for a key of its own"
        )));
    }
    Ok(vec![format!(
        "One server after the other: go on to the next only when all members of etcd are well again. Where snapshots go to S3 by the \
         configuration of {called}, this one goes there as well"
    )])
}

/// The conditions that etcd runs, with its configuration as a test wants it (`--NAME=VALUE`, `^--NAME=VALUE`, `^--NAME`).
pub(super) fn runs(which: Which, test: &str) -> Vec<String> {
    let file = which.data("/server/db/etcd/config");
    let (not, wanted) = test.strip_prefix('^').map_or(("", test), |rest| ("! ", rest));
    let grep = match wanted.trim_start_matches('-').split_once('=') {
        Some((name, value)) => {
            let lines = [format!("{name}: {value}"), format!("{name}: \"{value}\"")];
            format!("{not}grep -qxF -e {} -e {} {file}", quoted(&lines[0]), quoted(&lines[1]))
        }
        None => format!("{not}grep -q {} {file}", quoted(&format!("^{}:", wanted.trim_start_matches('-')))),
    };
    // k3s is etcd itself; with RKE2 a pod must have been made anew since the file was written.
    let process = (which == Which::Rke2).then(|| format!("began_after etcd {file}"));
    std::iter::once(grep).chain(process).collect()
}

/// Asks after the members where every server shows its metrics without a certificate (k3s, pkg/etcd/etcd.go,
/// listenMetricsURLs; RKE2 has it from there).
pub(super) fn members() -> Members {
    Members::at("127.0.0.1", 2381)
}

/// The snapshot that the program itself takes, and writes to where it is told to (k3s, pkg/cli/etcdsnapshot).
pub(super) fn snapshot(which: Which) -> Validate {
    let id = which.id();
    Validate::Keep {
        what: "a snapshot of etcd".to_owned(),
        at: "etcd-snapshot".to_owned(),
        line: format!(
            "( umask 077; mkdir -p \"$KEPT\"; {id} etcd-snapshot save --dir \"$KEPT\" --name sitewarden && \
             [ -n \"$(find \"$KEPT\" -type f -size +0 | head -n 1)\" ] && sync && echo \"The snapshot of etcd is in $KEPT\" )"
        ),
    }
}
