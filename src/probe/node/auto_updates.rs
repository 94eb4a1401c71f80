//! Whether the node installs updates by itself, and whether it reboots for them.

use super::answer::Answer;
use super::defences::{setting, unit_state, units_missing};
use super::frames::{Pairs, Record};
use super::host::yes_no;
use crate::evidence::{AutoUpdates, Fact, Listing, Reason, Unit};

const PATH: &str = "auto_updates";

/// What one mechanism does. None: not known.
struct Found {
    by: &'static str,
    enabled: Option<bool>,
    reboots: Option<bool>,
}

/// Reads the settings of the package manager that the node lives by, with the units that run them.
pub(super) fn read(answer: &mut Answer<'_>, units: &Listing<Unit>) -> AutoUpdates {
    let got = answer.got("auto");
    answer.note(&got, PATH, "whether updates are installed automatically");
    let Some(pairs) = got.record().map(Record::pairs) else { return AutoUpdates::default() };
    let kured = answer.fact(Some(&pairs), "kured", "auto_updates.kured", "whether kured runs", yes_no);
    let manager = answer.fact(Some(&pairs), "manager", PATH, "the package manager", super::answer::word);
    let found = match manager.known().map(String::as_str) {
        Some("apt") => apt(answer, &pairs, units),
        Some("dnf") => dnf(answer, &pairs, units, "dnf"),
        Some("dnf5") => dnf(answer, &pairs, units, "dnf5"),
        Some("transactional-update") => transactional(answer, &pairs, units),
        Some("update-engine") => flatcar(answer, &pairs, units),
        _ => {
            let detail = "of this node's package manager it is not known here how it installs updates by itself";
            answer.gap(PATH, Reason::Unsupported, detail);
            return AutoUpdates { kured, ..AutoUpdates::default() };
        }
    };
    let known = |value: Option<bool>| value.map_or(Fact::Unread, Fact::Known);
    let by = match found.enabled {
        Some(true) => Fact::Known(vec![found.by.to_owned()]),
        Some(false) => Fact::Known(Vec::new()),
        None => Fact::Unread,
    };
    let reboots_by_itself = if found.enabled == Some(false) { Fact::Absent } else { known(found.reboots) };
    AutoUpdates { enabled: known(found.enabled), reboots_by_itself, by, kured }
}

/// Whether a unit is active: None, with its gap noted, where that was not read.
fn active(answer: &mut Answer<'_>, units: &Listing<Unit>, name: &str) -> Option<bool> {
    let state = unit_state(units, name).1.known().copied();
    if state.is_none() {
        units_missing(answer, &[PATH]);
    }
    state
}

/// Debian and Ubuntu: the timer runs `unattended-upgrade` where the package is there and its interval is not 0.
fn apt(answer: &mut Answer<'_>, pairs: &Pairs, units: &Listing<Unit>) -> Found {
    let by = "unattended-upgrades";
    if pairs.value("unattended_upgrade") == Some("no") {
        return Found { by, enabled: Some(false), reboots: None };
    }
    if pairs.value("apt") != Some("yes") {
        answer.gap(PATH, Reason::Unsupported, "`apt-config` told nothing of its settings");
        return Found { by, enabled: None, reboots: None };
    }
    let on = |name: &str, default: bool| pairs.value(name).map_or(default, |value| !matches!(value, "0" | ""));
    let wanted =
        on("apt_periodic", true) && on("apt_unattended", false) && pairs.value("unattended_upgrade") == Some("yes");
    let enabled = if wanted { active(answer, units, "apt-daily-upgrade.timer") } else { Some(false) };
    Found { by, enabled, reboots: Some(pairs.value("apt_reboot").is_some_and(truth)) }
}

/// As apt reads a truth value; what it does not know it takes for the default, no.
fn truth(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "enable" | "with")
        || value.parse::<i64>().is_ok_and(|number| number != 0)
}

/// Red Hat's kind: a timer, and `apply_updates` in its configuration (the `-install` timer installs whatever that says).
fn dnf(answer: &mut Answer<'_>, pairs: &Pairs, units: &Listing<Unit>, tool: &str) -> Found {
    let by = if tool == "dnf5" { "dnf5-automatic" } else { "dnf-automatic" };
    let plain = active(answer, units, &format!("{by}.timer"));
    let install = if tool == "dnf5" { Some(false) } else { active(answer, units, "dnf-automatic-install.timer") };
    let apply = setting(answer, pairs, &format!("{tool}_apply"), PATH, "the settings of automatic updates");
    let applies = apply.ok().map(|value| value.is_some_and(|word| truth(&word)));
    let enabled = match (install, plain, applies) {
        (Some(true), _, _) | (_, Some(true), Some(true)) => Some(true),
        (Some(false), Some(false), _) | (Some(false), _, Some(false)) => Some(false),
        _ => None,
    };
    let reboot = setting(answer, pairs, &format!("{tool}_reboot"), PATH, "the settings of automatic updates");
    let reboots = reboot.ok().map(|value| value.is_some_and(|word| word != "never"));
    Found { by, enabled, reboots }
}

/// SUSE's transactional systems: a timer, and the method by which they reboot into what it installed.
fn transactional(answer: &mut Answer<'_>, pairs: &Pairs, units: &Listing<Unit>) -> Found {
    let enabled = active(answer, units, "transactional-update.timer");
    let method = setting(answer, pairs, "transactional_reboot", PATH, "how the node reboots for updates");
    let reboots = match method.ok().map(|value| value.unwrap_or_else(|| "auto".to_owned())).as_deref() {
        // kured asks the cluster first; `notify` asks a person.
        Some("kured" | "none" | "notify") => Some(false),
        Some("auto" | "rebootmgr" | "systemd" | "kexec") => Some(true),
        _ => None,
    };
    if reboots.is_none() {
        answer.gap("auto_updates.reboots_by_itself", Reason::Unsupported, "a way to reboot that is not known here");
    }
    Found { by: "transactional-update", enabled, reboots }
}

/// Flatcar: the update engine installs, locksmith reboots unless its strategy is off.
fn flatcar(answer: &mut Answer<'_>, pairs: &Pairs, units: &Listing<Unit>) -> Found {
    let running = active(answer, units, "update-engine.service");
    let server = setting(answer, pairs, "flatcar_server", PATH, "the update server");
    let enabled = match (running, server) {
        (Some(running), Ok(server)) => Some(running && server.as_deref() != Some("disabled")),
        _ => None,
    };
    let locksmith = active(answer, units, "locksmithd.service");
    let strategy = setting(answer, pairs, "flatcar_strategy", PATH, "the reboot strategy");
    let reboots = match (locksmith, strategy) {
        (Some(false), _) => Some(false),
        (Some(true), Ok(strategy)) => Some(strategy.as_deref() != Some("off")),
        _ => None,
    };
    Found { by: "update-engine", enabled, reboots }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    fn told(auto: &str, active: &[&str]) -> AutoUpdates {
        let units: String = active
            .iter()
            .map(|unit| format!("Id={unit}\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"))
            .collect();
        let ssh = "Id=ssh.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";
        assembled(&[record("units", "-", &format!("{units}{ssh}")), record("auto", "-", auto)]).auto_updates
    }

    fn outcome(auto: &str, active: &[&str]) -> (Fact<bool>, Fact<bool>) {
        let found = told(auto, active);
        (found.enabled, found.reboots_by_itself)
    }

    const YES: Fact<bool> = Fact::Known(true);
    const NO: Fact<bool> = Fact::Known(false);

    #[test]
    fn debian_installs_by_itself_only_where_package_setting_and_timer_agree() {
        let timer: &[&str] = &["apt-daily-upgrade.timer"];
        let on = "manager=apt\napt=yes\napt_unattended=1\nunattended_upgrade=yes\nkured=no\n";
        assert_eq!(outcome(on, timer), (YES, NO));
        assert_eq!(told(on, timer).by, Fact::Known(vec!["unattended-upgrades".to_owned()]));
        assert_eq!(outcome(&format!("{on}apt_reboot=true\n"), timer), (YES, YES));
        assert_eq!(outcome(on, &[]), (NO, Fact::Absent));
        assert_eq!(outcome(&format!("{on}apt_periodic=0\n"), timer), (NO, Fact::Absent));
        assert_eq!(outcome(&on.replace("unattended=1", "unattended=0"), timer), (NO, Fact::Absent));
        assert_eq!(outcome(&on.replace("upgrade=yes", "upgrade=no"), timer), (NO, Fact::Absent));
        assert_eq!(outcome("manager=apt\nunattended_upgrade=no\nkured=no\n", timer), (NO, Fact::Absent));
        assert_eq!(outcome("manager=apt\nunattended_upgrade=yes\napt!unsupported\n", timer).0, Fact::Unread);
    }

    #[test]
    fn other_systems_have_their_own_ways() {
        let dnf = "manager=dnf\ndnf_apply=yes\ndnf_reboot=never\nkured=no\n";
        assert_eq!(outcome(dnf, &["dnf-automatic.timer"]), (YES, NO));
        assert_eq!(outcome(&dnf.replace("apply=yes", "apply=no"), &["dnf-automatic.timer"]), (NO, Fact::Absent));
        assert_eq!(outcome(&dnf.replace("apply=yes", "apply=no"), &["dnf-automatic-install.timer"]).0, YES);
        assert_eq!(outcome(&dnf.replace("never", "when-needed"), &["dnf-automatic.timer"]), (YES, YES));
        assert_eq!(outcome("manager=dnf\ndnf_apply!forbidden\n", &["dnf-automatic.timer"]).0, Fact::Unread);
        let micro = "manager=transactional-update\ntransactional_reboot!absent\nkured=yes\n";
        assert_eq!(outcome(micro, &["transactional-update.timer"]), (YES, YES));
        assert_eq!(outcome(&micro.replace("!absent", "=kured"), &["transactional-update.timer"]), (YES, NO));
        assert_eq!(told(micro, &[]).kured, YES);
        let flatcar = "manager=update-engine\nflatcar_strategy=off\nflatcar_server!absent\nkured=no\n";
        assert_eq!(outcome(flatcar, &["update-engine.service", "locksmithd.service"]), (YES, NO));
        assert_eq!(
            outcome(&flatcar.replace("=off", "=reboot"), &["update-engine.service", "locksmithd.service"]),
            (YES, YES)
        );
        assert_eq!(outcome("manager=tdnf\nkured=no\n", &[]), (Fact::Unread, Fact::Unread));
    }

    #[test]
    fn without_units_it_is_not_known() {
        let body = "manager=apt\napt=yes\napt_unattended=1\nunattended_upgrade=yes\nkured=no\n";
        let node = assembled(&[record("units", "u", ""), record("auto", "-", body)]);
        assert_eq!(node.auto_updates.enabled, Fact::Unread);
        assert!(node.unread.iter().any(|gap| gap.path == PATH && gap.reason == Reason::Unsupported));
    }
}
