//! Questions at the controlling terminal: host keys want `yes` typed, passphrases are read without echo.

use crate::channel::{Answer, Ask, Question};

/// A person at the controlling terminal.
#[derive(Debug)]
pub(super) struct Person;

impl Person {
    /// The person, where there is a terminal to ask them at.
    pub(super) fn there() -> Option<Self> {
        terminal::open().is_ok().then_some(Person)
    }
}

impl Ask for Person {
    fn ask(&self, question: &Question) -> Answer {
        terminal::ask(question).unwrap_or(Answer::Nobody)
    }
}

#[cfg(not(unix))]
mod terminal {
    use super::{Answer, Question};
    use std::io;

    pub(super) fn open() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn ask(_question: &Question) -> io::Result<Answer> {
        Ok(Answer::Nobody)
    }
}

#[cfg(unix)]
mod terminal {
    use super::{Answer, Question};
    use crate::channel::Secret;
    use crate::report::clean;
    use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
    use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

    /// Longest passphrase. Room for all of it is taken at once, so that no copy of a part is left behind.
    const LONGEST: usize = 1024;

    pub(super) fn open() -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open("/dev/tty")
    }

    pub(super) fn ask(question: &Question) -> io::Result<Answer> {
        let mut tty = open()?;
        match question {
            Question::HostKey { node, host, kind, fingerprint, others } => {
                write!(
                    tty,
                    "\nThe host key of node {} is not known.\n  host         {}\n  type         {}\n  fingerprint  {}\n",
                    clean(node),
                    clean(host),
                    clean(kind),
                    clean(fingerprint)
                )?;
                if !others.is_empty() {
                    writeln!(
                        tty,
                        "This host is known by other keys ({}) that it did not show now: somebody in between would look \
                         like that.",
                        clean(&others.join(", "))
                    )?;
                }
                write!(
                    tty,
                    "Compare the fingerprint with what the node's own console shows for\n  ssh-keygen -lf FILE    \
                     (the files are /etc/ssh/ssh_host_*_key.pub)\n\
                     Type yes to accept and remember the key, anything else refuses: "
                )?;
                tty.flush()?;
                let mut line = Vec::new();
                BufReader::new(tty.take(256)).read_until(b'\n', &mut line)?;
                Ok(if line.trim_ascii() == b"yes" { Answer::Yes } else { Answer::No })
            }
            Question::Passphrase { node, file, again } => {
                // Echo ends before the question is seen: nothing typed in answer to it can show.
                let raw = Raw::enter()?;
                if *again {
                    write!(tty, "\r\nThat passphrase does not open the key.")?;
                }
                write!(tty, "\r\nPassphrase of {} for node {} (Esc gives up): ", clean(file), clean(node))?;
                tty.flush()?;
                let secret = hidden_line();
                drop(raw);
                writeln!(tty)?;
                Ok(secret?.map_or(Answer::No, Answer::Secret))
            }
        }
    }

    /// Leaves raw mode whatever happens.
    struct Raw;

    impl Raw {
        fn enter() -> io::Result<Self> {
            enable_raw_mode()?;
            Ok(Raw)
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            let _ = disable_raw_mode();
        }
    }

    /// One line, in raw mode. None where it was given up by Esc, Ctrl-C or Ctrl-D.
    fn hidden_line() -> io::Result<Option<Secret>> {
        let mut secret = Secret::new(String::with_capacity(LONGEST));
        loop {
            let Event::Key(key) = read()? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Enter => return Ok(Some(secret)),
                KeyCode::Char('j' | 'm') if control => return Ok(Some(secret)),
                KeyCode::Esc => return Ok(None),
                KeyCode::Char('c' | 'd') if control => return Ok(None),
                KeyCode::Char('u') if control => secret.clear(),
                KeyCode::Backspace => {
                    secret.pop();
                }
                KeyCode::Char('h') if control => {
                    secret.pop();
                }
                KeyCode::Char(c) if !control && secret.len() + c.len_utf8() <= LONGEST => secret.push(c),
                _ => {}
            }
        }
    }
}

#[cfg(all(test, unix))]
#[path = "tty_tests.rs"]
mod tests;
