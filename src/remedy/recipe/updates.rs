//! Security updates that wait, installed now. There is no way back by this program. The package manager runs in a unit of
//! its own on the node, so that a link that drops does not break it half-way.

use super::About;
use crate::remedy::change::NodeChange;
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;

/// Updates that are installed.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatesOp {
    node: String,
    manager: Manager,
    /// Of apt: the packages.
    packages: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Tdnf,
    Zypper,
}

/// Seconds that installing may take.
const WITHIN: u32 = 1800;

/// What is done for `security-updates`, and what to know about it.
pub(super) fn plan(about: &About<'_>) -> Result<(UpdatesOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let name = &node.name;
    let manager = match node.updates.manager.known().map(String::as_str) {
        Some("apt") => Manager::Apt,
        Some("dnf" | "dnf5") => Manager::Dnf,
        Some("tdnf") => Manager::Tdnf,
        Some("zypper") => Manager::Zypper,
        Some(other) => {
            return Err(Refusal::new(format!(
                "{name}: {other} replaces the whole system image, for which a restart of the node is needed. Do it as its \
                 maker says, one node at a time"
            )));
        }
        None => {
            return Err(Refusal::new(format!(
                "{name}: its package manager was not read. Scan again, with its packages"
            )));
        }
    };
    let waiting = &node.updates.security_packages;
    let plain = |package: &&str| {
        let chars = |c: char| c.is_ascii_alphanumeric() || "+.-:_~".contains(c);
        !package.starts_with('-') && !package.is_empty() && package.chars().all(chars)
    };
    let packages: Vec<String> =
        waiting.items.iter().map(|package| package.name.as_str()).filter(plain).map(str::to_owned).collect();
    if manager == Manager::Apt && packages.is_empty() {
        return Err(Refusal::new(format!("{name}: which packages wait was not read. Scan again as root")));
    }
    let mut notes = vec![
        "There is no way back by this program: an older version is had by the package manager alone, if its archive still has it"
            .to_owned(),
        "Services whose packages are upgraded restart; where the container runtime or the kubelet is among them, pods may too. \
         Empty the node first where that matters (sitewarden fix --drain, or kubectl drain)"
            .to_owned(),
        "The node is not restarted. Where an update asks for that, the control node-reboot-not-pending says so afterwards"
            .to_owned(),
    ];
    if manager == Manager::Apt && !waiting.complete {
        notes.push(format!("More wait than are named: these {} first, then scan again", packages.len()));
    }
    if node.updates.knowledge_age_seconds.known().is_some_and(|age| *age > 7 * 86_400) {
        notes.push(
            "The node's lists of packages are older than a week: refresh them first, else newer ones are missed"
                .to_owned(),
        );
    }
    Ok((UpdatesOp { node: name.clone(), manager, packages }, notes))
}

/// The file that gets what a command says which has a unit of its own.
pub(super) fn log_of(what: &str) -> String {
    format!("/run/sitewarden-{what}.log")
}

/// A command in a unit of its own, waited for; its last lines are what it says.
pub(super) fn detached(what: &str, command: &str) -> String {
    let log = log_of(what);
    let inner = quoted(&format!("exec >{log} 2>&1 </dev/null; {command}"));
    format!(
        "( systemd-run --quiet --wait --collect --unit=sitewarden-{what} --setenv=DEBIAN_FRONTEND=noninteractive --setenv=LC_ALL=C \
         /bin/sh -c {inner}; RC=$?; tail -n 40 {log}; exit $RC )"
    )
}

const SYSTEMD: &str = "[ -d /run/systemd/system ] && command -v systemd-run";

impl UpdatesOp {
    /// The command that installs, and the one that only says what would be installed.
    fn commands(&self) -> (String, String) {
        match self.manager {
            Manager::Apt => {
                let names: Vec<String> = self.packages.iter().map(|name| quoted(name)).collect();
                let names = names.join(" ");
                (
                    format!(
                        "apt-get -q -y --no-remove -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o \
                         Dpkg::Options::=--force-confold install --only-upgrade {names}"
                    ),
                    format!("apt-get -s -q --no-remove -o Debug::NoLocking=1 install --only-upgrade {names}"),
                )
            }
            Manager::Dnf => (
                "dnf -q -y upgrade --security".to_owned(),
                "dnf -C -q --setopt=logdir=/tmp updateinfo list --security".to_owned(),
            ),
            Manager::Tdnf => {
                ("tdnf -q -y update --security".to_owned(), "tdnf -C -q updateinfo list --security".to_owned())
            }
            Manager::Zypper => (
                "zypper --non-interactive patch --category security".to_owned(),
                "zypper --non-interactive --no-refresh list-patches --category security".to_owned(),
            ),
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        vec![Want::Tell(self.commands().1), Want::Tell(SYSTEMD.to_owned())]
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let (install, dry) = self.commands();
        if fresh.told(SYSTEMD).is_none() {
            return Err(Refusal::new(format!(
                "{}: without systemd-run it could break half-way when the connection drops. At the node's console: {install}",
                self.node
            )));
        }
        let Some(said) = fresh.told(&dry) else {
            return Err(Refusal::new(format!(
                "{}: what would be installed could not be found out. Look at what this says there: {dry}",
                self.node
            )));
        };
        let coming = match self.manager {
            Manager::Apt => said.lines().filter_map(apt_line).collect(),
            _ => {
                let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.take(200).map(str::to_owned).collect::<Vec<_>>()
            }
        };
        if coming.is_empty() {
            return Err(Refusal::new(format!(
                "{}: nothing would be installed: the packages are on hold, or are there by now. Scan again",
                self.node
            )));
        }
        let mut change = NodeChange { risk: Risk::Disruptive, one_way: true, within: WITHIN, ..NodeChange::default() };
        change.why.extend(coming.into_iter().map(|line| format!("Would be installed: {line}")));
        change.activate.push(detached("updates", &install));
        change.follows = Some(log_of("updates"));
        if self.manager == Manager::Apt {
            change.holds.push("[ -z \"$(dpkg --audit)\" ]".to_owned());
        }
        Ok(change)
    }
}

/// A line `Inst openssl [3.0.1-1] (3.0.2-1 Debian-Security:12/stable [amd64])` of a dry run, for people.
fn apt_line(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Inst ")?;
    let (name, rest) = rest.split_once(' ')?;
    let (old, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?,
        None => ("new", rest),
    };
    let new = rest.strip_prefix('(')?.split(' ').next()?;
    let text = format!("{name} {old} -> {new}");
    Some(text.chars().filter(|c| !c.is_control()).take(200).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_dry_run_of_apt_is_read() {
        let line = |line| apt_line(line);
        assert_eq!(
            line("Inst openssl [3.0.1-1] (3.0.2-1 Debian-Security:12/stable [amd64])").unwrap(),
            "openssl 3.0.1-1 -> 3.0.2-1"
        );
        assert_eq!(
            line("Inst linux-image-2 (6.1-2 Debian:12/stable [amd64]) []").unwrap(),
            "linux-image-2 new -> 6.1-2"
        );
        assert_eq!(line("Conf openssl (3.0.2-1 Debian)"), None);
        assert_eq!(line("Reading package lists..."), None);
    }
}
