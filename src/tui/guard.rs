//! The terminal's state: taken for the screens, given back however they end.

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use std::io::{self, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

/// Whether the terminal is taken now. A flag for the whole process, since there is one terminal and the panic hook
/// has to know.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Holds the terminal: raw mode, alternate screen, no cursor. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal. A panic of this thread gives it back before its message is printed; a panic of another
    /// thread prints nothing, since the screens are still there and its job reports it.
    pub fn take() -> io::Result<Self> {
        hook(thread::current().id());
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Guard(());
        // A terminal without an alternate screen keeps what stood on it: it is cleared by hand, without asking for
        // the position of the cursor, which not every serial terminal answers.
        execute!(io::stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All))?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once. Errors are of no use here: the terminal may be gone.
fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(
        out,
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
        MoveTo(0, 0),
        LeaveAlternateScreen,
        SetAttribute(Attribute::Reset),
        Show
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}

fn hook(screens: ThreadId) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let taken = TAKEN.load(Ordering::SeqCst);
            if taken && thread::current().id() != screens {
                return;
            }
            restore();
            before(info);
        }));
    });
}
