//! Why an editor left a file alone.

/// Why a file was left as it is: a sentence for the person, with the line where there is one, and what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}. Nothing was changed: {hand}", place(.file.as_deref(), *.line))]
pub struct EditError {
    file: Option<String>,
    line: Option<usize>,
    what: String,
    hand: String,
}

fn place(file: Option<&str>, line: Option<usize>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}, line {line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, Some(line)) => format!("line {line}: "),
        (None, None) => String::new(),
    }
}

impl EditError {
    /// `what` is not understood or not possible, `hand` what the person can do instead.
    pub(super) fn new(what: impl Into<String>, hand: impl Into<String>) -> Self {
        EditError { file: None, line: None, what: clean(&what.into()), hand: clean(&hand.into()) }
    }

    /// The same, said of a file.
    pub(super) fn in_file(mut self, file: &str) -> Self {
        self.file = Some(clean(file));
        self
    }

    /// The same, said of a line (from 1).
    pub(super) fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// The file that it is about, where an editor was given several.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line that it is about, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

/// What stands in a file may be anything; it ends on a screen.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// What a reader of a text stumbled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) line: Option<usize>,
    pub(super) what: String,
}

impl Trouble {
    /// On a line, from 1.
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Trouble { line: Some(line), what: what.into() }
    }

    /// On no line in particular.
    pub(super) fn whole(what: impl Into<String>) -> Self {
        Trouble { line: None, what: what.into() }
    }

    /// The error for the person.
    pub(super) fn with(self, hand: &str) -> EditError {
        let error = EditError::new(self.what, hand);
        match self.line {
            Some(line) => error.at_line(line),
            None => error,
        }
    }
}
