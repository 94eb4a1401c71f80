//! Files of one setting a line: apt's `20auto-upgrades`, dnf's `automatic.conf`, `/etc/default/kubelet`.

use super::EditError;
use super::splice::{Splices, line_end};
use std::ops::Range;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    section: String,
    key: String,
    value: String,
    /// Its bytes in the text, quotes included.
    range: Range<usize>,
    line: usize,
    quote: Option<char>,
}

/// Sets `KEY "VALUE";` in a file of apt's settings (`text`: None where it is not there): in the last line that has the
/// key, which is the one that counts, else in a new last line. Only files of such lines and comments are understood.
pub fn apt_setting(text: Option<&str>, key: &str, value: &str) -> Result<String, EditError> {
    let line = format!("{key} \"{value}\";");
    let hand = format!("write `{line}` into it by hand");
    let name = |c: char| c.is_ascii_alphanumeric() || ":-_./".contains(c);
    if key.is_empty() || !key.chars().all(name) || value.contains(|c: char| c.is_control() || "\"\\".contains(c)) {
        return Err(EditError::new("the setting cannot be written in apt's form", hand));
    }
    let text = text.unwrap_or_default();
    let settings = apt_settings(text, &hand)?;
    let same = |one: &Setting| one.key.eq_ignore_ascii_case(key);
    let place = settings.iter().rposition(same);
    let after = match place.and_then(|place| settings.get(place)) {
        Some(setting) if setting.value == value => return Ok(text.to_owned()),
        Some(setting) => replaced(text, setting, &format!("\"{value}\""), &hand)?,
        None => appended(text, &[&line]),
    };
    check(&settings, &apt_settings(&after, &hand)?, place, value, &hand)?;
    Ok(after)
}

/// The value that counts of a key in a file of apt's settings. None where it is not set there.
pub fn apt_value(text: &str, key: &str) -> Result<Option<String>, EditError> {
    let settings = apt_settings(text, &format!("look up {key} by hand, for example with `apt-config dump`"))?;
    Ok(settings.into_iter().rfind(|one| one.key.eq_ignore_ascii_case(key)).map(|one| one.value))
}

fn apt_settings(text: &str, hand: &str) -> Result<Vec<Setting>, EditError> {
    let mut settings = Vec::new();
    for (number, (start, line)) in starts(text).enumerate() {
        let body = line.trim();
        let directive = ["#clear", "#include", "#x-apt"].iter().any(|word| body.to_ascii_lowercase().starts_with(word));
        if body.is_empty() || body.starts_with("//") || (body.starts_with('#') && !directive) {
            continue;
        }
        let read = || {
            let (key, rest) = body.split_once([' ', '\t'])?;
            let rest = rest.trim_start();
            let value = rest.strip_prefix('"')?;
            let (value, tail) = value.split_once('"')?;
            let tail = tail.trim_start().strip_prefix(';')?.trim_start();
            let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || ":-_./".contains(c)) && !value.contains('\\');
            if !plain || !(tail.is_empty() || tail.starts_with("//") || tail.starts_with('#')) {
                return None;
            }
            let at = start + line.find('"')?;
            let (key, value) = (key.to_owned(), value.to_owned());
            let range = at..at + value.len() + 2;
            Some(Setting { section: String::new(), key, value, range, line: number + 1, quote: Some('"') })
        };
        match read() {
            Some(setting) => settings.push(setting),
            None => return Err(EditError::new("the line is no `Key \"value\";`", hand).at_line(number + 1)),
        }
    }
    Ok(settings)
}

/// Sets a key of a section of an INI file (`text`: None where it is not there), as dnf's `automatic.conf` is. A missing
/// key comes behind the section's last one, a missing section at the end.
pub fn ini_setting(text: Option<&str>, section: &str, key: &str, value: &str) -> Result<String, EditError> {
    let hand = format!("write `{key} = {value}` under [{section}] by hand");
    let odd = |text: &str| text.trim() != text || text.contains(char::is_control);
    let name = |text: &str| !text.is_empty() && !odd(text) && !text.contains(['[', ']', '=', ':', '#', ';']);
    if !name(section) || !name(key) || odd(value) {
        return Err(EditError::new("the setting cannot be written in an INI file", hand));
    }
    let text = text.unwrap_or_default();
    let (settings, sections) = ini_settings(text, &hand)?;
    let place = settings.iter().position(|one| one.section == section && one.key.eq_ignore_ascii_case(key));
    let line = format!("{key} = {value}");
    let head = sections.iter().find(|(name, _)| name == section);
    let last = settings.iter().rfind(|one| one.section == section).map(|one| one.range.end);
    let after = match (place.and_then(|place| settings.get(place)), head) {
        (Some(setting), _) if setting.value == value => return Ok(text.to_owned()),
        (Some(setting), _) => {
            let bare = setting.range.is_empty()
                && !value.is_empty()
                && text.get(..setting.range.start).is_some_and(|t| t.ends_with('='));
            replaced(text, setting, &if bare { format!(" {value}") } else { value.to_owned() }, &hand)?
        }
        (None, Some((_, head))) => {
            let at = last.unwrap_or(*head);
            let mut splices = Splices::default();
            let end = at + text.get(at..).and_then(|rest| rest.find(['\r', '\n'])).unwrap_or(text.len() - at);
            splices.insert(end, format!("{}{line}", line_end(text)));
            splices.apply(text).map_err(|trouble| trouble.with(&hand))?
        }
        (None, None) if text.is_empty() => format!("[{section}]\n{line}\n"),
        (None, None) => appended(text, &["", &format!("[{section}]"), &line]),
    };
    check(&settings, &ini_settings(&after, &hand)?.0, place, value, &hand)?;
    Ok(after)
}

/// The value of a key of a section of an INI file. None where it is not set.
pub fn ini_value(text: &str, section: &str, key: &str) -> Result<Option<String>, EditError> {
    let (settings, _) = ini_settings(text, &format!("look up {key} under [{section}] by hand"))?;
    Ok(settings
        .into_iter()
        .find(|one| one.section == section && one.key.eq_ignore_ascii_case(key))
        .map(|one| one.value))
}

/// Each section with where its head ends.
type Sections = Vec<(String, usize)>;

fn ini_settings(text: &str, hand: &str) -> Result<(Vec<Setting>, Sections), EditError> {
    let (mut settings, mut sections): (Vec<Setting>, Sections) = (Vec::new(), Vec::new());
    for (number, (start, line)) in starts(text).enumerate() {
        let wrong = |what: &str| Err(EditError::new(what, hand).at_line(number + 1));
        let body = line.trim();
        if body.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            return wrong("the line is indented, so that it may go on with the one above");
        }
        if let Some(rest) = body.strip_prefix('[') {
            match rest.strip_suffix(']') {
                Some(name) if !name.is_empty() && sections.iter().all(|(other, _)| other != name) => {
                    sections.push((name.to_owned(), start + line.trim_end().len()));
                    continue;
                }
                Some(_) => return wrong("the section stands there twice"),
                None => return wrong("the head of a section is not understood"),
            }
        }
        let (Some((section, _)), Some((key, value))) = (sections.last(), body.split_once(['=', ':'])) else {
            return wrong("the line is no `key = value` of a section");
        };
        let key = key.trim();
        if settings.iter().any(|one| one.section == *section && one.key.eq_ignore_ascii_case(key)) {
            return wrong("the key stands there twice");
        }
        let end = start + line.trim_end().len();
        let trimmed = value.trim();
        let range = end - trimmed.len()..end;
        let (section, key, value) = (section.clone(), key.to_owned(), trimmed.to_owned());
        settings.push(Setting { section, key, value, range, line: number + 1, quote: None });
    }
    Ok((settings, sections))
}

/// The value of a variable in a file that systemd reads as `EnvironmentFile` (`/etc/default/kubelet`), quotes taken
/// off; the last line that sets it counts. None where none does. An error where its quoting is not surely understood.
pub fn shell_variable(text: &str, name: &str) -> Result<Option<String>, EditError> {
    let settings = shell_settings(text, name, &format!("look up {name} by hand"))?;
    Ok(settings.into_iter().next_back().map(|one| one.value))
}

/// Sets a variable in such a file (`text`: None where it is not there), in the last line that sets it, else in a new
/// last one. An error where the old or the new value has quotes, escapes or `$` in it.
pub fn set_shell_variable(text: Option<&str>, name: &str, value: &str) -> Result<String, EditError> {
    let hand = format!("set {name} to `{value}` in it by hand");
    let special = |value: &str| value.contains(|c: char| c.is_control() || "\"'\\$`".contains(c));
    let word =
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || !word || special(value) {
        return Err(EditError::new("the value has quotes or signs in it that a shell would read", hand));
    }
    let text = text.unwrap_or_default();
    let settings = shell_settings(text, name, &hand)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let written = |quote: Option<char>| match quote {
        Some(quote) => format!("{quote}{value}{quote}"),
        None if value.chars().all(plain) => value.to_owned(),
        None => format!("\"{value}\""),
    };
    let place = settings.len().checked_sub(1);
    let after = match settings.last() {
        Some(setting) if setting.value == value => return Ok(text.to_owned()),
        Some(setting) if special(&setting.value) => {
            return Err(EditError::new("quotes stand inside of quotes", hand).at_line(setting.line));
        }
        Some(setting) => replaced(text, setting, &written(setting.quote), &hand)?,
        None => appended(text, &[&format!("{name}={}", written(None))]),
    };
    check(&settings, &shell_settings(&after, name, &hand)?, place, value, &hand)?;
    Ok(after)
}

/// The lines that set one variable. Lines that go on in the next one are not understood.
fn shell_settings(text: &str, name: &str, hand: &str) -> Result<Vec<Setting>, EditError> {
    let mut settings = Vec::new();
    for (number, (start, line)) in starts(text).enumerate() {
        let wrong = |what: &str| Err(EditError::new(what, hand).at_line(number + 1));
        let body = line.trim_start();
        if body.is_empty() || body.starts_with(['#', ';']) {
            continue;
        }
        if line.ends_with('\\') {
            return wrong("the line goes on in the next one");
        }
        let Some((key, value)) = body.split_once('=') else { return wrong("the line sets no variable") };
        let open = |quote: char| value.starts_with(quote) && !value.get(1..).unwrap_or_default().contains(quote);
        if open('"') || open('\'') {
            return wrong("a quote is not closed on its line");
        }
        if key.trim() != name {
            if key.split_whitespace().any(|word| word == name) {
                return wrong("the variable is set in a form that only a shell reads");
            }
            continue;
        }
        let trimmed = value.trim();
        let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = match quote {
            Some(quote) => trimmed.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)),
            None => Some(trimmed),
        };
        let clear = |inner: &&str| match quote {
            Some(quote) => !inner.contains([quote, '\\', '$', '`']),
            None => !inner.contains(['"', '\'', '\\', '$', '`', '#', ';']),
        };
        let Some(inner) = inner.filter(clear) else { return wrong("the quoting of the value is not understood") };
        let at = start + line.len() - value.trim_start().len();
        let range = at..at + trimmed.len();
        let (key, value) = (name.to_owned(), inner.to_owned());
        settings.push(Setting { section: String::new(), key, value, range, line: number + 1, quote });
    }
    Ok(settings)
}

/// Lines without their ends, and where each begins.
fn starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, whole| {
        let start = *at;
        *at += whole.len();
        Some((start, whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line))))
    })
}

fn replaced(text: &str, setting: &Setting, value: &str, hand: &str) -> Result<String, EditError> {
    let mut splices = Splices::default();
    splices.replace(setting.range.start, setting.range.end, value);
    splices.apply(text).map_err(|trouble| trouble.with(hand))
}

/// The text with lines behind it; without a last line end where it had none.
fn appended(text: &str, lines: &[&str]) -> String {
    let eol = line_end(text);
    let lines = lines.join(eol);
    if text.is_empty() || text.ends_with('\n') { format!("{text}{lines}{eol}") } else { format!("{text}{eol}{lines}") }
}

/// Holds what was read afterwards against what was read before: `place` (or one more) has the value, nothing else is
/// different.
fn check(
    before: &[Setting],
    after: &[Setting],
    place: Option<usize>,
    value: &str,
    hand: &str,
) -> Result<(), EditError> {
    let pair = |one: &Setting| (one.section.clone(), one.key.clone(), one.value.clone());
    let mut old: Vec<_> = before.iter().map(pair).collect();
    let mut new: Vec<_> = after.iter().map(pair).collect();
    let now = match place {
        Some(place) if old.len() == new.len() => {
            old.remove(place);
            Some(new.remove(place))
        }
        Some(_) => None,
        None => new.iter().position(|one| !old.contains(one)).map(|at| new.remove(at)),
    };
    if now.is_some_and(|(_, _, now)| now == value) && old == new {
        return Ok(());
    }
    Err(EditError::new("the change would not do just what was asked", hand))
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
