//! The lines of sshd's files in the order in which sshd reads them, each with the bytes that can be replaced.

use super::EditError;
use super::sshd::SshdFile;
use crate::evidence::effective::{sshd_canonical, sshd_glob, sshd_glob_path, sshd_line};
use std::collections::BTreeMap;
use std::ops::Range;

/// The name of our own file in a folder of drop-ins.
pub(super) const OWN: &str = "00-sitewarden.conf";
/// Where a relative Include starts.
const FOLDER: &str = "/etc/ssh";
/// sshd's own bound on nested includes, and ours on what is read.
const DEPTH: usize = 16;
const READS: usize = 500;

/// A line that sets a keyword.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The file's number among those given.
    pub(super) file: usize,
    /// From 1.
    pub(super) number: usize,
    /// Today's name, in lower case.
    pub(super) keyword: String,
    pub(super) args: Vec<String>,
    /// Whether it stands in a Match block, or in a file that is included in one.
    pub(super) in_match: bool,
    /// The whole line in its file, with its line end.
    pub(super) whole: Range<usize>,
    /// Its arguments in its file.
    pub(super) value: Range<usize>,
}

/// A place where our own file would be read.
#[derive(Debug, Clone)]
pub(super) struct DropIn {
    /// Its path.
    pub(super) path: String,
    /// How many lines sshd has read before it comes to that file.
    pub(super) before: usize,
}

/// All lines, in sshd's order.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) lines: Vec<Line>,
    /// The first place for our own file that is outside of every Match.
    pub(super) drop_in: Option<DropIn>,
    reads: usize,
}

/// Reads the first file and what it includes. An error where sshd would not take a line, or we do not understand it.
pub(super) fn read(files: &[SshdFile], hand: &str) -> Result<Reading, EditError> {
    let mut paths = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        if paths.insert(file.path.as_str(), number).is_some() {
            return Err(EditError::new("the file is given twice", hand).in_file(&file.path));
        }
        if file.text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}')) {
            return Err(EditError::new("control characters stand in it", hand).in_file(&file.path));
        }
    }
    let mut reading = Reading::default();
    if files.is_empty() {
        return Err(EditError::new("no configuration file of sshd is there", hand));
    }
    Reader { files, paths, hand }.file(0, 0, false, &mut reading)?;
    Ok(reading)
}

struct Reader<'a> {
    files: &'a [SshdFile],
    paths: BTreeMap<&'a str, usize>,
    hand: &'a str,
}

impl Reader<'_> {
    fn file(&self, number: usize, depth: usize, around: bool, reading: &mut Reading) -> Result<(), EditError> {
        let Some(file) = self.files.get(number) else { return Ok(()) };
        reading.reads += 1;
        if depth > DEPTH || reading.reads > READS {
            return Err(EditError::new("files include each other without end", self.hand).in_file(&file.path));
        }
        let mut in_match = around;
        let mut start = 0;
        for (index, whole) in file.text.split_inclusive('\n').enumerate() {
            let wrong = |what: &str| Err(EditError::new(what, self.hand).in_file(&file.path).at_line(index + 1));
            let here = start;
            start += whole.len();
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            if line.trim_end_matches('\r').contains('\r') {
                return wrong("a carriage return stands inside the line");
            }
            let Some(written) = sshd_line(line) else { continue };
            let Some(args) = written.args else { return wrong("a quote is not closed on this line") };
            if args.is_empty() {
                return wrong(&format!("`{}` has no value", written.keyword));
            }
            match written.keyword.as_str() {
                "include" => self.include(&args, depth, in_match, reading)?,
                "match" => in_match = true,
                keyword => reading.lines.push(Line {
                    file: number,
                    number: index + 1,
                    keyword: sshd_canonical(keyword).to_owned(),
                    args,
                    in_match,
                    whole: here..start,
                    value: here + written.value.start..here + written.value.end,
                }),
            }
        }
        Ok(())
    }

    fn include(&self, args: &[String], depth: usize, in_match: bool, reading: &mut Reading) -> Result<(), EditError> {
        for arg in args {
            let pattern = if arg.starts_with('/') { arg.clone() } else { format!("{FOLDER}/{arg}") };
            let mut own = own_path(&pattern).filter(|_| reading.drop_in.is_none() && !in_match && depth == 0);
            // In the order of the paths' bytes, as glob(3) gives them in the C locale.
            for (path, number) in self.paths.iter().filter(|(path, _)| sshd_glob_path(&pattern, path)) {
                if let Some(own) = own.take_if(|own| own.as_str() <= *path) {
                    reading.drop_in = Some(DropIn { path: own, before: reading.lines.len() });
                }
                self.file(*number, depth + 1, in_match, reading)?;
            }
            if let Some(own) = own {
                reading.drop_in = Some(DropIn { path: own, before: reading.lines.len() });
            }
        }
        Ok(())
    }
}

/// The path of our own file, where an Include pattern takes it in.
fn own_path(pattern: &str) -> Option<String> {
    let (folder, name) = pattern.rsplit_once('/')?;
    let literal = !folder.is_empty() && !folder.contains(['*', '?', '[', ']', '\\', '~', '"']);
    (literal && !name.contains('\\') && sshd_glob(name, OWN)).then(|| format!("{folder}/{OWN}"))
}
