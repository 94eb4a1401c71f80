//! Settings of sshd: the place that decides is edited, the whole configuration is tried on the node beforehand, sshd is
//! reloaded and never restarted, and a second login proves that the way in is open.

use super::sshd_options::Options;
use super::sshd_shut_out::shut_out;
use super::{About, seat};
use crate::channel::ssh::supported;
use crate::evidence::{NodeEvidence, SshdDaemon};
use crate::remedy::change::{FileChange, NodeChange, State, Validate};
use crate::remedy::edit::sshd::{SshdFile, arguments, replace_all, set};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Keywords that are given values, in every daemon of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct SshdOp {
    daemons: Vec<Daemon>,
    /// Keyword as written in sshd_config -> value.
    settings: BTreeMap<String, String>,
    /// The networks from which users may come, by AllowUsers. Empty: it is left as it is.
    from: Vec<String>,
    /// Seconds between the reload and the check may pass.
    within: u32,
    /// The ports of every sshd, where the node was read by the local channel: a fresh one proves nothing of SSH.
    local: Option<BTreeSet<u16>>,
}

/// One daemon, as far as a change must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Daemon {
    sshd: String,
    main: String,
    files: Vec<String>,
    patterns: BTreeSet<String>,
    /// Unit of the daemon that runs. None where a socket unit starts one for each connection.
    unit: Option<String>,
    /// The socket unit that holds its port. Told to read its files again, such a daemon would bind the port anew, and end.
    socket: Option<String>,
    connections: Vec<String>,
    /// What its command line says over its files.
    options: Options,
}

/// Who may log in, and from where.
const USERS: &str = "AllowUsers";

/// Time that the check after a reload may take.
const WITHIN: u32 = 15;

/// What is done for `sshd-setting`.
pub(super) fn setting(
    settings: &BTreeMap<String, String>,
    about: &About<'_>,
) -> Result<(SshdOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let daemons: Vec<Daemon> =
        node.sshd.daemons.items.iter().map(|daemon| of(node, daemon)).collect::<Result<_, _>>()?;
    if daemons.is_empty() {
        return Err(Refusal::new(format!("{}: no SSH daemon was read there. Scan again as root", node.name)));
    }
    let notes = shut_out(settings, node)?;
    let local = seat::is_local(node).then(|| seat::ports(node));
    Ok((SshdOp { daemons, settings: settings.clone(), from: Vec::new(), within: WITHIN, local }, notes))
}

/// What is done where only users from some networks may log in, by AllowUsers.
pub(super) fn sources(networks: Vec<String>, about: &About<'_>) -> Result<SshdOp, Refusal> {
    let (op, _) = setting(&BTreeMap::new(), about)?;
    Ok(SshdOp { from: networks, ..op })
}

/// AllowUsers with every user bound to networks, of what it is now. `None`: somebody may come from elsewhere by a pattern that
/// is not surely understood.
fn bound(now: &[String], networks: &[String]) -> Option<Vec<String>> {
    let all = ["*".to_owned()];
    let now = if now.is_empty() { &all[..] } else { now };
    let mut bound = Vec::new();
    for user in now {
        match user.rsplit_once('@') {
            None if !user.starts_with('!') => bound.extend(networks.iter().map(|network| format!("{user}@{network}"))),
            Some((_, network)) if networks.iter().any(|known| known == network) => bound.push(user.clone()),
            _ => return None,
        }
    }
    Some(bound)
}

/// What is done for `sshd-algorithms`: of what the daemon allows now, only what is wanted.
pub(super) fn algorithms(
    keyword: &str,
    allowed: &[String],
    without: &[String],
    about: &About<'_>,
) -> Result<(SshdOp, Vec<String>), Refusal> {
    let node = about.node.ok_or_else(|| Refusal::new("the finding is about no node that was read. Scan again"))?;
    let name = keyword.to_ascii_lowercase();
    let global = node.sshd.daemons.items.iter().find_map(|daemon| {
        let dump = daemon.dumps.items.iter().find(|dump| dump.connection.is_empty())?;
        dump.settings.known()?.get(&name).cloned()
    });
    let Some(lines) = global else {
        return Err(Refusal::new(format!(
            "{}: what sshd allows for {keyword} was not read. Scan again as root",
            node.name
        )));
    };
    let now: Vec<&str> =
        lines.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|word| !word.is_empty()).collect();
    let good = |algorithm: &&&str| {
        (allowed.is_empty() || allowed.iter().any(|known| known == **algorithm))
            && !without.iter().any(|pattern| fits(pattern, algorithm))
    };
    let left: Vec<&str> = now.iter().filter(good).copied().collect();
    let ours = supported(keyword);
    if !left.iter().any(|algorithm| ours.iter().any(|own| own == algorithm)) {
        return Err(Refusal::new(format!(
            "{}: of the {keyword} that sshd allows there ({}) none would be left that this program speaks itself ({}), so it \
             would shut itself out. Allow one of these by hand first",
            node.name,
            now.join(", "),
            ours.join(", ")
        )));
    }
    let gone: Vec<&str> = now.iter().filter(|algorithm| !left.contains(algorithm)).copied().collect();
    let settings = BTreeMap::from([(keyword.to_owned(), left.join(","))]);
    let (op, mut notes) = setting(&settings, about)?;
    notes.push(format!("Clients that speak nothing but {} cannot connect any more", gone.join(", ")));
    Ok((op, notes))
}

/// Whether an algorithm fits a pattern with `*`.
fn fits(pattern: &str, word: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == word,
        Some((before, after)) => {
            let Some(rest) = word.strip_prefix(before) else { return false };
            after.is_empty() || (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|tail| fits(after, tail)))
        }
    }
}

fn of(node: &NodeEvidence, daemon: &SshdDaemon) -> Result<Daemon, Refusal> {
    let main = daemon.config_path.clone();
    let exe = daemon.process.known().and_then(|process| process.exe.known()).or_else(|| node.sshd.binary.known());
    let Some(sshd) = exe.cloned() else {
        return Err(Refusal::new(format!("{}: which sshd runs there was not read. Scan again as root", node.name)));
    };
    if daemon.process.known().is_some_and(|process| process.unit.known().is_none()) {
        return Err(Refusal::new(format!(
            "{}: the sshd of {main} was started by no service unit, so it is not known how it is reloaded. Change it by hand",
            node.name
        )));
    }
    let unit = daemon.process.known().and_then(|process| process.unit.known()).cloned();
    // An instance (`ssh@0-10.0.0.1:22-...`) is one connection's, which a socket unit started: it reads the files anew.
    let unit = unit.filter(|unit| !unit.contains('@'));
    let holds_port = |known: &&crate::evidence::Unit| {
        known.name.ends_with(".socket") && known.active.known().is_some_and(|state| state == "active")
    };
    let socket = node.ssh_units.items.iter().find(holds_port).map(|known| known.name.clone());
    let mut patterns = BTreeSet::new();
    for line in daemon.files.items.iter().filter_map(|file| file.text.known()).flat_map(|text| text.lines()) {
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("include")) {
            patterns.extend(words.take_while(|word| !word.starts_with('#')).map(absolute));
        }
    }
    let mut connections = vec![String::new()];
    if let Some(login) = node.login.known()
        && let Some(from) = login.from.known()
        && from.parse::<std::net::IpAddr>().is_ok()
        && login.user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        connections.push(format!("user={},host={from},addr={from}", login.user));
    }
    let files = daemon.files.items.iter().map(|file| file.path.clone()).collect();
    let options = Options::of(daemon, unit.as_deref(), socket.as_deref());
    Ok(Daemon { sshd, main, files, patterns, unit, socket, connections, options })
}

fn absolute(pattern: &str) -> String {
    let pattern = pattern.trim_matches('"').trim_end_matches('\r');
    if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") }
}

impl SshdOp {
    pub(super) fn add(&mut self, other: SshdOp) {
        self.settings.extend(other.settings);
        if !other.from.is_empty() {
            self.from = other.from;
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = Vec::new();
        for daemon in &self.daemons {
            wants.push(Want::File(daemon.main.clone()));
            wants.extend(daemon.files.iter().map(|file| Want::File(file.clone())));
            wants.extend(daemon.patterns.iter().map(|pattern| Want::Pattern(pattern.clone())));
            wants.push(Want::File(OWN.to_owned()));
            wants.push(Want::Tell(daemon.options.line(self.keywords())));
        }
        wants.extend(self.local.as_ref().map(seat::want));
        wants
    }

    /// The keywords that it is about.
    fn keywords(&self) -> impl Iterator<Item = &String> + Clone {
        static NAME: LazyLock<String> = LazyLock::new(|| USERS.to_owned());
        self.settings.keys().chain((!self.from.is_empty()).then(|| &*NAME))
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        if let Some(ports) = &self.local {
            seat::refuse_unless_alone(ports, fresh)?;
        }
        let mut whole = NodeChange::default();
        for daemon in &self.daemons {
            let change = self.of_daemon(daemon, fresh)?;
            // Two daemons may read the same files: what is changed for one is changed for the other.
            let known: Vec<FileChange> = std::mem::take(&mut whole.files);
            let (mut more, same): (Vec<_>, Vec<_>) =
                change.files.iter().cloned().partition(|file| !known.iter().any(|other| other.path == file.path));
            if same.iter().any(|file| !known.contains(file)) {
                return Err(Refusal::new(
                    "two SSH daemons of this node share files and want them different. Change them by hand",
                ));
            }
            whole.files = known;
            whole.files.append(&mut more);
            whole.add(NodeChange { files: Vec::new(), ..change });
        }
        Ok(whole)
    }

    fn of_daemon(&self, daemon: &Daemon, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        daemon.options.refuse(self.keywords(), &daemon.main, fresh)?;
        let mut read: BTreeMap<&str, (SshdFile, &State)> = BTreeMap::new();
        let found = std::iter::once(&daemon.main)
            .chain(&daemon.files)
            .filter_map(|path| Some((path.as_str(), fresh.file(path)?)))
            .chain(
                daemon
                    .patterns
                    .iter()
                    .flat_map(|pattern| fresh.pattern(pattern))
                    .map(|file| (file.path.as_str(), file)),
            );
        for (path, file) in found {
            if let Some(trouble) = file.trouble {
                return Err(Refusal::new(format!("{path} is left alone: {trouble}. Change it by hand")));
            }
            let Some(state @ State::File { .. }) = &file.state else { continue };
            let text =
                file.text().ok_or_else(|| Refusal::new(format!("{path} is no plain text. Change it by hand")))?;
            read.insert(path, (SshdFile { path: path.to_owned(), text: text.to_owned() }, state));
        }
        let Some((main, _)) = read.get(daemon.main.as_str()).cloned() else {
            return Err(Refusal::new(format!("{} is not there any more. Scan again", daemon.main)));
        };
        let mut files: Vec<SshdFile> = vec![main];
        files.extend(read.iter().filter(|(path, _)| **path != daemon.main).map(|(_, (file, _))| file.clone()));
        let mut change = NodeChange { risk: Risk::CanLockOut, within: self.within, ..NodeChange::default() };
        let refused = |error: crate::remedy::edit::EditError| Refusal::new(error.to_string());
        let mut edits: Vec<(&str, Vec<String>)> = Vec::new();
        for (keyword, value) in &self.settings {
            edits.push((keyword, value.split_whitespace().map(str::to_owned).collect()));
        }
        let mut users = Vec::new();
        if !self.from.is_empty() {
            let now = arguments(&files, USERS).map_err(refused)?;
            let Some(all) = now.and_then(|now| bound(&now, &self.from)) else {
                return Err(Refusal::new(format!(
                    "{}: its AllowUsers lines have Match blocks or patterns of their own, which are a person's to change. Bind each of \
                     them to the management networks (`ops@10.0.8.0/24`), or install nft",
                    daemon.main
                )));
            };
            users.clone_from(&all);
            edits.push((USERS, all));
        }
        for (keyword, args) in edits {
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            let edit = match keyword {
                USERS => replace_all(&files, keyword, &[words.join(" ")]),
                _ => set(&files, keyword, &words),
            };
            let edit = edit.map_err(refused)?;
            for edited in edit.files {
                match files.iter_mut().find(|file| file.path == edited.path) {
                    Some(file) => file.text = edited.after,
                    None => files.push(SshdFile { path: edited.path, text: edited.after }),
                }
            }
            for why in edit.why {
                if !change.why.contains(&why) {
                    change.why.push(why);
                }
            }
        }
        for file in files {
            let before = read.get(file.path.as_str());
            if before.is_some_and(|(before, _)| before.text == file.text) {
                continue;
            }
            if file.path.starts_with("/usr/") {
                return Err(Refusal::new(format!(
                    "{} belongs to the system's package and would be lost at its next update. Copy it to /etc/ssh first",
                    file.path
                )));
            }
            let was = before.map(|(before, _)| before.text.clone().into_bytes());
            let state = match before {
                Some((_, state)) => (*state).clone(),
                None => State::Absent,
            };
            let real = fresh.file(&file.path).map_or(file.path.as_str(), |found| found.path.as_str());
            let real = if real.is_empty() { file.path.as_str() } else { real };
            change.files.push(FileChange::contents(real, state, was, file.text.into_bytes(), None));
        }
        if change.files.is_empty() {
            return Ok(NodeChange::default());
        }
        let wants = self
            .settings
            .iter()
            .map(|(keyword, value)| format!("{} {value}", crate::evidence::effective::sshd_canonical(keyword)))
            .chain(users.iter().map(|user| format!("allowusers {user}")));
        change.validate.push(Validate::Sshd {
            sshd: daemon.sshd.clone(),
            main: daemon.main.clone(),
            wants: wants.collect(),
            connections: daemon.connections.clone(),
        });
        match (&daemon.unit, &daemon.socket) {
            (Some(unit), Some(socket)) => {
                let (unit, socket) = (quoted(unit), quoted(socket));
                let (sshd, main) = (quoted(&daemon.sshd), quoted(&daemon.main));
                change.activate.push(format!("systemctl restart {unit}"));
                change.deactivate.push(format!("{sshd} -t -f {main} && systemctl restart {unit}"));
                for name in [&unit, &socket] {
                    let up = format!("[ \"$(systemctl is-active {name})\" = active ]");
                    change.holds.push(up.clone());
                    change.restored.push(up);
                }
                change.interrupts.push(format!(
                    "{unit} is started anew, since {socket} holds its port for it; connections that stand stay"
                ));
            }
            (Some(unit), None) => {
                let unit = quoted(unit);
                let (sshd, main) = (quoted(&daemon.sshd), quoted(&daemon.main));
                change.activate.push(format!("systemctl reload {unit}"));
                // Never into a configuration that somebody else broke: an sshd that runs stays as it is then.
                change.deactivate.push(format!("{sshd} -t -f {main} && systemctl reload-or-restart {unit}"));
                let up = format!("[ \"$(systemctl is-active {unit})\" = active ]");
                change.holds.push(up.clone());
                change.restored.push(up);
                change.interrupts.push(format!("{unit} reads its configuration again; connections that stand stay"));
            }
            (None, _) => {
                change.interrupts.push("Every new connection reads the configuration; those that stand stay".to_owned())
            }
        }
        Ok(change)
    }
}

/// Our own drop-in.
const OWN: &str = "/etc/ssh/sshd_config.d/00-sitewarden.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_bound_to_networks_and_what_is_not_understood_is_left() {
        let list = |words: &str| words.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
        let networks = list("10.0.8.0/24 fd00:1::/32");
        assert_eq!(bound(&[], &networks), Some(list("*@10.0.8.0/24 *@fd00:1::/32")));
        assert_eq!(
            bound(&list("ops root@10.0.8.0/24"), &networks),
            Some(list("ops@10.0.8.0/24 ops@fd00:1::/32 root@10.0.8.0/24"))
        );
        for elsewhere in ["ops@10.0.0.0/8", "ops@*", "!guest", "ops@!10.0.8.7"] {
            assert_eq!(bound(&list(elsewhere), &networks), None, "{elsewhere}");
        }
    }

    #[test]
    fn patterns_have_stars_anywhere() {
        assert!(fits("*-sha1", "diffie-hellman-group14-sha1") && fits("*group1-*", "diffie-hellman-group1-sha1"));
        assert!(fits("gss-*", "gss-gex-sha1-") && fits("umac-64*", "umac-64-etm@openssh.com") && fits("a", "a"));
        assert!(!fits("*-96", "hmac-sha1-96-etm") && !fits("gss-*", "x-gss-") && !fits("a", "ab"));
    }
}
