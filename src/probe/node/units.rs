//! systemd units, from `systemctl show`.

use super::answer::{Answer, Got};
use super::frames::State;
use super::text;
use crate::evidence::{Fact, Listing, Reason, Unit};
use std::collections::BTreeMap;

/// The units that can start an SSH server.
pub(super) fn ssh(answer: &mut Answer<'_>) -> Listing<Unit> {
    listed(answer, "ssh_units", |unit| unit.name.starts_with("ssh") || unit.name.starts_with("dropbear"))
}

/// Beginnings of the names of units that audit, keep time, update or filter.
const SERVICES: [&str; 20] = [
    "auditd.",
    "audit-rules.",
    "chronyd.",
    "chrony.",
    "systemd-timesyncd.",
    "ntpd.",
    "ntp.",
    "ntpsec.",
    "openntpd.",
    "apt-daily-upgrade.",
    "dnf-automatic",
    "dnf5-automatic",
    "transactional-update.",
    "rebootmgr.",
    "update-engine.",
    "locksmithd.",
    "firewalld.",
    "nftables.",
    "ufw.",
    "mdatp.",
];

/// The units that audit, keep time, update or filter; those that the node does not have are left out.
pub(super) fn services(answer: &mut Answer<'_>) -> Listing<Unit> {
    let more = ["iptables.service", "netfilter-persistent.service"];
    listed(answer, "service_units", |unit| {
        let wanted = SERVICES.iter().any(|start| unit.name.starts_with(start)) || more.contains(&unit.name.as_str());
        wanted && unit.load.known().is_none_or(|load| load != "not-found")
    })
}

fn listed(answer: &mut Answer<'_>, path: &str, wanted: impl Fn(&Unit) -> bool) -> Listing<Unit> {
    let got = answer.got("units");
    match got {
        Got::Missing(State::Unsupported) | Got::Absent => {
            answer.gap(path, Reason::Unsupported, "the node has no systemd, and its services cannot be asked for");
            return Listing::default();
        }
        _ => answer.note(&got, path, "the service units"),
    }
    let Some(record) = got.record() else { return Listing::default() };
    let body = record.text();
    let blocks: Vec<&str> = body.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).collect();
    let whole = if record.flags.cut { blocks.len().saturating_sub(1) } else { blocks.len() };
    let (mut broken, mut items) = (false, Vec::new());
    for block in blocks.into_iter().take(whole) {
        match unit(block) {
            // `sshd.service` is often another name of `ssh.service`, which then comes twice.
            Some(unit) if items.contains(&unit) => {}
            Some(unit) if wanted(&unit) => items.push(unit),
            Some(_) => {}
            None => broken = true,
        }
    }
    if record.rc != 0 && items.is_empty() {
        broken = true;
    }
    if broken {
        answer.gap(path, Reason::Malformed, "what systemd said of a unit could not be understood");
    }
    Listing { items, complete: !broken && matches!(got, Got::Here(_)) }
}

fn unit(block: &str) -> Option<Unit> {
    let mut properties: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in block.lines() {
        if let Some((name, value)) = line.split_once('=') {
            properties.entry(name).or_default().push(value);
        }
    }
    let first = |name: &str| properties.get(name).and_then(|values| values.first()).map(|value| text::line(value));
    let state = |name: &str| match first(name) {
        Some(value) if value.is_empty() => Fact::Absent,
        Some(value) => Fact::Known(value),
        None => Fact::Unread,
    };
    let listens = properties.get("Listen").into_iter().flatten().filter(|value| !value.is_empty());
    Some(Unit {
        name: first("Id").filter(|id| !id.is_empty())?,
        load: state("LoadState"),
        active: state("ActiveState"),
        enabled: state("UnitFileState"),
        listens: listens.map(|value| text::line(value.strip_suffix(" (Stream)").unwrap_or(value))).collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    const SHOWN: &str = "Id=ssh.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=ssh.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n\
        Id=ssh.socket\nListen=0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)\nLoadState=loaded\nActiveState=inactive\nUnitFileState=\n\n\
        Id=kubelet.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n";

    #[test]
    fn only_units_that_start_an_ssh_server_are_kept() {
        let units = assembled(&[record("units", "-", SHOWN)]).ssh_units;
        assert!(units.complete);
        assert_eq!(
            units.items.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>(),
            ["ssh.service", "ssh.socket"]
        );
        assert_eq!(units.items[1].listens, ["0.0.0.0:22", "[::]:22"]);
        assert_eq!((&units.items[0].enabled, &units.items[1].enabled), (&Fact::Known("enabled".into()), &Fact::Absent));
    }

    #[test]
    fn without_systemd_nothing_is_said_of_services() {
        let node = assembled(&[record("units", "u", "")]);
        assert!(!node.ssh_units.complete);
        assert!(node.unread.iter().any(|gap| gap.path == "ssh_units" && gap.reason == Reason::Unsupported));
    }

    #[test]
    fn a_block_that_was_cut_is_not_half_read() {
        let units = assembled(&[record("units", "c", SHOWN)]).ssh_units;
        assert!(!units.complete);
        assert_eq!(units.items.len(), 2);
        assert_eq!(assembled(&[record("units", "f", SHOWN)]).ssh_units.items, []);
    }
}
