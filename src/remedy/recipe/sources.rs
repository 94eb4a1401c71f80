//! Who reaches the SSH server at all: a table of nftables of our own, loaded again at every start of the node. A packet has
//! to pass every table, so that this one bounds what ufw, firewalld or anybody else lets in, and touches none of theirs. Where
//! the node has no nft, sshd itself is told, by AllowUsers.

use super::sshd::{SshdOp, sources};
use super::{About, seat};
use crate::remedy::change::{FileChange, NodeChange, State, Validate};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::networks::Networks;
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use std::collections::BTreeSet;

/// The bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct SourcesOp {
    networks: Networks,
    ports: BTreeSet<u16>,
    /// Whether the person is at the local channel.
    local: bool,
    /// The same by sshd, or why not.
    by_sshd: Result<SshdOp, Refusal>,
}

/// The rules.
const RULES: &str = "/etc/sitewarden-ssh.nft";
/// The unit that loads them.
const UNIT: &str = "/etc/systemd/system/sitewarden-ssh.service";
const NAME: &str = "sitewarden-ssh.service";
/// Our table.
const TABLE: &str = "inet sitewarden_ssh";
/// Whether the rules are loaded.
const LOADED: &str =
    "[ \"$(systemctl is-active sitewarden-ssh.service)\" = active ] && nft list table inet sitewarden_ssh";
/// Where nft is, and whether the node is one of systemd.
const NFT: &str = "[ -d /run/systemd/system ] && command -v nft";

/// What is done for `ssh-source-restriction`, and whom it shuts out.
pub(super) fn plan(about: &About<'_>) -> Result<(SourcesOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let networks = Networks::of(about.evidence, node)?;
    let ports = seat::ports(node);
    if ports.is_empty() {
        return Err(Refusal::new(format!(
            "{}: at which ports sshd listens was not read. Scan again as root",
            node.name
        )));
    }
    let mut notes = vec![format!(
        "Nobody from elsewhere than {} reaches SSH of this node any more: no other administrator, no pod, no tool such as \
         `az aksarc get-logs` that is run elsewhere",
        networks.names().join(", ")
    )];
    let others: Vec<&str> = node
        .firewall
        .active
        .known()
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|tool| *tool != "nftables")
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "{} filters there too, and stays as it is: what it lets in must pass this table as well, and what it keeps out \
             stays out",
            others.join(" and ")
        ));
    }
    let by_sshd = sources(networks.names(), about);
    Ok((SourcesOp { networks, ports, local: seat::is_local(node), by_sshd }, notes))
}

impl SourcesOp {
    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = vec![
            Want::File(RULES.to_owned()),
            Want::File(UNIT.to_owned()),
            Want::Tell(NFT.to_owned()),
            Want::Tell(LOADED.to_owned()),
            seat::want(&self.ports),
        ];
        wants.extend(self.by_sshd.iter().flat_map(SshdOp::wants));
        wants
    }

    fn rules(&self) -> Vec<String> {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let ports = format!("tcp dport {{ {} }}", ports.join(", "));
        let mut rules = vec![
            "# Who reaches the SSH server of this node. Written by sitewarden.".to_owned(),
            // So that loading it again replaces it, in one step.
            format!("table {TABLE}"),
            format!("delete table {TABLE}"),
            format!("table {TABLE} {{"),
            "chain input {".to_owned(),
            "type filter hook input priority -10; policy accept;".to_owned(),
            "iif \"lo\" accept".to_owned(),
            "ct state established,related accept".to_owned(),
        ];
        for (family, v6) in [("ip", false), ("ip6", true)] {
            let networks = self.networks.of_family(v6);
            if !networks.is_empty() {
                rules.push(format!("{ports} {family} saddr {{ {} }} accept", networks.join(", ")));
            }
        }
        rules.extend([format!("{ports} drop"), "}".to_owned(), "}".to_owned()]);
        rules
    }

    fn by_allow_users(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let change = self.by_sshd.as_ref().map_err(Refusal::clone).and_then(|op| op.change(fresh));
        let mut change = change.map_err(|why| {
            Refusal::new(format!(
                "the node has no nft (package nftables), or is not run by systemd; and by AllowUsers it does not go: {why}"
            ))
        })?;
        if !change.files.is_empty() {
            change.why.push(
                "The node has no nft (package nftables), or is not run by systemd: so sshd itself lets nobody log in who comes from \
                 elsewhere. Its port stays open to everybody"
                    .to_owned(),
            );
        }
        Ok(change)
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let nft =
            fresh.told(NFT).and_then(|said| said.lines().next()).map(str::trim).filter(|nft| nft.starts_with('/'));
        let Some(nft) = nft else {
            return self.by_allow_users(fresh);
        };
        if self.local {
            seat::refuse_unless_alone(&self.ports, fresh)?;
        }
        let rules = self.rules();
        let unit = format!(
            "[Unit]\nDescription=SSH from the management networks alone (sitewarden)\nDefaultDependencies=no\n\
             Wants=network-pre.target\nBefore=network-pre.target shutdown.target\nConflicts=shutdown.target\n\
             After=local-fs.target nftables.service\n\
             # Its rules are emptied with all others where that unit starts or reloads.\n\
             PartOf=nftables.service\nReloadPropagatedFrom=nftables.service\n\n\
             [Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={nft} -f {RULES}\nExecReload={nft} -f {RULES}\n\
             ExecStop=-{nft} delete table {TABLE}\n\n[Install]\nWantedBy=multi-user.target\n"
        );
        let mut change = NodeChange { risk: Risk::CanLockOut, within: 15, ..NodeChange::default() };
        let mut new = true;
        for (path, text, mode) in [(RULES, format!("{}\n", rules.join("\n")), 0o600), (UNIT, unit, 0o644)] {
            let found = fresh.file(path);
            let (before, was) = match found.map(|found| (found.trouble, &found.state, &found.contents)) {
                Some((None, Some(state @ (State::Absent | State::File { .. })), was)) => (state.clone(), was.clone()),
                _ => return Err(Refusal::new(format!("{path} is no plain file of root's. Look at it by hand"))),
            };
            new &= before == State::Absent;
            if was.as_deref() != Some(text.as_bytes()) {
                change.files.push(FileChange::contents(path, before, was, text.into_bytes(), Some(mode)));
            }
        }
        if change.files.is_empty() && fresh.told(LOADED).is_some() {
            return Ok(NodeChange::default());
        }
        let lines: Vec<String> = rules.iter().map(|rule| quoted(rule)).collect();
        change.validate.push(Validate::Line { line: format!("printf '%s\\n' {} | {nft} -c -f -", lines.join(" ")) });
        change.activate.push("systemctl daemon-reload".to_owned());
        change.activate.push(format!("systemctl enable {NAME}"));
        change.activate.push(format!("systemctl restart {NAME}"));
        change.holds.push(format!("[ \"$(systemctl is-active {NAME})\" = active ]"));
        change.holds.push(format!("{nft} list table {TABLE} >/dev/null"));
        if new {
            // The unit's file is gone already when these run.
            change.deactivate.push(format!("rm -f {}", wanted()));
            change.deactivate.push(format!("systemctl stop {NAME} || :"));
            change.deactivate.push("systemctl daemon-reload".to_owned());
            // Rules that could not be loaded leave it behind as failed.
            change.deactivate.push(format!("systemctl reset-failed {NAME} 2>/dev/null || :"));
            change.deactivate.push(format!("{nft} delete table {TABLE} 2>/dev/null || :"));
            change.restored.push(format!("! {nft} list table {TABLE} 2>/dev/null"));
        } else {
            change.deactivate.push("systemctl daemon-reload".to_owned());
            change.deactivate.push(format!("systemctl restart {NAME}"));
            change.restored.push(format!("[ \"$(systemctl is-active {NAME})\" = active ]"));
        }
        change.interrupts.push("Connections that the node's packet filter knows stay".to_owned());
        change.why.push(format!(
            "It is a table of its own, {TABLE}, about the port of SSH alone: no rule of the network plugin, kube-proxy or \
             another firewall is touched"
        ));
        Ok(change)
    }
}

fn wanted() -> String {
    format!("/etc/systemd/system/multi-user.target.wants/{NAME}")
}
