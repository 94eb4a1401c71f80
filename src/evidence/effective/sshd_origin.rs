//! Who set an sshd setting: the line of the configuration that agrees with what `sshd -T` printed.

use super::sshd_config::{Directive, SshdConfig};
use super::sshd_keywords::{Keyword, Kind, seconds};
use super::sshd_match::Applies;
use std::sync::Arc;

/// What is said where our reading of the files does not explain what `sshd -T` printed.
const ONLY_DUMP: &str = "sshd -T";
/// Most lines named in one origin.
const NAMED: usize = 3;
/// Most lines of one list that are compared with what was printed.
const COMPARED: usize = 200;

/// The origin of settings of one daemon.
pub(super) struct Origins<'a> {
    /// Its files.
    pub(super) config: &'a SshdConfig,
    /// Whether all of its files were read.
    pub(super) complete: bool,
    /// `default of OpenSSH_9.2p1`, or what stands for it.
    pub(super) default: Arc<str>,
}

impl Origins<'_> {
    /// The origin of a keyword's value: `printed` is what `sshd -T` printed, line by line, for the connection for which
    /// the Match blocks answer so.
    pub(super) fn of(&self, keyword: Keyword, printed: &[String], answers: &[Applies]) -> Arc<str> {
        let mut lines: Vec<(&Directive, Applies)> = self
            .config
            .settings_for(keyword.name)
            .map(|line| (line, self.config.applies(line, answers)))
            .filter(|(_, applies)| *applies != Applies::No)
            .collect();
        // sshd reads Match blocks for the connection, and what they set stands over the rest of the file.
        lines.sort_by_key(|(line, _)| line.inside.is_empty());
        if keyword.accumulates { self.of_list(&lines, printed) } else { self.of_one(keyword, &lines, printed) }
    }

    fn of_one(&self, keyword: Keyword, lines: &[(&Directive, Applies)], printed: &[String]) -> Arc<str> {
        let mut possible = None;
        for (number, (line, applies)) in lines.iter().enumerate() {
            let agrees = agrees(keyword.kind, &line.args, printed);
            match (applies, agrees) {
                (Applies::Yes, true) if possible.is_none() => return self.with_losers(number, lines),
                // It may come from the line that may apply, or from this one.
                (Applies::Yes, true) => return ONLY_DUMP.into(),
                (Applies::Yes, false) => {
                    return possible.map_or_else(|| ONLY_DUMP.into(), |number| self.with_losers(number, lines));
                }
                (Applies::Unknown, true) => {
                    possible.get_or_insert(number);
                }
                (Applies::Unknown | Applies::No, _) => {}
            }
        }
        match possible {
            // The default may be the same as what the line says that may apply.
            Some(_) => ONLY_DUMP.into(),
            None if self.complete && self.config.is_whole() => Arc::clone(&self.default),
            None => ONLY_DUMP.into(),
        }
    }

    fn with_losers(&self, winner: usize, lines: &[(&Directive, Applies)]) -> Arc<str> {
        let Some((line, _)) = lines.get(winner) else { return ONLY_DUMP.into() };
        let losers: Vec<String> = lines.iter().skip(winner + 1).map(|(other, _)| self.place(other)).collect();
        let place = self.place(line);
        if losers.is_empty() { place.into() } else { format!("{place} (overrides {})", join(&losers)).into() }
    }

    fn of_list(&self, lines: &[(&Directive, Applies)], printed: &[String]) -> Arc<str> {
        if lines.iter().any(|(_, applies)| *applies == Applies::Unknown) {
            return ONLY_DUMP.into();
        }
        // Where a Match block that applies sets the list, it replaces the one of the rest of the file.
        let inside: Vec<&Directive> =
            lines.iter().filter(|(line, _)| !line.inside.is_empty()).map(|(line, _)| *line).collect();
        let setting = if inside.is_empty() { lines.iter().map(|(line, _)| *line).collect() } else { inside };
        let words: Vec<&str> = printed.iter().flat_map(|line| line.split_whitespace()).collect();
        let explained = setting.len() <= COMPARED
            && setting.iter().all(|line| {
                // ListenAddress is printed with its port, Subsystem and SetEnv with more than the first word.
                line.args.first().is_none_or(|arg| words.iter().any(|word| word.contains(arg.as_str())))
            });
        match setting.is_empty() {
            true if self.complete && self.config.is_whole() => Arc::clone(&self.default),
            false if explained => join(&setting.iter().map(|line| self.place(line)).collect::<Vec<_>>()).into(),
            _ => ONLY_DUMP.into(),
        }
    }

    fn place(&self, line: &Directive) -> String {
        let place = format!("{} line {}", line.place.file, line.place.line);
        match line.inside.last().and_then(|number| self.config.matches().get(*number)) {
            Some(block) => format!("{place} ({})", block.text),
            None => place,
        }
    }
}

fn join(places: &[String]) -> String {
    let named = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    match places.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// Whether a line's arguments can have led to what was printed. Texts that sshd prints in another form than they were
/// written (a size in bytes) do not agree: then nobody is named.
fn agrees(kind: Kind, args: &[String], printed: &[String]) -> bool {
    let Some(first) = args.first() else { return false };
    let printed = printed.join(" ");
    let same = || args.join(" ").eq_ignore_ascii_case(&printed);
    match kind {
        Kind::Word => word(first) == word(&printed),
        Kind::Int => same(),
        Kind::Seconds => match (seconds(first), seconds(&printed)) {
            (Some(a), Some(b)) => a == b,
            _ => same(),
        },
        // `+`, `-` and `^` change the default list, and patterns in it are expanded.
        Kind::Algorithms => first.starts_with(['+', '-', '^']) || first.contains('*') || same(),
        Kind::Startups => first == &printed || startups(first).is_some_and(|parts| Some(parts) == startups(&printed)),
        Kind::Words => same() || args.iter().all(|arg| printed.contains(arg.as_str())),
        Kind::Text | Kind::Lines | Kind::Ports => same(),
    }
}

/// A word as `sshd -T` of today prints it.
pub(super) fn word(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "without-password" => "prohibit-password".to_owned(),
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        _ => text,
    }
}

/// `start:rate:full`, or `full` alone.
pub(super) fn startups(text: &str) -> Option<(i64, i64, i64)> {
    let parts: Vec<i64> = text.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [full] => Some((*full, 100, *full)),
        [start, rate, full] => Some((*start, *rate, *full)),
        _ => None,
    }
}
