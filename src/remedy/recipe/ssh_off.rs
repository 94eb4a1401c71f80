//! SSH switched off: its services and sockets stopped and disabled. Nobody gets in by SSH any more, so that the proof is
//! another way in: the local channel on the node, else a code that the node shows at its console.

use super::{About, seat};
use crate::evidence::NodeEvidence;
use crate::remedy::change::{NodeChange, Proof};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use std::collections::BTreeSet;

/// Units that are stopped and disabled.
#[derive(Debug, Clone, PartialEq)]
pub struct SshOffOp {
    units: Vec<UnitOff>,
    ports: BTreeSet<u16>,
    /// Whether the person is at the local channel.
    local: bool,
}

/// One unit as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnitOff {
    name: String,
    active: bool,
    /// What `systemctl enable` is to be told to have it back: nothing, or `--runtime`. None where it is not enabled.
    enabled: Option<&'static str>,
}

impl UnitOff {
    fn is_socket(&self) -> bool {
        self.name.ends_with(".socket")
    }
}

/// Seconds that stopping and starting may take.
const WITHIN: u32 = 20;

/// What is done for `ssh-off`, and what it means for everybody.
pub(super) fn plan(about: &About<'_>) -> Result<(SshOffOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let name = &node.name;
    if !node.ssh_units.complete || !node.sshd.daemons.complete {
        return Err(Refusal::new(format!("{name}: not every unit and daemon of SSH was read. Scan again as root")));
    }
    let mut units: Vec<UnitOff> = Vec::new();
    for unit in &node.ssh_units.items {
        // Such an instance is one connection, maybe this one; it ends with it.
        if unit.name.contains('@') {
            continue;
        }
        let (Some(active), enabled) = (unit.active.known(), unit.enabled.known().map(String::as_str)) else {
            return Err(Refusal::new(format!("{name}: the state of {} was not read. Scan again as root", unit.name)));
        };
        let active = active == "active";
        let enabled = match enabled {
            Some("enabled") => Some(""),
            Some("enabled-runtime") => Some("--runtime "),
            _ => None,
        };
        if active || enabled.is_some() {
            units.push(UnitOff { name: unit.name.clone(), active, enabled });
        }
    }
    for daemon in &node.sshd.daemons.items {
        let Some(process) = daemon.process.known() else { continue };
        let unit = process.unit.known().filter(|unit| unit.ends_with(".service") && !unit.contains('@'));
        match unit {
            Some(unit) if units.iter().any(|known| known.name == *unit) => {}
            Some(unit) => units.push(UnitOff { name: unit.clone(), active: true, enabled: None }),
            None => {
                return Err(Refusal::new(format!(
                    "{name}: {} was started by no unit of its own, so it is not known how it is kept off. Stop it by hand",
                    daemon.name
                )));
            }
        }
    }
    if units.is_empty() {
        return Err(Refusal::new(format!("{name}: no unit of SSH is active or enabled there. Scan again")));
    }
    // A socket would start its service again.
    units.sort_by_key(|unit| (!unit.is_socket(), unit.name.clone()));
    let local = seat::is_local(node);
    Ok((SshOffOp { units, ports: seat::ports(node), local }, notes(node, local)))
}

fn notes(node: &NodeEvidence, local: bool) -> Vec<String> {
    let mut notes = vec![
        "What remains as a way in: the node's own console, and the cluster's API. Log in at the console first and see that it \
         works"
            .to_owned(),
        "What stops working: everything that comes by SSH, such as `az aksarc get-logs`, scp, Ansible, and nodes that are \
         reached through this one"
            .to_owned(),
    ];
    if node.users.items.iter().any(|user| user.name == "clouduser") {
        notes.push("clouduser, by whom Azure Local's support and log collection come, can no longer log in".to_owned());
    }
    if !local {
        notes.push(
            "The way back, later: at the node's console, `sitewarden undo --local`, or `systemctl enable --now` of the \
             units below"
                .to_owned(),
        );
    }
    notes
}

/// How systemd ends a unit's processes.
fn kill_mode(unit: &str) -> String {
    format!("systemctl show -p KillMode --value {}", quoted(unit))
}

impl SshOffOp {
    pub(super) fn wants(&self) -> Vec<Want> {
        let services = self.units.iter().filter(|unit| !unit.is_socket());
        let mut wants: Vec<Want> = services.map(|unit| Want::Tell(kill_mode(&unit.name))).collect();
        if self.local {
            wants.push(seat::want(&self.ports));
        }
        wants
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let mut change = NodeChange { risk: Risk::CanLockOut, within: WITHIN, ..NodeChange::default() };
        if self.local && seat::is_alone(&self.ports, fresh) {
            change.why.push(
                "You are at the node itself, and this program comes in again without SSH: that is the proof".to_owned(),
            );
        } else {
            change.proof = Proof::Console;
            let who = if self.local { "Somebody, maybe you, came" } else { "You come" };
            change.why.push(format!(
                "{who} by SSH, which ends with this. Have somebody at the node's console before you begin"
            ));
        }
        for unit in &self.units {
            let name = quoted(&unit.name);
            change.activate.push(match unit.enabled {
                Some(_) => format!("systemctl disable --now {name}"),
                None => format!("systemctl stop {name}"),
            });
            change.holds.push(format!("[ \"$(systemctl is-active {name})\" != active ]"));
            if let Some(how) = unit.enabled {
                change.deactivate.push(format!("systemctl enable {how}{name}"));
            }
            if unit.active {
                change.deactivate.push(format!("systemctl start {name}"));
                change.restored.push(format!("[ \"$(systemctl is-active {name})\" = active ]"));
            }
            let mode = fresh.told(&kill_mode(&unit.name)).map(str::trim);
            if !unit.is_socket() && unit.active && !matches!(mode, Some("process" | "none")) {
                change
                    .interrupts
                    .push(format!("When {} stops, connections that stand may end too, this one as well", unit.name));
            }
        }
        change.holds.extend(self.ports.iter().map(|port| format!("! listens {port}")));
        change
            .interrupts
            .push("Nobody can log in by SSH any more; connections that stand stay until they end".to_owned());
        Ok(change)
    }
}
