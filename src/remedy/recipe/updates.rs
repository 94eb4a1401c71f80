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
         Empty the node first where that matters (d in the walk-through, sitewarden fix --drain, or kubectl drain)"
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

#[cfg(test)]
impl UpdatesOp {
    /// One waiting package of apt.
    pub(crate) fn sample(node: &str) -> Self {
        UpdatesOp { node: node.to_owned(), manager: Manager::Apt, packages: vec!["libssl3".to_owned()] }
    }
}

const SYSTEMD: &str = "[ -d /run/systemd/system ] && command -v systemd-run";

/// Without the second option it passes over patches that ask for a restart, without a failure. Exit statuses from 100 on say
/// that it is done and something is to be known (zypper(8), EXIT CODES): 102 that a restart of the node is asked for, 103 that
/// what zypper itself lives by was renewed, and the rest may wait.
const ZYPPER: &str = "zypper --non-interactive --non-interactive-include-reboot-patches patch --category security";

impl UpdatesOp {
    /// The command that installs, and the one that only says what would be installed. What that one writes into caches on the
    /// way must stay readable for those without rights, as whom a scan asks; what runs as root here has a closed umask.
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
                // Else it waits for another one for ever.
                "dnf -y --setopt=exit_on_lock=True upgrade --security".to_owned(),
                "umask 022; dnf -C -q --setopt=exit_on_lock=True updateinfo list --security".to_owned(),
            ),
            Manager::Tdnf => {
                ("tdnf -q -y update --security".to_owned(), "tdnf -C -q updateinfo list --security".to_owned())
            }
            Manager::Zypper => (
                format!("{ZYPPER}; RC=$?; case $RC in 102 | 103) RC=0 ;; esac; exit $RC"),
                // The variable keeps libzypp from taking its lock.
                "umask 022; ZYPP_READONLY_HACK=1 zypper -x --non-interactive --non-interactive-include-reboot-patches --no-refresh patch \
                 --dry-run --category security || [ $? -ge 100 ]"
                    .to_owned(),
            ),
        }
    }

    /// What fails where something of it waits still: a package manager whose source does not answer, or that passes over what
    /// cannot be installed, ends as if all were well.
    fn still(&self) -> Option<String> {
        let (ask, names) = match self.manager {
            // Plugins say more than the lines of three words.
            Manager::Dnf => ("dnf -C -q --setopt=exit_on_lock=True updateinfo list --security", "awk 'NF == 3'"),
            Manager::Zypper => (
                "ZYPP_READONLY_HACK=1 zypper -x -q --non-interactive --no-refresh list-patches --category security || [ $? -ge 100 ]",
                "grep -o '<update kind=\"patch\" name=\"[^\"]*\"' | cut -d '\"' -f 4",
            ),
            Manager::Apt | Manager::Tdnf => return None,
        };
        let log = log_of("updates");
        Some(format!(
            "( WAITS=$(umask 022; {ask}) || {{ echo 'what waits still could not be found out'; exit 1; }}; \
             WAITS=$(printf '%s\\n' \"$WAITS\" | {names}); \
             [ -z \"$WAITS\" ] || {{ grep -F '{RENEWED}' {log}; echo \"{STILL} $WAITS\"; exit 1; }} )"
        ))
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
        let coming: Vec<String> = match self.manager {
            Manager::Apt => said.lines().filter_map(apt_line).collect(),
            Manager::Dnf => said.lines().filter_map(advisory_line).take(200).collect(),
            // Its lines were never seen here: they are shown as they are.
            Manager::Tdnf => {
                let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.take(200).map(|line| format!("Would be installed: {line}")).collect()
            }
            Manager::Zypper => zypper_lines(said),
        };
        if coming.is_empty() {
            return Err(Refusal::new(format!(
                "{}: nothing would be installed: the packages are on hold, or are there by now. Scan again",
                self.node
            )));
        }
        let mut change = NodeChange { risk: Risk::Disruptive, one_way: true, within: WITHIN, ..NodeChange::default() };
        change.why.extend(coming);
        change.activate.push(detached("updates", &install));
        if self.manager != Manager::Apt {
            // Of a script that fails there is no word but this, and no exit status: a package of rpm counts as installed.
            change.activate.push(format!("! grep -F -B 5 'scriptlet failed' {}", log_of("updates")));
        }
        change.activate.extend(self.still());
        change.follows = Some(log_of("updates"));
        if self.manager == Manager::Apt {
            change.holds.push("[ -z \"$(dpkg --audit)\" ]".to_owned());
        }
        Ok(change)
    }
}

/// What the check says where something waits still.
const STILL: &str = "still waiting:";

/// What zypper says where it has brought itself up to date and left the rest for later.
const RENEWED: &str = "affects the package manager itself";

/// How it stands at a node where something failed that has no way back: a sentence, with what was said in it.
pub(crate) fn stays(node: &str, said: &str) -> String {
    match meaning(said) {
        Some(meaning) => format!("{node}: {meaning}. ({said})"),
        None => format!("{node}: {said}. What was done before that stays; look at the node by hand"),
    }
}

/// What it means when a package manager failed with these words, as a clause that ends in what to do. None where it is not
/// known.
fn meaning(said: &str) -> Option<&'static str> {
    // As apt 2.6, dnf 4.14, rpm 4.18 and zypper 1.14 say it.
    let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if has(&[
        "already locked by",
        "can't create transaction lock",
        "System management is locked",
        "Could not get lock",
        "Unable to acquire the dpkg frontend lock",
    ]) {
        return Some(
            "another program is busy with the node's packages, and nothing was installed. Let it end, or end it, and do this again",
        );
    }
    if has(&["scriptlet failed"]) {
        return Some(
            "a package is installed, and its own script failed: it may not work. Mend what the script says, and install the \
             package again",
        );
    }
    if has(&["Abort, retry, ignore?", "Failed to download", "Failed to fetch", "All mirrors were tried"]) {
        return Some(
            "a package could not be fetched from its source, and not all was installed. See that the node reaches it, and do this \
             again",
        );
    }
    if has(&[RENEWED]) {
        return Some(
            "the package manager itself was renewed first, as it wants it, and the rest waits. Scan again and make the plan again",
        );
    }
    if has(&[STILL]) {
        return Some(
            "the package manager ended without a failure and left some out: a source may not answer, or packages are held or in \
             conflict. Look at what it said",
        );
    }
    None
}

/// A line `RHSA-2024:0461 Important/Sec. kernel-5.14.0-362.18.1.el9_3.x86_64`, for people.
fn advisory_line(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (advisory, kind, package) = (words.next()?, words.next()?, words.next()?);
    (words.next().is_none() && kind.to_ascii_lowercase().contains("sec")).then(|| {
        let text = format!("Would be installed: {package}, or later ({advisory}, {kind})");
        text.chars().filter(|c| !c.is_control()).take(200).collect()
    })
}

/// The packages of a dry run of zypper (`-x`), for people.
fn zypper_lines(said: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut goes = false;
    for tag in said.split('<').map(str::trim_start) {
        if let Some(section) = tag.strip_prefix("to-") {
            goes = section.starts_with("remove");
        }
        if !tag.starts_with("solvable ") || !tag.contains("type=\"package\"") {
            continue;
        }
        let value = |name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(rest.split_once('"')?.0)
        };
        let (Some(name), Some(edition)) = (value("name"), value("edition")) else { continue };
        let text = match (goes, value("edition-old")) {
            (true, _) => format!("Would be removed: {name} {edition}"),
            (false, Some(old)) => format!("Would be installed: {name} {old} -> {edition}"),
            (false, None) => format!("Would be installed: {name} new -> {edition}"),
        };
        lines.push(text.chars().filter(|c| !c.is_control()).take(200).collect());
    }
    lines
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
    let text = format!("Would be installed: {name} {old} -> {new}");
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
            "Would be installed: openssl 3.0.1-1 -> 3.0.2-1"
        );
        assert_eq!(
            line("Inst linux-image-2 (6.1-2 Debian:12/stable [amd64]) []").unwrap(),
            "Would be installed: linux-image-2 new -> 6.1-2"
        );
        assert_eq!(line("Conf openssl (3.0.2-1 Debian)"), None);
        assert_eq!(line("Reading package lists..."), None);
    }

    #[test]
    fn a_list_of_advisories_is_read_and_nothing_else() {
        let line = |line| advisory_line(line);
        assert_eq!(
            line("BED-2026:0001 Important/Sec. bed-hole-1:2-1.el9.noarch").unwrap(),
            "Would be installed: bed-hole-1:2-1.el9.noarch, or later (BED-2026:0001, Important/Sec.)"
        );
        assert_eq!(line("Last metadata expiration check: 0:54:46 ago"), None);
        assert_eq!(line("BED-2026:0002 bugfix bed-hole-1:2-1.el9.noarch"), None);
    }

    #[test]
    fn a_dry_run_of_zypper_is_read_with_what_it_removes() {
        // As zypper 1.14.42 printed it.
        let said = r#"<stream><message type="info">Loading repository data...</message>
<install-summary download-size="11506" space-usage-diff="0" packages-to-change="2">
<to-upgrade>
<solvable type="package" name="bed-hole" edition="1:2-1.el9" arch="noarch" edition-old="1:1-1.el9" arch-old="noarch" summary="a hole">
<description>a hole</description></solvable>
</to-upgrade>
<to-install>
<solvable type="patch" name="BED-2026:0001" edition="2.0" arch="noarch" summary="Important: bed-hole">
<description>mends a hole</description></solvable>
</to-install>
<to-remove>
<solvable type="package" name="bed-old" edition="1-1" arch="noarch" summary="old"></solvable>
</to-remove>
</install-summary></stream>"#;
        assert_eq!(
            zypper_lines(said),
            ["Would be installed: bed-hole 1:1-1.el9 -> 1:2-1.el9", "Would be removed: bed-old 1-1"]
        );
        assert!(zypper_lines("<message type=\"info\">Nothing to do.</message>").is_empty());
    }
}
