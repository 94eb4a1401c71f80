//! The screens.

use crate::catalog::Catalog;
use crate::evidence::{Evidence, Lifecycle, Policy};
use crate::visit::Visit;
use jiff::Timestamp;

/// What the walk-through begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What to look at.
    pub visit: Visit,
    /// Evidence to work from instead.
    pub evidence: Option<Evidence>,
    /// The controls.
    pub catalog: Catalog,
    /// Lifecycle data.
    pub lifecycle: Lifecycle,
    /// What a person decided.
    pub policy: Policy,
    /// The time to assess for. None: now.
    pub as_of: Option<Timestamp>,
    /// Size of the screen, where a person gave it.
    pub size: Option<(u16, u16)>,
    /// Whether the evidence is that of the made-up site.
    pub demo: bool,
    /// Whether targets were named on the command line.
    pub named: bool,
}

/// Why the screens could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal.
    #[error("the walk-through needs a terminal; use `sitewarden scan` where there is none")]
    NoTerminal,
}

/// Runs the screens until the person quits, and gives the exit status.
pub fn run(_start: Start) -> Result<u8, TuiError> {
    Err(TuiError::NoTerminal)
}
