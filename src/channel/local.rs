//! This machine: `sh -c COMMAND` with the script on its standard input.

use super::{Channel, ChannelError, Limits, Output, Script};
use crate::evidence::{ChannelKind, Reason};

/// A shell on this machine.
#[derive(Debug, Default)]
pub struct Local;

impl Channel for Local {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Local
    }

    fn run(&mut self, _script: &Script, _limits: &Limits) -> Result<Output, ChannelError> {
        Err(ChannelError::new(Reason::Unsupported, "not there yet"))
    }
}
