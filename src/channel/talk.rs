//! What is said to a command while it runs: at once and whole, or depending on what it answers.

use zeroize::Zeroizing;

/// A piece of what a command wrote. Pieces begin and end anywhere.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// On its standard output.
    Out(&'a [u8]),
    /// On its standard error.
    Err(&'a [u8]),
}

/// What to write to a command's standard input next. Overwritten once it is written.
pub enum Say {
    /// Nothing yet.
    Nothing,
    /// This; more may follow.
    Send(Zeroizing<Vec<u8>>),
    /// This, and then the end of the input.
    Last(Zeroizing<Vec<u8>>),
}

/// One side of a conversation with a command. Called on the thread that runs the command; must not block.
pub trait Talk {
    /// The first word, before anything was heard.
    fn begin(&mut self) -> Say;

    /// Hears a piece, also where it is beyond what is kept of the output.
    fn hear(&mut self, heard: Heard<'_>) -> Say;
}

/// Says everything at once and listens to nothing.
pub struct Whole<'a>(pub &'a [u8]);

impl Talk for Whole<'_> {
    fn begin(&mut self) -> Say {
        Say::Last(Zeroizing::new(self.0.to_vec()))
    }

    fn hear(&mut self, _heard: Heard<'_>) -> Say {
        Say::Nothing
    }
}

/// A conversation that somebody else listens to: `hear` gets what the command writes to its standard output.
pub struct Overheard<'a> {
    /// Who speaks.
    pub inner: &'a mut dyn Talk,
    /// Who listens.
    pub hear: &'a dyn Fn(&[u8]),
}

impl Talk for Overheard<'_> {
    fn begin(&mut self) -> Say {
        self.inner.begin()
    }

    fn hear(&mut self, heard: Heard<'_>) -> Say {
        if let Heard::Out(bytes) = heard {
            (self.hear)(bytes);
        }
        self.inner.hear(heard)
    }
}
