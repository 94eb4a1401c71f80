//! Mode and owner of files and folders. Nothing reads them, so that keys can be put right without being looked at.

use super::About;
use crate::assess::Verdict;
use crate::evidence::{Component, NodeEvidence};
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;

/// Files and folders whose mode or owner is put right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FilesOp {
    files: Vec<Wanted>,
    /// Users other than root as whom components of this node run: number, and which component.
    users: Vec<(u32, &'static str)>,
}

/// What one of them is to be. What is None stays.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    path: String,
    /// The most that is allowed; bits are only taken away.
    most: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

/// The paths that a finding names as failing.
fn paths(about: &About<'_>) -> Result<Vec<String>, Refusal> {
    let items = about.finding.items.iter().filter(|item| item.verdict == Verdict::Fail);
    let paths: Vec<String> = items.map(|item| item.name.clone()).filter(|name| name.starts_with('/')).collect();
    if paths.is_empty() {
        return Err(Refusal::new(format!(
            "{}: the finding names no file that could be changed. Scan again",
            about.finding.control
        )));
    }
    Ok(paths)
}

/// What is done for `file-mode` and `file-owner`. `most`: octal digits.
pub(super) fn plan(
    most: Option<&str>,
    uid: Option<u32>,
    gid: Option<u32>,
    about: &About<'_>,
) -> Result<FilesOp, Refusal> {
    let most = match most {
        None => None,
        Some(digits) => Some(
            u32::from_str_radix(digits, 8)
                .map_err(|_| Refusal::new(format!("mode {digits}: these are no octal digits")))?,
        ),
    };
    let files = paths(about)?.into_iter().map(|path| Wanted { path, most, uid, gid }).collect();
    Ok(FilesOp { files, users: about.node.map(users).unwrap_or_default() })
}

/// Components that run as another user than root.
fn users(node: &NodeEvidence) -> Vec<(u32, &'static str)> {
    let all = [
        (&node.kube_apiserver, "kube-apiserver"),
        (&node.kube_controller_manager, "kube-controller-manager"),
        (&node.kube_scheduler, "kube-scheduler"),
        (&node.etcd, "etcd"),
    ];
    let user = |(component, name): (&Component, &'static str)| {
        let uid = *component.process.known()?.uid.known()?;
        u32::try_from(uid).ok().filter(|uid| *uid != 0).map(|uid| (uid, name))
    };
    all.into_iter().filter_map(user).collect()
}

/// Its real path, what lies there, and its mode, owner and group.
type Found<'f> = (&'f str, &'f State, (u32, u32, u32));

/// What lies at a path.
fn state<'f>(fresh: &'f Fresh, path: &str) -> Result<Found<'f>, Refusal> {
    let found =
        fresh.file(path).ok_or_else(|| Refusal::new(format!("{path}: the node did not tell of it. Try again")))?;
    let state = match (&found.state, found.trouble) {
        (Some(state), None) => state,
        (_, trouble) => {
            let why = trouble.unwrap_or("it was not read");
            return Err(Refusal::new(format!("{path} is left alone: {why}. Change it by hand")));
        }
    };
    let gone = || Refusal::new(format!("{path} is not there any more. Scan again"));
    Ok((&found.path, state, state.attributes().ok_or_else(gone)?))
}

impl FilesOp {
    pub(super) fn add(&mut self, other: FilesOp) {
        self.users.extend(other.users.into_iter().filter(|user| !self.users.contains(user)).collect::<Vec<_>>());
        for file in other.files {
            match self.files.iter_mut().find(|known| known.path == file.path) {
                Some(known) => {
                    known.most = match (known.most, file.most) {
                        (Some(one), Some(two)) => Some(one & two),
                        (one, two) => one.or(two),
                    };
                    known.uid = known.uid.or(file.uid);
                    known.gid = known.gid.or(file.gid);
                }
                None => self.files.push(file),
            }
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        self.files.iter().map(|file| Want::Stat(file.path.clone())).collect()
    }

    /// Why a file must stay as it is: a component that runs as another user than root may read it by what would go. `new`: mode
    /// and owner as they would be.
    fn still_read(&self, path: &str, old: (u32, u32, u32), new: (u32, u32)) -> Option<String> {
        // Of these root alone is to read, whoever else runs.
        let roots = ["admin.conf", "super-admin.conf", "kubelet.conf"].iter().any(|name| path.ends_with(name));
        let theirs = (path.starts_with("/etc/kubernetes/") && !path.contains("/manifests/") && !roots)
            || path.starts_with("/var/lib/etcd");
        let owner = self.users.iter().find(|(user, _)| *user == old.1 && new.1 != old.1);
        let by_mode = theirs && old.0 & !new.0 & 0o044 != 0;
        let by_group = self.users.iter().find(|(user, _)| by_mode && *user != old.1);
        if let Some((user, component)) = owner {
            return Some(format!(
                "{path} is left as it is: it belongs to the user {user}, as whom {component} runs there and could not read it any more \
                 at its next start"
            ));
        }
        by_group.map(|(user, component)| {
            format!(
                "{path} is left as it is: {component} runs there as the user {user}, and may read it by the rights that would go \
                 (runAsGroup, fsGroup, supplementalGroups of its manifest). Where it does not, take them away by hand"
            )
        })
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let mut change = NodeChange::default();
        for Wanted { path, most, uid, gid } in &self.files {
            let (real, state, old) = state(fresh, path)?;
            let (uid, gid) = (uid.unwrap_or(old.1), gid.unwrap_or(old.2));
            let mut mode = old.0 & most.unwrap_or(0o7777);
            if (uid, gid) != (old.1, old.2) {
                // chown takes setuid and setgid away, so they must not be expected.
                mode &= 0o1777;
            }
            if let Some(why) = self.still_read(path, old, (mode, uid)) {
                change.why.push(why);
                continue;
            }
            // Two names of one file are one change.
            let known = change.files.iter().any(|file: &FileChange| file.path == real);
            if (mode, uid, gid) != old && !known {
                change.files.push(FileChange::attributes(real, state.clone(), mode, uid, gid));
                change.why.extend(written_anew(real));
            }
        }
        Ok(change)
    }
}

/// What is to be known of a file that something else writes anew: k3s, pkg/server/server.go, writeKubeConfig; RKE2 starts its
/// server by the same code.
fn written_anew(path: &str) -> Option<String> {
    let program = ["k3s", "rke2"].into_iter().find(|id| path == format!("/etc/rancher/{id}/{id}.yaml"))?;
    Some(format!(
        "{program} writes {path} anew whenever it starts, with the mode of write-kubeconfig-mode (in /etc/rancher/{program}/config.yaml, on \
         its command line, or as {}_KUBECONFIG_MODE in its environment): take that out where it is set, else this lasts until the next \
         start",
        program.to_uppercase()
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::remedy::recipe::testing::fresh;

    #[test]
    fn that_k3s_writes_its_kubeconfig_anew_is_said() {
        let why = |path: &str| {
            let wanted = Wanted { path: path.to_owned(), most: Some(0o400), uid: None, gid: None };
            let op = FilesOp { files: vec![wanted], users: Vec::new() };
            op.change(&fresh(&[Want::File(path.to_owned())], &[(path, "")])).unwrap().why
        };
        assert!(why("/etc/rancher/k3s/k3s.yaml")[0].contains("K3S_KUBECONFIG_MODE"));
        assert_eq!(why("/etc/kubernetes/admin.conf"), Vec::<String>::new());
    }
    #[test]
    fn what_a_component_without_roots_rights_reads_is_left_to_it() {
        let kept = |path: &str, owner: u32, old: u32, most: u32, uid: u32| {
            let wanted = Wanted { path: path.to_owned(), most: Some(most), uid: Some(uid), gid: None };
            let op = FilesOp { files: vec![wanted], users: vec![(965, "kube-scheduler")] };
            op.still_read(path, (old, owner, 966), (old & most, uid)).is_some()
        };
        assert!(kept("/etc/kubernetes/scheduler.conf", 965, 0o600, 0o600, 0), "it owns it");
        assert!(kept("/etc/kubernetes/pki/sa.key", 0, 0o640, 0o600, 0), "its group may read it");
        assert!(!kept("/etc/kubernetes/scheduler.conf", 965, 0o644, 0o600, 965), "it owns it and keeps it");
        assert!(
            !kept("/etc/kubernetes/admin.conf", 0, 0o644, 0o600, 0)
                && !kept("/var/lib/kubelet/config.yaml", 0, 0o644, 0o600, 0)
        );
        assert!(!kept("/etc/kubernetes/pki/sa.key", 0, 0o620, 0o600, 0), "writing is not reading");
    }
}
