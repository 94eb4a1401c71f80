//! The second answer: updates that wait, as the package manager knows them without asking anybody.

use super::answer::{self, Answer, Got};
use super::frames::{Frames, Pairs};
use super::{mdatp, text};
use crate::evidence::{Fact, Listing, NodeEvidence, PendingPackage, Reason, Unread, Updates};
use std::collections::BTreeMap;

/// Packages that are listed by name.
const NAMED: usize = 100;

/// Seconds after which lists that know of no update are not believed.
const FRESH: i64 = 7 * 86_400;

/// Where the updates themselves stand.
const COUNTS: [&str; 3] = ["updates.pending", "updates.security_pending", "updates.security_packages"];

/// Adds what the second script answered. What is wrong with that answer concerns its own facts alone.
pub(super) fn fill(frames: &Frames, node: &mut NodeEvidence) {
    let mut answer = Answer::new(frames);
    node.updates = read(&mut answer, node.os.id.known().map(String::as_str));
    if node.mdatp.present != Fact::Known(false) {
        mdatp::read(&mut answer, &mut node.mdatp);
    }
    node.unread.append(&mut answer.unread);
}

/// Notes why there is no second answer, or not all of it.
pub(super) fn missing(node: &mut NodeEvidence, reason: Reason, detail: &str) {
    for path in ["updates", "mdatp"] {
        node.unread.push(Unread { path: path.to_owned(), reason, detail: detail.to_owned() });
    }
}

fn read(answer: &mut Answer<'_>, os: Option<&str>) -> Updates {
    let pairs = answer.pairs("updates", "updates", "the pending updates");
    let pairs = pairs.as_ref();
    let manager = answer.fact(pairs, "manager", "updates.manager", "the package manager", answer::word);
    if manager == Fact::Absent {
        unknown(answer, "no package manager that is known here was found");
    }
    let mut updates = Updates { manager, ..Updates::default() };
    let (Some(pairs), Fact::Known(manager)) = (pairs, &updates.manager) else { return updates };
    match manager.as_str() {
        "apt" => apt(answer, pairs, &mut updates),
        "dnf" => dnf(answer, pairs, &mut updates),
        "zypper" => zypper(answer, pairs, &mut updates, os),
        "update-engine" => update_engine(answer, &mut updates),
        other => {
            let why = format!("{other} cannot tell them without a lock, rights or the network; ask it on the node");
            unknown(answer, &why);
            answer.gap("updates.refreshed", Reason::Unsupported, &why);
        }
    }
    let now = pairs.value("time").and_then(|time| answer::time(time).known().copied());
    if let (Fact::Known(refreshed), Some(now)) = (&updates.refreshed, now) {
        // A list from the future says that one of two clocks is wrong; its age is then not known.
        match now.as_second().checked_sub(refreshed.as_second()).filter(|age| *age >= 0) {
            Some(age) => updates.knowledge_age_seconds = Fact::Known(age),
            None => answer.gap(
                "updates.knowledge_age_seconds",
                Reason::Malformed,
                "the package lists are younger than the node's clock",
            ),
        }
    } else {
        let why = "when the package lists were last fetched is not known";
        answer.gap("updates.knowledge_age_seconds", Reason::Unsupported, why);
    }
    none_of_old(answer, &mut updates);
    updates
}

/// That old lists know of no security update says nothing of today; those that they do know of wait all the same.
fn none_of_old(answer: &mut Answer<'_>, updates: &mut Updates) {
    let old = updates.knowledge_age_seconds.known().is_some_and(|age| *age > FRESH);
    if old && updates.security_pending == Fact::Known(0) {
        updates.security_pending = Fact::Unread;
        updates.security_packages = Listing::default();
        no_archive(
            answer,
            "the package lists are older than a week and know of none; fetch them on the node and scan again",
        );
    }
}

fn unknown(answer: &mut Answer<'_>, why: &str) {
    for path in COUNTS {
        answer.gap(path, Reason::Unsupported, why);
    }
}

/// When the lists were fetched; false, with gaps noted, where there are none.
fn lists(answer: &mut Answer<'_>, pairs: &Pairs, updates: &mut Updates) -> bool {
    updates.refreshed = match pairs.value("refreshed").map(answer::time) {
        Some(Fact::Known(time)) => Fact::Known(time),
        _ => Fact::Unread,
    };
    let count = |name: &str| pairs.value(name).and_then(|value| value.parse::<u64>().ok());
    let why = match (count("lists"), count("lists_closed").unwrap_or(0)) {
        (Some(0), _) => "the package lists were never fetched, or were removed; fetch them on the node and scan again",
        (Some(_), 0) => return true,
        (Some(_), _) => "some package lists may be read by root alone, and no package manager is run as root here",
        (None, _) => "the package lists were not found",
    };
    for path in COUNTS.iter().chain(&["updates.refreshed"]) {
        answer.gap(path, Reason::Unsupported, why);
    }
    false
}

/// The lines of a list that came whole; none, with gaps noted, where it did not.
fn lines(answer: &mut Answer<'_>) -> Option<Vec<String>> {
    let got = answer.got("updates.list");
    if let Got::Here(record) = &got
        && record.rc == 0
        && let Some((last, rest)) = record.lines().split_last()
        && last == "# end"
    {
        return Some(rest.iter().map(|line| text::line(line)).collect());
    }
    for path in COUNTS {
        match &got {
            Got::Here(_) => answer.gap(path, Reason::Malformed, "the package manager failed when it was asked"),
            got => answer.note(got, path, "the list of pending updates"),
        }
    }
    None
}

fn put(updates: &mut Updates, security: Vec<PendingPackage>) {
    updates.security_pending = Fact::Known(i64::try_from(security.len()).unwrap_or(i64::MAX));
    let complete = security.len() <= NAMED;
    updates.security_packages = Listing { items: security.into_iter().take(NAMED).collect(), complete };
}

fn cut(answer: &mut Answer<'_>, updates: &Updates) {
    if !updates.security_packages.complete && updates.security_pending.known().is_some() {
        answer.gap("updates.security_packages", Reason::TooLarge, "the first hundred are named");
    }
}

fn no_archive(answer: &mut Answer<'_>, why: &str) {
    answer.gap("updates.security_pending", Reason::Unsupported, why);
    answer.gap("updates.security_packages", Reason::Unsupported, why);
}

/// `Inst openssl [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])`
fn apt(answer: &mut Answer<'_>, pairs: &Pairs, updates: &mut Updates) {
    if !lists(answer, pairs, updates) {
        return;
    }
    let Some(lines) = lines(answer) else { return };
    let mut security = Vec::new();
    for line in &lines {
        match inst(line) {
            Some((package, true)) => security.push(package),
            Some((_, false)) => {}
            None => {
                for path in COUNTS {
                    answer.gap(path, Reason::Malformed, "a line of apt's that could not be understood");
                }
                return;
            }
        }
    }
    updates.pending = Fact::Known(i64::try_from(lines.len()).unwrap_or(i64::MAX));
    if pairs.value("lists_security") == Some("yes") {
        put(updates, security);
        cut(answer, updates);
    } else {
        no_archive(answer, "no security archive is among the node's package lists");
    }
}

/// A package that apt would install, and whether that closes a security hole.
fn inst(line: &str) -> Option<(PendingPackage, bool)> {
    let rest = line.strip_prefix("Inst ")?;
    let (name, rest) = rest.split_once(' ')?;
    let (installed, rest) = match rest.strip_prefix('[') {
        Some(old) => {
            let (old, rest) = old.split_once("] ")?;
            (Fact::Known(old.to_owned()), rest)
        }
        None => (Fact::Absent, rest),
    };
    let (inner, _) = rest.strip_prefix('(')?.split_once(')')?;
    let (version, archives) = inner.split_once(' ').unwrap_or((inner, ""));
    let package = PendingPackage { name: name.to_owned(), version: version.to_owned(), installed };
    Some((package, archives.contains("ecurity")))
}

/// `RHSA-2024:1234 Important/Sec. openssl-1:3.0.7-27.el9.x86_64`; one package stands under each of its advisories.
fn dnf(answer: &mut Answer<'_>, pairs: &Pairs, updates: &mut Updates) {
    if !lists(answer, pairs, updates) {
        return;
    }
    updates.pending = answer.fact(Some(pairs), "pending", "updates.pending", "the number of pending updates", |v| {
        v.parse().ok().filter(|count: &i64| *count >= 0)
    });
    let Some(lines) = lines(answer) else { return };
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for line in &lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let package = match words.as_slice() {
            [_advisory, kind, package] if kind.contains("Sec") || kind.contains("sec") => nevra(package),
            _ => None,
        };
        let Some((name, version)) = package else {
            no_archive(answer, "a line of dnf's that could not be understood");
            return;
        };
        match found.get(&name) {
            Some(known) if text::by_version(known, &version).is_ge() => {}
            _ => {
                found.insert(name, version);
            }
        }
    }
    if pairs.value("lists_security") != Some("yes") {
        no_archive(answer, "the node's package sources do not say which updates close security holes");
        return;
    }
    let packages = found.into_iter().map(|(name, version)| PendingPackage { name, version, installed: Fact::Unread });
    put(updates, packages.collect());
    cut(answer, updates);
}

/// Name with architecture, and version with release, of `openssl-1:3.0.7-27.el9.x86_64`.
fn nevra(package: &str) -> Option<(String, String)> {
    let (rest, arch) = package.rsplit_once('.')?;
    let mut parts = rest.rsplitn(3, '-');
    let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((format!("{name}.{arch}"), format!("{version}-{release}"))).filter(|_| !name.is_empty())
}

/// `<update kind="patch" name="SUSE-SLE-Module-Basesystem-15-SP5-2024-1234" edition="1" ... status="needed" category="security"
/// ...>`; what waits is a patch, which brings packages. Where zypper itself has one, the others stand in a second list.
fn zypper(answer: &mut Answer<'_>, pairs: &Pairs, updates: &mut Updates, os: Option<&str>) {
    if !lists(answer, pairs, updates) {
        return;
    }
    updates.pending = answer.fact(Some(pairs), "pending", "updates.pending", "the number of pending updates", |v| {
        v.parse().ok().filter(|count: &i64| *count >= 0)
    });
    let Some(lines) = lines(answer) else { return };
    let Some((_, lines)) = lines.split_last().filter(|(last, _)| *last == "</update-status>") else {
        return no_archive(answer, "zypper's list of patches did not come whole");
    };
    let mut patches = Vec::new();
    for line in lines {
        let value = |name: &str| attribute(line, name);
        match (value("name"), value("edition"), value("category"), value("status")) {
            (Some(name), Some(version), Some("security"), Some("needed")) => {
                let (name, version) = (name.to_owned(), version.to_owned());
                patches.push(PendingPackage { name, version, installed: Fact::Unread });
            }
            (Some(_), Some(_), Some(_), Some(_)) => {}
            _ => return no_archive(answer, "a line of zypper's that could not be understood"),
        }
    }
    // https://en.opensuse.org/Portal:Tumbleweed: a new state of everything comes, and hardly a patch.
    if os.is_some_and(|os| ["tumbleweed", "microos", "slowroll"].iter().any(|rolling| os.contains(rolling))) {
        no_archive(answer, "on a rolling release holes are closed by new versions of everything, not by patches");
    } else if pairs.value("lists_security") == Some("yes") {
        put(updates, patches);
        cut(answer, updates);
    } else {
        no_archive(answer, "the node's package sources do not say which updates close security holes");
    }
}

/// An attribute of a tag, where it is plain: no value of those that are read here needs an entity.
fn attribute<'l>(tag: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    (!value.is_empty() && !value.contains(['&', '<'])).then_some(value)
}

/// Flatcar's engine: `CURRENT_OP=UPDATE_STATUS_IDLE`, `LAST_CHECKED_TIME=1700000000`.
fn update_engine(answer: &mut Answer<'_>, updates: &mut Updates) {
    let Some(lines) = lines(answer) else { return };
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let checked = value("LAST_CHECKED_TIME").filter(|time| *time != "0").map_or(Fact::Unread, answer::time);
    let pending = match (value("CURRENT_OP"), &checked) {
        (Some("UPDATE_STATUS_IDLE"), Fact::Known(_)) => Some(0),
        (
            Some(
                "UPDATE_STATUS_UPDATE_AVAILABLE"
                | "UPDATE_STATUS_DOWNLOADING"
                | "UPDATE_STATUS_VERIFYING"
                | "UPDATE_STATUS_FINALIZING"
                | "UPDATE_STATUS_UPDATED_NEED_REBOOT",
            ),
            _,
        ) => Some(1),
        _ => None,
    };
    updates.refreshed = checked;
    match pending {
        Some(0) => {
            updates.pending = Fact::Known(0);
            put(updates, Vec::new());
        }
        Some(count) => {
            updates.pending = Fact::Known(count);
            no_archive(answer, "whether the new image closes security holes is not told; most do");
        }
        None => unknown(answer, "the update engine has not looked for updates yet"),
    }
}

#[cfg(test)]
#[path = "updates_tests.rs"]
mod tests;
