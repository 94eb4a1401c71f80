//! The etcd that k3s and RKE2 run on their servers: how its members are asked after, and the snapshot before it is touched.

use super::etcd::Members;
use super::rancher::Which;
use crate::remedy::change::Validate;

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
