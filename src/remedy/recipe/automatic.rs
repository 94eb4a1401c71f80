//! Security updates that the node installs by itself, by what its package manager has for that; the node is not restarted
//! by it.

use super::About;
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::EditError;
use crate::remedy::edit::lines::{apt_setting, apt_value, ini_setting};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;

/// Updates by themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct AutomaticOp {
    manager: Manager,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Dnf5,
}

/// What is done for `automatic-updates`.
pub(super) fn plan(about: &About<'_>) -> Result<AutomaticOp, Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let name = &node.name;
    let manager = match node.updates.manager.known().map(String::as_str) {
        Some("apt") => Manager::Apt,
        Some("dnf") => Manager::Dnf,
        Some("dnf5") => Manager::Dnf5,
        Some("tdnf") => {
            return Err(Refusal::new(format!(
                "{name}: Azure Linux has nothing that installs updates by itself. Its updates come with an upgrade of the \
                 cluster (az aksarc upgrade); else install them with `tdnf update` at set times"
            )));
        }
        Some(other) => {
            return Err(Refusal::new(format!(
                "{name}: for {other} this program has no way to switch automatic updates on. Do it as its maker says \
                 (openSUSE: the package transactional-update, or YaST's online update configuration)"
            )));
        }
        None => {
            return Err(Refusal::new(format!(
                "{name}: its package manager was not read. Scan again, with its packages"
            )));
        }
    };
    Ok(AutomaticOp { manager })
}

const APT_FILE: &str = "/etc/apt/apt.conf.d/20auto-upgrades";
/// For what a file decides that is not edited: the last one wins.
const APT_LAST: &str = "/etc/apt/apt.conf.d/99sitewarden";
const APT_FILES: &str = "/etc/apt/apt.conf.d/*";
const APT_TIMERS: [&str; 2] = ["apt-daily.timer", "apt-daily-upgrade.timer"];
const DNF_FILE: &str = "/etc/dnf/automatic.conf";

/// What is installed already says its path; else what could be installed says its version.
const APT_TOOL: &str =
    "command -v unattended-upgrade || apt-cache policy unattended-upgrades | grep Candidate: | grep -v none";
const APT_DUMP: &str = "apt-config dump";
const DNF_TOOL: &str = "command -v dnf-automatic || rpm -q dnf-automatic";
const DNF5_TOOL: &str = "rpm -q dnf5-plugin-automatic";

fn state_of(timer: &str) -> String {
    format!("systemctl is-enabled {timer}; systemctl is-active {timer}; :")
}

impl AutomaticOp {
    fn timers(&self) -> &'static [&'static str] {
        match self.manager {
            Manager::Apt => &APT_TIMERS,
            Manager::Dnf => &["dnf-automatic.timer"],
            Manager::Dnf5 => &["dnf5-automatic.timer"],
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants: Vec<Want> = self.timers().iter().map(|timer| Want::Tell(state_of(timer))).collect();
        match self.manager {
            Manager::Apt => wants.extend([
                Want::File(APT_FILE.to_owned()),
                Want::File(APT_LAST.to_owned()),
                Want::Pattern(APT_FILES.to_owned()),
                Want::Tell(APT_TOOL.to_owned()),
                Want::Tell(APT_DUMP.to_owned()),
            ]),
            Manager::Dnf => wants.extend([Want::File(DNF_FILE.to_owned()), Want::Tell(DNF_TOOL.to_owned())]),
            Manager::Dnf5 => wants.extend([Want::File(DNF_FILE.to_owned()), Want::Tell(DNF5_TOOL.to_owned())]),
        }
        wants
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let mut change = match self.manager {
            Manager::Apt => apt(fresh)?,
            Manager::Dnf => dnf(fresh, DNF_TOOL, "dnf-automatic")?,
            Manager::Dnf5 => dnf(fresh, DNF5_TOOL, "dnf5-plugin-automatic")?,
        };
        for timer in self.timers() {
            let said = fresh.told(&state_of(timer)).unwrap_or_default();
            let mut words = said.split_whitespace();
            let (enabled, active) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if enabled == "masked" {
                return Err(Refusal::new(format!(
                    "somebody has masked {timer}, so that it cannot run. If that is no longer meant: systemctl unmask {timer}"
                )));
            }
            if (enabled, active) == ("enabled", "active") {
                continue;
            }
            change.activate.push(format!("systemctl enable --now {timer}"));
            if enabled != "enabled" {
                change.deactivate.push(format!("systemctl disable {timer}"));
            }
            if active != "active" {
                change.deactivate.push(format!("systemctl stop {timer}"));
            }
            change.holds.push(format!("[ \"$(systemctl is-active {timer})\" = active ]"));
        }
        if !change.is_empty() {
            change.interrupts.push(
                "From now on services whose packages are upgraded restart when the timer runs; it may run soon. The node \
                 itself is not restarted by it"
                    .to_owned(),
            );
        }
        Ok(change)
    }
}

fn by_hand(path: &str) -> impl Fn(EditError) -> Refusal + '_ {
    move |error| Refusal::new(format!("{path}: {error}"))
}

/// State and text of a file that may be changed. Absent and empty where it is not there.
fn text<'f>(fresh: &'f Fresh, path: &str) -> Result<(State, Option<&'f str>), Refusal> {
    let refused = |why: &str| Err(Refusal::new(format!("{path} is left alone: {why}. Change it by hand")));
    match fresh.file(path) {
        Some(found) if found.trouble.is_some() => refused(found.trouble.unwrap_or_default()),
        Some(found) => match (&found.state, found.text()) {
            (Some(State::Absent), _) => Ok((State::Absent, None)),
            (Some(state @ State::File { .. }), Some(text)) => Ok((state.clone(), Some(text))),
            _ => refused("it is no plain text"),
        },
        None => refused("the node did not tell of it"),
    }
}

fn apt(fresh: &Fresh) -> Result<NodeChange, Refusal> {
    let mut change = NodeChange { within: 30, ..NodeChange::default() };
    match fresh.told(APT_TOOL).map(str::trim) {
        Some(tool) if tool.starts_with('/') => {}
        Some(candidate) if !candidate.is_empty() => {
            change.within = 600;
            change.follows = Some(super::updates::log_of("unattended-upgrades"));
            change.activate.push(super::updates::detached(
                "unattended-upgrades",
                "apt-get -q -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=120 -o \
                 Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install unattended-upgrades",
            ));
            change
                .why
                .push("unattended-upgrades is not installed yet; taking this back leaves it installed".to_owned());
        }
        _ => {
            return Err(Refusal::new(
                "unattended-upgrades is not installed, and apt knows no package of that name. When the node reaches its \
                 archive: apt-get update && apt-get install unattended-upgrades",
            ));
        }
    }
    let dump = fresh.told(APT_DUMP).unwrap_or_default();
    let counts = |key: &str| apt_value_of(dump, key);
    let mut wanted = vec![("APT::Periodic::Update-Package-Lists", "1"), ("APT::Periodic::Unattended-Upgrade", "1")];
    if counts("APT::Periodic::Enable").is_some_and(|value| matches!(value, "0" | "")) {
        wanted.push(("APT::Periodic::Enable", "1"));
    }
    if counts("Unattended-Upgrade::Automatic-Reboot")
        .is_some_and(|value| !matches!(value, "false" | "0" | "no" | "off"))
    {
        wanted.push(("Unattended-Upgrade::Automatic-Reboot", "false"));
    }
    let (mut main_state, main) = text(fresh, APT_FILE)?;
    let (last_state, last) = text(fresh, APT_LAST)?;
    let (mut main_text, mut last_text) = (main.map(str::to_owned), last.map(str::to_owned));
    for (key, value) in wanted {
        if counts(key).is_some_and(|now| now != "0" && (value == "1" || now == value)) {
            continue;
        }
        // Files that come later, and that no plain reading settles, may decide: then ours comes last.
        let later = fresh.pattern(APT_FILES).iter().filter(|file| file.path.as_str() > APT_FILE);
        let decides = later.filter_map(|file| file.text()).any(|text| match apt_value(text, key) {
            Ok(found) => found.is_some(),
            Err(_) => key.rsplit("::").take(2).all(|word| text.contains(word)),
        });
        let (path, place) = if decides { (APT_LAST, &mut last_text) } else { (APT_FILE, &mut main_text) };
        *place = Some(apt_setting(place.as_deref(), key, value).map_err(by_hand(path))?);
        // apt-config prints it so, with the quotes.
        let line = quoted(&format!("{key} \"{value}\";"));
        change.holds.push(format!("apt-config dump | grep -qxF -- {line}"));
    }
    for (path, state, was, now) in [
        (APT_FILE, std::mem::replace(&mut main_state, State::Absent), main, main_text),
        (APT_LAST, last_state, last, last_text),
    ] {
        if let Some(now) = now.filter(|now| Some(now.as_str()) != was) {
            let was = was.map(|was| was.as_bytes().to_vec());
            let mode = (state == State::Absent).then_some(0o644);
            change.files.push(FileChange::contents(path, state, was, now.into_bytes(), mode));
        }
    }
    if !change.files.is_empty() && change.activate.is_empty() {
        // What holds is asked for only where something was made effective.
        change.activate.push("apt-config dump >/dev/null".to_owned());
    }
    Ok(change)
}

/// A value in what `apt-config dump` prints.
fn apt_value_of<'d>(dump: &'d str, key: &str) -> Option<&'d str> {
    let value = dump.lines().rev().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
    Some(value.trim().trim_end_matches(';').trim_matches('"'))
}

fn dnf(fresh: &Fresh, tool: &str, package: &str) -> Result<NodeChange, Refusal> {
    let mut change = NodeChange { within: 30, ..NodeChange::default() };
    if fresh.told(tool).is_none() {
        return Err(Refusal::new(format!(
            "{package} is not installed. When the node reaches its archive: dnf install {package}; then make the plan again"
        )));
    }
    let (state, was) = text(fresh, DNF_FILE)?;
    let mut now = was.map(str::to_owned);
    for (key, value) in
        [("upgrade_type", "security"), ("download_updates", "yes"), ("apply_updates", "yes"), ("reboot", "never")]
    {
        now = Some(ini_setting(now.as_deref(), "commands", key, value).map_err(by_hand(DNF_FILE))?);
    }
    if let Some(now) = now.filter(|now| Some(now.as_str()) != was) {
        let was = was.map(|was| was.as_bytes().to_vec());
        let mode = (state == State::Absent).then_some(0o644);
        change.files.push(FileChange::contents(DNF_FILE, state, was, now.into_bytes(), mode));
    }
    Ok(change)
}
