//! What is made sure of before a plan is shown: that sshd would do it, that the cluster can be asked, that no secret is carried.

use super::change::{FileChange, NodeChange};
use super::node::Reach;
use super::plan::Refusal;
use super::words::{has_variables, value_at};

/// Whether the new contents of a file may hold a secret, which no script is to carry: what would be redacted, or the value of a
/// variable, as manifests have them.
pub(super) fn holds_secret(file: &FileChange) -> bool {
    let text = file.contents.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    (has_variables(&text) && text.lines().any(|line| value_at(line).is_some()))
        || text.lines().any(|line| crate::probe::without_secrets(line) != line)
}

/// Leaves the cluster out where it was not named, and says so.
pub(super) fn known_to_the_cluster(change: &mut NodeChange, reach: &dyn Reach) -> Option<String> {
    change.reports_as.as_ref()?;
    if reach.cluster().is_some() {
        return None;
    }
    change.reports_as = None;
    Some(
        "Whether the node reports to the cluster again afterwards is not looked at, since the cluster is not named (--context)"
            .to_owned(),
    )
}

/// Whether sshd would do what is wanted, for every connection.
pub(super) fn effective(node: &str, dumps: &[String], connections: &[String], wants: &[String]) -> Result<(), Refusal> {
    for (dump, connection) in dumps.iter().zip(connections) {
        for want in wants {
            if !dump.lines().any(|line| line.trim().eq_ignore_ascii_case(want)) {
                let whose = if connection.is_empty() { "in general".to_owned() } else { format!("for {connection}") };
                return Err(Refusal::new(format!(
                    "{node}: with this change sshd would still not do `{want}` {whose}: something else decides it. \
                     Nothing was changed; look at the Match blocks and the files that it includes"
                )));
            }
        }
    }
    Ok(())
}
