//! What the tests of recipes share: a node with a kubelet, a document around it, files as they were read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::evidence::{
    ChannelKind, ConfigFile, Evidence, Fact, Listing, NodeEvidence, Process, Reason, Seat, SiteFacts, StaticPod, Tool,
};
use crate::remedy::change::State;
use crate::remedy::fresh::{Fresh, FreshFile, Want};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

pub(super) const MAIN: &str = "/var/lib/kubelet/config.yaml";

/// A process that counts.
pub(super) fn process(exe: &str, unit: &str, args: &[&str]) -> Fact<Process> {
    Fact::Known(Process {
        pid: 7,
        uid: Fact::Known(0),
        exe: Fact::Known(exe.to_owned()),
        args: Fact::Known(std::iter::once(exe).chain(args.iter().copied()).map(str::to_owned).collect()),
        unit: Fact::Known(unit.to_owned()),
        started: Fact::Known("2026-03-01T10:00:00Z".parse().unwrap()),
        container: Fact::Known(false),
        rejected: String::new(),
    })
}

pub(super) fn config(path: &str, document: Json) -> ConfigFile {
    ConfigFile {
        path: path.to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Known("2026-03-01T09:00:00Z".parse().unwrap()),
        document: Fact::Known(document),
        unread: None,
    }
}

/// A node with a kubelet as kubeadm starts it, and more arguments.
pub(super) fn node(args: &[&str]) -> NodeEvidence {
    let mut node = NodeEvidence::unread("n1", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    node.kubelet.exists = Fact::Known(true);
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    let main = format!("--config={MAIN}");
    let args: Vec<&str> = std::iter::once(main.as_str()).chain(args.iter().copied()).collect();
    node.kubelet.process = process("/usr/bin/kubelet", "kubelet.service", &args);
    node.kubelet.config_file = Fact::Known(config(MAIN, json!({"staticPodPath": "/etc/kubernetes/manifests"})));
    node.kubelet.drop_ins = Listing::whole(Vec::new());
    node
}

/// A static pod as kubeadm makes it.
pub(super) fn pod(component: &str, command: &[&str]) -> Fact<StaticPod> {
    Fact::Known(StaticPod {
        path: format!("/etc/kubernetes/manifests/{component}.yaml"),
        image: Fact::Unread,
        command: Fact::Known(command.iter().map(|word| (*word).to_owned()).collect()),
        environment_names: Fact::Unread,
        host_network: Fact::Unread,
        unread: None,
    })
}

/// A document with this node alone.
pub(super) fn evidence(node: &NodeEvidence) -> Evidence {
    Evidence {
        schema: crate::evidence::SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: Timestamp::UNIX_EPOCH,
        finished: Timestamp::UNIX_EPOCH,
        seat: Seat::default(),
        site: SiteFacts::default(),
        cluster: None,
        nodes: vec![node.clone()],
        endpoints: None,
    }
}

/// What was read: files by their paths.
pub(super) fn fresh(wants: &[Want], files: &[(&str, &str)]) -> Fresh {
    let mut fresh = Fresh::default();
    let of = |path: &str, text: &str| FreshFile {
        path: path.to_owned(),
        state: Some(State::File { sha256: "0".to_owned(), mode: 0o600, uid: 0, gid: 0 }),
        trouble: None,
        contents: Some(text.as_bytes().to_vec()),
        owner: None,
    };
    for want in wants {
        for (path, text) in files {
            let fits = match want {
                Want::File(wanted) => wanted == path,
                Want::Pattern(pattern) => {
                    let (folder, end) = pattern.split_once('*').unwrap();
                    path.starts_with(folder) && path.ends_with(end)
                }
                _ => false,
            };
            if fits {
                fresh.found(want, of(path, text));
            }
        }
    }
    fresh
}
