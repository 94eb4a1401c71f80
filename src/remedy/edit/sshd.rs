//! One setting of sshd: which file and line decides about it, and what that line must be.
//!
//! For most keywords the first line outside of Match blocks wins, and a Match block that holds overrides it. What is
//! given must be all files that the daemon reads; what is not there is taken for absent.

use super::EditError;
use super::error::Trouble;
use super::splice::{Splices, line_end};
use super::sshd_files::{DropIn, Line, Reading, read};
use crate::evidence::effective::{Directive, SshdConfig, sshd_accumulates, sshd_canonical, sshd_line, sshd_words};
use crate::evidence::{ConfigText, Fact};
use std::collections::{BTreeMap, BTreeSet};

/// A file of sshd's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshdFile {
    /// Absolute path on the node.
    pub path: String,
    /// All of it, to the byte.
    pub text: String,
}

/// A file that is to be changed or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// Absolute path on the node.
    pub path: String,
    /// Its text now. None: it is not there.
    pub before: Option<String>,
    /// The text that it is to have.
    pub after: String,
}

/// What to change, and why there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshdEdit {
    /// The files, in the order of their paths; none where the setting is in place.
    pub files: Vec<FileEdit>,
    /// Why these places, one sentence each.
    pub why: Vec<String>,
}

/// Keywords of which releases of sshd take the last line, whatever the manual says: their values are stored unasked
/// (servconf.c, `sMaxStartups`, `sPerSourceNetBlockSize` and `sIPQoS`, of the 8 and 9 series).
const LAST_WINS: [&str; 3] = ["maxstartups", "persourcenetblocksize", "ipqos"];

/// The first line of a file of our own.
const HEADER: &str = "# Settings made by sitewarden; the first value that sshd reads wins, so this file comes first.";

/// Makes `keyword` have these arguments for every connection: where the first value wins and in every Match block that
/// sets it. `files` are all that the daemon reads, the main one first.
///
/// An error where a file is not surely understood, where the keyword is not known, or where its lines add up
/// ([`replace_all`] is for those).
pub fn set(files: &[SshdFile], keyword: &str, args: &[&str]) -> Result<SshdEdit, EditError> {
    let hand = format!("set {keyword} to `{}` by hand and check it with `sshd -T`", args.join(" "));
    let name = known(keyword, &hand)?;
    if sshd_accumulates(&name) != Some(false) || name == "persourcepenalties" {
        return Err(EditError::new(format!("the lines of {keyword} add up, so that one line does not decide"), &hand));
    }
    let value =
        value(args).ok_or_else(|| EditError::new("the value cannot be written in a line of sshd_config", &hand))?;
    let reading = read(files, &hand)?;
    let wanted: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut plan = Plan::new(files, &hand);
    let own: Vec<(usize, &Line)> = reading.lines.iter().enumerate().filter(|(_, line)| line.keyword == name).collect();
    match own.iter().find(|(_, line)| !line.in_match) {
        Some((_, line)) if same(&line.args, &wanted) => {}
        first => plan.decide(&reading, first.copied(), keyword, std::slice::from_ref(&value)),
    }
    if LAST_WINS.contains(&name.as_str()) {
        for (_, line) in own.iter().filter(|(_, line)| !line.in_match && !same(&line.args, &wanted)) {
            let place = plan.place(line);
            if plan.replace(line, &value) {
                plan.why.push(format!(
                    "{place} sets {keyword} too, and of it some releases of sshd take the last: changed there too."
                ));
            }
        }
    }
    for (_, line) in own.iter().filter(|(_, line)| line.in_match && !same(&line.args, &wanted)) {
        let place = plan.place(line);
        if plan.replace(line, &value) {
            plan.why.push(format!(
                "{place} stands in a Match block, which overrides what holds for all: changed there too."
            ));
        }
    }
    let edit = plan.finish()?;
    check(files, &edit, &name, &hand, |_, lines| {
        let global = lines.iter().find(|line| line.inside.is_empty()).is_some_and(|line| same(&line.args, &wanted));
        global && lines.iter().all(|line| line.inside.is_empty() || same(&line.args, &wanted))
    })?;
    Ok(edit)
}

/// Makes the lines of a keyword whose lines add up (`AllowUsers`, `HostKey`, `Port`) these, each the arguments of one
/// line as written: they come where the first one is, and all others outside of Match blocks go. Lines in Match blocks
/// stay and are told in `why`. Without values all lines go.
///
/// An error where a file is not surely understood, or where the first value of the keyword wins ([`set`] is for those).
pub fn replace_all(files: &[SshdFile], keyword: &str, values: &[String]) -> Result<SshdEdit, EditError> {
    let hand = format!("write the {keyword} lines by hand and check them with `sshd -T`");
    let name = known(keyword, &hand)?;
    if sshd_accumulates(&name) != Some(true) {
        return Err(EditError::new(format!("of {keyword} the first line wins; it has no list of lines"), &hand));
    }
    let mut wanted = Vec::new();
    for value in values {
        let words = sshd_words(value).filter(|words| !words.is_empty() && is_line(value));
        match words {
            Some(words) if value.trim() == value => wanted.extend(words),
            _ => return Err(EditError::new("a value cannot be written in a line of sshd_config", &hand)),
        }
    }
    let reading = read(files, &hand)?;
    let mut plan = Plan::new(files, &hand);
    let own: Vec<(usize, &Line)> = reading.lines.iter().enumerate().filter(|(_, line)| line.keyword == name).collect();
    let global: Vec<(usize, &Line)> = own.iter().filter(|(_, line)| !line.in_match).copied().collect();
    if global.iter().flat_map(|(_, line)| &line.args).ne(&wanted) {
        match (global.first(), values.split_first()) {
            (Some((_, first)), Some((value, more))) => {
                let place = plan.place(first);
                plan.replace(first, value);
                plan.more(first, more);
                plan.why.push(format!("{place} is the first {keyword} line: the wanted ones stand there."));
            }
            (None, Some(_)) => plan.decide(&reading, None, keyword, values),
            (_, None) => {}
        }
        let rest = global.get(usize::from(!values.is_empty())..).unwrap_or_default();
        for (_, line) in rest {
            let place = plan.place(line);
            plan.take_out(line);
            plan.why.push(format!("{place} would add to them: taken out."));
        }
    }
    for (_, line) in own.iter().filter(|(_, line)| line.in_match) {
        let place = plan.place(line);
        plan.why.push(format!("{place} stands in a Match block and counts there instead: left as it is."));
    }
    let edit = plan.finish()?;
    check(files, &edit, &name, &hand, |before, lines| {
        let blocks = |lines: &[&Directive]| -> Vec<(Vec<String>, Vec<usize>)> {
            let blocks = lines.iter().filter(|line| !line.inside.is_empty());
            blocks.map(|line| (line.args.clone(), line.inside.clone())).collect()
        };
        let global = lines.iter().filter(|line| line.inside.is_empty()).flat_map(|line| &line.args);
        global.eq(&wanted) && blocks(before) == blocks(lines)
    })?;
    Ok(edit)
}

/// The arguments of the lines of a keyword whose lines add up, as they count for every connection. None where a Match block
/// sets it too, so that they do not.
///
/// An error where a file is not surely understood.
pub fn arguments(files: &[SshdFile], keyword: &str) -> Result<Option<Vec<String>>, EditError> {
    let hand = format!("write the {keyword} lines by hand and check them with `sshd -T`");
    let name = known(keyword, &hand)?;
    let reading = read(files, &hand)?;
    let own = || reading.lines.iter().filter(|line| line.keyword == name);
    if own().any(|line| line.in_match) {
        return Ok(None);
    }
    Ok(Some(own().flat_map(|line| line.args.clone()).collect()))
}

/// Today's name of a keyword that a line may set.
fn known(keyword: &str, hand: &str) -> Result<String, EditError> {
    let lower = keyword.to_ascii_lowercase();
    let name = sshd_canonical(&lower);
    match sshd_accumulates(name) {
        Some(_) => Ok(name.to_owned()),
        None => Err(EditError::new(format!("{keyword} is no keyword of sshd_config that is known here"), hand)),
    }
}

fn is_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\t')
}

/// Arguments as they are written. None where quoting cannot express them.
fn value(args: &[&str]) -> Option<String> {
    let mut words = Vec::new();
    for arg in args {
        let plain = !arg.is_empty() && !arg.starts_with('#') && !arg.contains([' ', '\t', '"', '\'', '\\']);
        match plain {
            true => words.push((*arg).to_owned()),
            false if !arg.contains(['"', '\\']) => words.push(format!("\"{arg}\"")),
            false => return None,
        }
    }
    let value = words.join(" ");
    let back = sshd_words(&value)?;
    (!args.is_empty() && is_line(&value) && back == args).then_some(value)
}

/// Whether two lines say the same. sshd takes `Yes` for `yes`.
fn same(args: &[String], wanted: &[String]) -> bool {
    let word = |text: &str| ["yes", "no"].iter().any(|word| text.eq_ignore_ascii_case(word));
    match (args, wanted) {
        ([one], [other]) if word(other) => one.eq_ignore_ascii_case(other),
        _ => args == wanted,
    }
}

/// Changes that are gathered, by file.
struct Plan<'a> {
    files: &'a [SshdFile],
    hand: &'a str,
    splices: BTreeMap<usize, Splices>,
    /// Lines that are changed already: a file can be read twice.
    done: BTreeSet<(usize, usize)>,
    /// A file that is not there yet.
    new: Option<FileEdit>,
    why: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(files: &'a [SshdFile], hand: &'a str) -> Self {
        let (splices, done) = (BTreeMap::new(), BTreeSet::new());
        Plan { files, hand, splices, done, new: None, why: Vec::new() }
    }

    fn path(&self, file: usize) -> &str {
        self.files.get(file).map(|file| file.path.as_str()).unwrap_or_default()
    }

    fn text(&self, file: usize) -> &'a str {
        self.files.get(file).map(|file| file.text.as_str()).unwrap_or_default()
    }

    fn place(&self, line: &Line) -> String {
        format!("Line {} of {}", line.number, self.path(line.file))
    }

    /// False where that line is changed already.
    fn replace(&mut self, line: &Line, value: &str) -> bool {
        let first = self.done.insert((line.file, line.number));
        if first {
            let splices = self.splices.entry(line.file).or_default();
            splices.replace(line.value.start, line.value.end, value);
        }
        first
    }

    fn take_out(&mut self, line: &Line) {
        if self.done.insert((line.file, line.number)) {
            self.splices.entry(line.file).or_default().replace(line.whole.start, line.whole.end, "");
        }
    }

    /// Lines like `line`, behind it.
    fn more(&mut self, line: &Line, values: &[String]) {
        let text = self.text(line.file);
        let head = text.get(line.whole.start..line.value.start).unwrap_or_default();
        let eol = line_end(text);
        let whole = text.get(line.whole.clone()).unwrap_or_default();
        let end = line.whole.start + whole.trim_end_matches(['\r', '\n']).len();
        let lines: String = values.iter().map(|value| format!("{eol}{head}{value}")).collect();
        self.splices.entry(line.file).or_default().insert(end, lines);
    }

    /// Writes the setting where it wins: `first` is the line that decides now, with how many lines come before it.
    fn decide(&mut self, reading: &Reading, first: Option<(usize, &Line)>, keyword: &str, values: &[String]) {
        match (&reading.drop_in, first) {
            (Some(drop_in), first) if first.is_none_or(|(before, _)| before >= drop_in.before) => {
                let present = self.files.iter().position(|file| file.path == drop_in.path);
                match (present, first) {
                    (Some(own), Some((_, line))) if line.file == own => {
                        self.replace(line, &values.join(" "));
                        self.why.push(format!("{} is our own and the first that sets {keyword}.", self.place(line)));
                    }
                    _ => self.drop_in(drop_in, present, keyword, values),
                }
            }
            (_, Some((_, line))) => {
                self.replace(line, &values.join(" "));
                self.why.push(format!("{} is the first that sets {keyword}, and the first wins.", self.place(line)));
            }
            (_, None) => {
                self.insert(0, first_line(self.text(0)), keyword, values);
                let main = self.path(0);
                self.why.push(format!(
                    "Nothing sets {keyword}, and no folder of drop-ins is read first: it goes to the top of {main}."
                ));
            }
        }
    }

    /// Puts a line into our own file, which is made where it is missing.
    fn drop_in(&mut self, drop_in: &DropIn, present: Option<usize>, keyword: &str, values: &[String]) {
        self.why.push(format!("{} is read before anything else sets {keyword}, and the first wins.", drop_in.path));
        match present {
            Some(own) => self.insert(own, sorted_place(self.text(own), keyword), keyword, values),
            None => {
                let lines: String = values.iter().map(|value| format!("{keyword} {value}\n")).collect();
                let after = format!("{HEADER}\n{lines}");
                self.new = Some(FileEdit { path: drop_in.path.clone(), before: None, after });
            }
        }
    }

    /// Puts lines at a line's start, or behind a last line.
    fn insert(&mut self, file: usize, at: usize, keyword: &str, values: &[String]) {
        let text = self.text(file);
        let eol = line_end(text);
        let lines: Vec<String> = values.iter().map(|value| format!("{keyword} {value}")).collect();
        let lines = lines.join(eol);
        let open = at == text.len() && !text.is_empty() && !text.ends_with('\n');
        let lines = if open { format!("{eol}{lines}") } else { format!("{lines}{eol}") };
        self.splices.entry(file).or_default().insert(at, lines);
    }

    fn finish(self) -> Result<SshdEdit, EditError> {
        let mut files: Vec<FileEdit> = self.new.into_iter().collect();
        for (number, splices) in self.splices {
            let Some(file) = self.files.get(number) else { continue };
            let after =
                splices.apply(&file.text).map_err(|trouble: Trouble| trouble.with(self.hand).in_file(&file.path))?;
            files.push(FileEdit { path: file.path.clone(), before: Some(file.text.clone()), after });
        }
        files.retain(|file| file.before.as_ref() != Some(&file.after));
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(SshdEdit { files, why: self.why })
    }
}

/// Where the first line begins that is neither empty nor a comment.
fn first_line(text: &str) -> usize {
    line_starts(text).find(|(_, line)| sshd_line(line).is_some()).map_or(text.len(), |(start, _)| start)
}

/// Where a keyword belongs in a file that is in order: before the first keyword behind it, and before any block.
fn sorted_place(text: &str, keyword: &str) -> usize {
    let keyword = keyword.to_ascii_lowercase();
    line_starts(text)
        .find(|(_, line)| {
            sshd_line(line).is_some_and(|line| {
                matches!(line.keyword.as_str(), "match" | "include") || line.keyword.as_str() >= keyword.as_str()
            })
        })
        .map_or(text.len(), |(start, _)| start)
}

fn line_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.strip_suffix('\n').unwrap_or(line)))
    })
}

/// Reads the files anew, as assessing does: `holds` is asked about the keyword's lines before and after, and all others
/// must be the same.
fn check(
    files: &[SshdFile],
    edit: &SshdEdit,
    name: &str,
    hand: &str,
    holds: impl Fn(&[&Directive], &[&Directive]) -> bool,
) -> Result<(), EditError> {
    let main = files.first().map(|file| file.path.as_str()).unwrap_or_default();
    let given = |path: &str, text: &str| ConfigText {
        path: path.to_owned(),
        text: Fact::Known(text.to_owned()),
        modified: Fact::Unread,
        unread: None,
    };
    let before: Vec<ConfigText> = files.iter().map(|file| given(&file.path, &file.text)).collect();
    let mut after: Vec<ConfigText> = edit.files.iter().map(|file| given(&file.path, &file.after)).collect();
    after.extend(before.iter().filter(|file| edit.files.iter().all(|one| one.path != file.path)).cloned());
    let (before, after) = (SshdConfig::parse(main, &before), SshdConfig::parse(main, &after));
    let others = |config: &SshdConfig| -> Vec<(String, Vec<String>, String, Vec<usize>)> {
        let others = config.directives().iter().filter(|line| line.keyword != name);
        others
            .map(|line| (line.keyword.clone(), line.args.clone(), line.place.file.clone(), line.inside.clone()))
            .collect()
    };
    let own = |config: &'_ SshdConfig| config.settings_for(name).cloned().collect::<Vec<Directive>>();
    let (old, new) = (own(&before), own(&after));
    let holds = holds(&old.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>());
    let whole = before.is_whole() && after.is_whole();
    if whole && holds && others(&before) == others(&after) && before.matches().len() == after.matches().len() {
        return Ok(());
    }
    Err(EditError::new("the change would not do just what was asked", hand).in_file(main))
}

#[cfg(test)]
#[path = "sshd_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "sshd_random_tests.rs"]
mod random_tests;
