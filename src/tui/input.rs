//! Keys, sizes and signals, each on a plain thread of its own that sends messages.

use super::keys;
use super::msg::Msg;
use crossterm::event::{self, Event};
use crossterm::terminal;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// Begins to read the terminal. The thread blocks in a read for as long as the program runs and is never joined.
pub(super) fn listen(send: Sender<Msg>) -> io::Result<()> {
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        // From the first poll on changes of the size are heard of. One that came before that shows in the size itself.
        let heard = event::poll(Duration::ZERO);
        if let (Ok(_), Ok((columns, rows))) = (heard, terminal::size())
            && send.send(Msg::Resize(columns, rows)).is_err()
        {
            return;
        }
        // Whether what is read next was there already when the last was read: keys that come together.
        let mut together = false;
        while let Ok(event) = event::read() {
            let messages = match event {
                Event::Key(pressed) => {
                    let msg = if together { Msg::Burst } else { Msg::Key };
                    keys::from_event(pressed).into_iter().map(msg).collect()
                }
                Event::Resize(columns, rows) => vec![Msg::Resize(columns, rows)],
                _ => Vec::new(),
            };
            for message in messages {
                if send.send(message).is_err() {
                    return;
                }
            }
            together = event::poll(Duration::ZERO).unwrap_or(false);
        }
    })?;
    Ok(())
}

/// Begins to wait for the signals that ask a program to end.
#[cfg(unix)]
pub(super) fn signals(send: Sender<Msg>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            // The screens may be stuck in writing to a terminal that takes nothing; whoever asks twice means it.
            if std::mem::replace(&mut asked, true) || send.send(Msg::Signal(signal)).is_err() {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })?;
    Ok(())
}

/// There are no such signals here.
#[cfg(not(unix))]
pub(super) fn signals(_send: Sender<Msg>) -> io::Result<()> {
    Ok(())
}
