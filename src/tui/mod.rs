//! The screens. State in `app`, what happens in `msg`, what it does in `update`, what is drawn in `views`; keys in one
//! table in `keys`. This file owns the terminal and the loop.

pub mod app;
mod ask;
mod demo;
mod doc;
mod filter;
pub mod guard;
mod input;
mod jobs;
mod jobs_remedy;
pub mod keys;
pub mod list;
pub mod msg;
pub mod rows;
#[cfg(test)]
mod sample;
mod screen;
mod standing;
pub mod target;
pub mod text;
pub mod theme;
pub mod update;
pub mod views;
pub mod work;

pub use update::open;

use crate::catalog::Catalog;
use crate::evidence::{Evidence, Lifecycle, Policy};
use crate::kubeapi::ContextInfo;
use crate::remedy::Choices;
use crate::visit::{ClusterVisit, Visit};
use app::App;
use guard::Guard;
use jiff::Timestamp;
use jobs::Jobs;
use msg::{Effect, Msg};
use screen::Screen;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use theme::Theme;

/// What to begin with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What to look at, and how.
    pub visit: Visit,
    /// How a cluster is read that is chosen on the first screen.
    pub usual: ClusterVisit,
    /// The contexts that the first screen offers, or why the kubeconfig cannot be used.
    pub contexts: Result<Vec<ContextInfo>, String>,
    /// Evidence to show instead of reading anything.
    pub evidence: Option<Evidence>,
    /// The controls.
    pub catalog: Catalog,
    /// Release and end-of-life dates.
    pub lifecycle: Lifecycle,
    /// By what to judge.
    pub policy: Policy,
    /// The time to assess for; None: the time when it is done.
    pub as_of: Option<Timestamp>,
    /// Columns and rows to draw on, whatever the terminal says.
    pub size: Option<(u16, u16)>,
    /// Whether the evidence is the made-up site.
    pub demo: bool,
    /// Whether the command line named what to look at. If not, the first screen asks.
    pub named: bool,
    /// Whether changes are allowed from the beginning.
    pub allow_changes: bool,
    /// What was chosen for every change.
    pub choices: Choices,
    /// The folder of the journal. None: there is no place for one.
    pub journal: Option<PathBuf>,
}

/// Why there are no screens.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Standard input or output is no terminal.
    #[error(
        "the walk-through needs a terminal on standard input and output. For output to a file use `sitewarden scan`"
    )]
    NoTerminal,
    /// The terminal could not be used.
    #[error("the terminal cannot be used: {0}. Try another terminal, or `sitewarden scan`")]
    Terminal(#[from] io::Error),
}

/// How long the program waits, with nothing happening, before it looks whether its terminal is still there.
const LOOK: Duration = Duration::from_secs(5);

/// After something happened in the background: how long more of it is awaited before all is drawn at once.
const GATHER: Duration = Duration::from_millis(30);

/// Shows the screens until the person, or a signal, ends them. Gives the exit status: 0, or 128 and the signal's
/// number. Jobs that still run are left behind; they end with the process.
pub fn run(start: Start) -> Result<u8, TuiError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(TuiError::NoTerminal);
    }
    let env = |name: &str| std::env::var(name).ok();
    let forced = start.size;
    let size = forced.unwrap_or_else(|| screen::size(&env));
    let (send, receive) = channel();
    let jobs = Jobs {
        send: send.clone(),
        catalog: Arc::new(start.catalog.clone()),
        lifecycle: Arc::new(start.lifecycle.clone()),
        policy: Arc::new(start.policy.clone()),
        as_of: start.as_of,
        journal: start.journal.clone(),
    };
    // Signals before the terminal is taken: one that comes in between still gives it back.
    input::signals(send.clone())?;
    let guard = Guard::take()?;
    let mut screen = Screen::new(io::BufWriter::with_capacity(32 << 10, io::stdout()), size)?;
    let (mut app, effects) = open(start, size, Theme::detect(env));
    // The first frame stands before any job, and so any network traffic, begins.
    screen.draw(&mut app)?;
    input::listen(send)?;
    for effect in effects {
        jobs.start(effect);
    }
    // What an earlier visit left without an end is told on the overview.
    jobs.start(Effect::Journal);
    let status = turn(&mut app, &mut screen, &jobs, &receive, forced.is_some());
    drop(guard);
    // Its Drop would write to a terminal that is given back already.
    std::mem::forget(screen);
    status
}

/// The loop: takes messages in, does what they want, draws when something changed.
fn turn<W: io::Write>(
    app: &mut App,
    screen: &mut Screen<W>,
    jobs: &Jobs,
    receive: &Receiver<Msg>,
    forced: bool,
) -> Result<u8, TuiError> {
    loop {
        let mut message = match receive.recv_timeout(LOOK) {
            Ok(message) => Some(message),
            // Not every lost terminal sends a signal; nothing is written here.
            Err(RecvTimeoutError::Timeout) if io::stdin().is_terminal() => continue,
            Err(_) => return Err(io::Error::from(io::ErrorKind::NotConnected).into()),
        };
        let gather = Instant::now() + GATHER;
        while let Some(taken) = message {
            let key = matches!(taken, Msg::Key(_) | Msg::Burst(_) | Msg::Question(..));
            if let Some(status) = take(app, screen, jobs, taken, forced)? {
                return Ok(status);
            }
            message = if key {
                receive.try_recv().ok()
            } else {
                receive.recv_timeout(gather.saturating_duration_since(Instant::now())).ok()
            };
        }
        if app.changed {
            screen.draw(app)?;
        }
    }
}

/// One message. Gives the exit status when it ends the program.
fn take<W: io::Write>(
    app: &mut App,
    screen: &mut Screen<W>,
    jobs: &Jobs,
    message: Msg,
    forced: bool,
) -> Result<Option<u8>, TuiError> {
    let message = match message {
        // A size that was asked for stays; a serial line that says 0x0 says nothing.
        Msg::Resize(columns, rows) if forced || columns == 0 || rows == 0 || (columns, rows) == app.size => {
            return Ok(None);
        }
        Msg::Resize(columns, rows) => {
            screen.resize((columns, rows))?;
            Msg::Resize(columns, rows)
        }
        other => other,
    };
    let before = app.changed;
    let effects = update::update(app, message);
    app.changed |= before;
    for effect in effects {
        match effect {
            Effect::Quit(status) => return Ok(Some(status)),
            Effect::Redraw => screen.repaint()?,
            other => jobs.start(other),
        }
    }
    Ok(None)
}
