//! Lines of an `authorized_keys` file: a key taken out, or bound to the addresses that it may be used from.
//!
//! A line is read as sshd reads it: options (quoted blanks and commas belong to them), kind, key, comment.

use super::EditError;
use super::splice::Splices;
use std::ops::Range;

/// The fingerprint of the key on a line, as `ssh-keygen -l` prints it: `SHA256:...`. None: no key stands there, or a
/// certificate.
pub fn fingerprint(line: &str) -> Option<String> {
    KeyLine::read(line).map(|key| key.fingerprint)
}

/// Takes out every line whose key has this fingerprint (`SHA256:...`). Gives the same text where none has.
///
/// An error where none has and there is a line that is not understood.
pub fn remove_key(text: &str, fingerprint: &str) -> Result<String, EditError> {
    let hand = format!("take the key {fingerprint} out of the file by hand; `ssh-keygen -lf FILE` names the keys");
    let mut splices = Splices::default();
    let mut found = false;
    for (range, line) in lines(text) {
        if KeyLine::read(line).is_some_and(|key| key.fingerprint == fingerprint) {
            found = true;
            splices.replace(range.start, range.end, "");
        }
    }
    if !found {
        return match odd_line(text) {
            Some(number) => Err(EditError::new("the line is no key that is understood", hand).at_line(number)),
            None => Ok(text.to_owned()),
        };
    }
    let after = splices.apply(text).map_err(|trouble| trouble.with(&hand))?;
    let kept = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| self::fingerprint(line).as_deref() != Some(fingerprint));
        lines.map(str::to_owned).collect()
    };
    if after.lines().eq(kept(text)) { Ok(after) } else { Err(EditError::new("another line would change too", hand)) }
}

/// Lets the key with this fingerprint be used only from these addresses or patterns (`10.0.0.0/8`, `*.example.org`,
/// `!10.0.0.9`): its `from` option is added, or replaced. Gives the same text where it says so already.
///
/// An error where no line has the key, where its line is not surely understood, or a pattern cannot be written.
pub fn restrict_from(text: &str, fingerprint: &str, patterns: &[String]) -> Result<String, EditError> {
    let from = patterns.join(",");
    let option = format!("from=\"{from}\"");
    let hand = format!("put {option} before the key {fingerprint} by hand");
    let writable = |pattern: &String| {
        !pattern.is_empty() && !pattern.contains(|c: char| c.is_control() || c.is_whitespace() || "\",\\'".contains(c))
    };
    if patterns.is_empty() || !patterns.iter().all(writable) {
        return Err(EditError::new("the addresses cannot be written in a `from` option", hand));
    }
    let mut splices = Splices::default();
    let mut found = false;
    for (number, (range, line)) in lines(text).enumerate() {
        let Some(key) = KeyLine::read(line).filter(|key| key.fingerprint == fingerprint) else { continue };
        found = true;
        let wrong = |what: &str| Err(EditError::new(what, &hand).at_line(number + 1));
        let present: Vec<&(String, Range<usize>)> = key.options.iter().filter(|(name, _)| name == "from").collect();
        match (present.as_slice(), key.options.first()) {
            ([], None) => splices.insert(range.start + key.start, format!("{option} ")),
            ([], Some((_, first))) => splices.insert(range.start + first.start, format!("{option},")),
            ([(_, own)], _) => splices.replace(range.start + own.start, range.start + own.end, option.clone()),
            _ => return wrong("the key has several `from` options, which sshd refuses"),
        }
    }
    if !found {
        let error = EditError::new("no line has this key", hand);
        return Err(match odd_line(text) {
            Some(number) => error.at_line(number),
            None => error,
        });
    }
    let after = splices.apply(text).map_err(|trouble| trouble.with(&hand))?;
    let holds = text.lines().count() == after.lines().count()
        && text.lines().zip(after.lines()).all(|(before, after)| match (KeyLine::read(before), KeyLine::read(after)) {
            (Some(old), Some(new)) if old.fingerprint == fingerprint => {
                let others = |key: &KeyLine, line: &str| -> Vec<String> {
                    let others = key.options.iter().filter(|(name, _)| name != "from");
                    others.filter_map(|(_, range)| line.get(range.clone()).map(str::to_owned)).collect()
                };
                let rest = before.get(old.start..) == after.get(new.start..);
                let own = new.options.iter().any(|(_, range)| after.get(range.clone()) == Some(option.as_str()));
                new.fingerprint == fingerprint && rest && own && others(&old, before) == others(&new, after)
            }
            _ => before == after,
        });
    if holds { Ok(after) } else { Err(EditError::new("something else would change too", hand)) }
}

/// Each line: its bytes with the line end, and its text without.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.split_inclusive('\n').scan(0, |at, whole| {
        let start = *at;
        *at += whole.len();
        let line = whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
        Some((start..*at, line))
    })
}

/// The number of the first line that is neither a key nor a comment.
fn odd_line(text: &str) -> Option<usize> {
    let odd = |line: &str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && KeyLine::read(line).is_none()
    };
    text.lines().position(odd).map(|at| at + 1)
}

/// Names in lower case, and where each stands with its value.
type Options = Vec<(String, Range<usize>)>;

/// A line with a key.
struct KeyLine {
    options: Options,
    /// Where the kind of the key begins.
    start: usize,
    fingerprint: String,
}

impl KeyLine {
    fn read(line: &str) -> Option<Self> {
        let blank = |c: char| c == ' ' || c == '\t';
        let start = line.len() - line.trim_start_matches(blank).len();
        if line.get(start..)?.starts_with('#') {
            return None;
        }
        if let Some(fingerprint) = key(line.get(start..)?) {
            return Some(KeyLine { options: Vec::new(), start, fingerprint });
        }
        let (options, end) = options(line, start)?;
        let rest = line.get(end..)?;
        let start = line.len() - rest.trim_start_matches(blank).len();
        Some(KeyLine { options, start, fingerprint: key(line.get(start..)?)? })
    }
}

/// The options that begin here, and the byte after them.
fn options(line: &str, start: usize) -> Option<(Options, usize)> {
    let bytes = line.as_bytes();
    let mut options = Vec::new();
    let (mut at, mut from, mut quoted) = (start, start, false);
    loop {
        let byte = bytes.get(at).copied();
        match byte {
            Some(b'\\') if bytes.get(at + 1) == Some(&b'"') => at += 1,
            Some(b'"') => quoted = !quoted,
            Some(b' ' | b'\t' | b',') | None if !quoted => {
                let option = line.get(from..at)?;
                let name = option.split('=').next().unwrap_or_default();
                if name.is_empty() || name.contains('"') {
                    return None;
                }
                options.push((name.to_ascii_lowercase(), from..at));
                if byte != Some(b',') {
                    return Some((options, at));
                }
                from = at + 1;
            }
            None => return None,
            Some(_) => {}
        }
        at += 1;
    }
}

/// The fingerprint of `kind base64 comment`.
fn key(text: &str) -> Option<String> {
    let mut words = text.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
    let (kind, key) = (words.next()?, words.next()?);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let body = key.trim_end_matches('=');
    if !key.len().is_multiple_of(4) || key.len() - body.len() > 2 || body.is_empty() || !body.chars().all(plain) {
        return None;
    }
    let blob = openssl::base64::decode_block(key).ok()?;
    // The key names its kind once more; so a word that happens to be base64 is none.
    let length = usize::try_from(u32::from_be_bytes(blob.get(..4)?.try_into().ok()?)).ok()?;
    if blob.get(4..length.checked_add(4)?)? != kind.as_bytes() || kind.contains("-cert-") {
        return None;
    }
    let print = openssl::base64::encode_block(&openssl::sha::sha256(&blob));
    Some(format!("SHA256:{}", print.trim_end_matches('=')))
}

#[cfg(test)]
#[path = "authorized_keys_tests.rs"]
mod tests;
