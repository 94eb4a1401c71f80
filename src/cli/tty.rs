//! Questions at the controlling terminal: host keys want `yes` typed, what is secret is read without echo.

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

impl Person {
    /// Shows a text and waits for a line; only the word `yes` is a yes.
    pub(super) fn agrees(&self, text: &str) -> bool {
        matches!(terminal::agree(text), Ok(Answer::Yes))
    }
}

impl Person {
    /// Shows a text and waits for a line, which it gives without blanks around it. Empty where nothing was typed.
    pub(super) fn types(&self, text: &str) -> String {
        terminal::typed(text).unwrap_or_default()
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

    pub(super) fn agree(_text: &str) -> io::Result<Answer> {
        Ok(Answer::Nobody)
    }

    pub(super) fn typed(_text: &str) -> io::Result<String> {
        Ok(String::new())
    }
}

#[cfg(unix)]
mod terminal {
    use super::{Answer, Question};
    use crate::channel::{Purpose, Secret};
    use crate::report::clean;
    use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
    use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

    /// Longest secret. Room for all of it is taken at once, so that no copy of a part is left behind.
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
                yes_or_no(tty)
            }
            Question::Reuse { purpose: _, user, at: Some(at), others } => {
                write!(
                    tty,
                    "\nThat password of {} at jump host {} was right. Use it there for the ways to the other nodes of this \
                     run too? There are {others}.\nType yes for that, anything else: each way asks you by itself: ",
                    clean(user),
                    clean(at),
                )?;
                yes_or_no(tty)
            }
            Question::Reuse { purpose, user, at: None, others } => {
                write!(
                    tty,
                    "\nThat {} password of {} was right. Use it for the other nodes of this run too, where they ask for \
                     one? There are {others}.\nType yes to send it to them, anything else: each asks you by itself: ",
                    purpose_word(*purpose),
                    clean(user),
                )?;
                yes_or_no(tty)
            }
            Question::Passphrase { node, file, again } => {
                let wrong = again.then_some("That passphrase does not open the key.");
                hidden(tty, wrong, &format!("Passphrase of {} for node {}", clean(file), clean(node)))
            }
            Question::Password { node, user, again } => {
                let wrong = again.then_some("The node refused that password.");
                hidden(tty, wrong, &format!("Password to log in to node {} as {}", clean(node), clean(user)))
            }
            Question::SudoPassword { node, user, again } => {
                let wrong =
                    again.then_some("sudo refused that password. A few wrong ones may lock the account for a while.");
                hidden(tty, wrong, &format!("Password of {} for sudo on node {}", clean(user), clean(node)))
            }
            Question::Code { node, at, seconds, again } => {
                let wrong = if *again { "That is not the code.\n" } else { "" };
                write!(
                    tty,
                    "\n{wrong}Node {} shows a code of six digits at its console ({}). Without it the node puts the old state \
                     back in {seconds} seconds.\nType the code, nothing gives up: ",
                    clean(node),
                    clean(&at.join(", "))
                )?;
                let line = String::from_utf8_lossy(line(tty, 256)?.trim_ascii()).into_owned();
                Ok(if line.is_empty() { Answer::No } else { Answer::Secret(Secret::new(line)) })
            }
            Question::Prompt { node, user, text, echo, again } => {
                let wrong = again.then_some("The node refused that answer.");
                let asks = format!("Node {} asks {}: {:?}", clean(node), clean(user), clean(text));
                if !echo {
                    return hidden(tty, wrong, &asks);
                }
                if let Some(wrong) = wrong {
                    write!(tty, "\n{wrong}")?;
                }
                write!(tty, "\n{asks} (what you type shows): ")?;
                let line = Secret::new(String::from_utf8_lossy(&line(tty, LONGEST as u64)?).into_owned());
                Ok(Answer::Secret(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned())))
            }
        }
    }

    pub(super) fn agree(text: &str) -> io::Result<Answer> {
        let mut tty = open()?;
        write!(tty, "{text}")?;
        yes_or_no(tty)
    }

    pub(super) fn typed(text: &str) -> io::Result<String> {
        let mut tty = open()?;
        write!(tty, "{text}")?;
        Ok(String::from_utf8_lossy(line(tty, 256)?.trim_ascii()).into_owned())
    }

    fn purpose_word(purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Login => "login",
            Purpose::Sudo => "sudo",
        }
    }

    fn line(mut tty: File, longest: u64) -> io::Result<Vec<u8>> {
        tty.flush()?;
        let mut line = Vec::new();
        BufReader::new(tty.take(longest)).read_until(b'\n', &mut line)?;
        Ok(line)
    }

    /// Only the word `yes` is a yes.
    fn yes_or_no(tty: File) -> io::Result<Answer> {
        Ok(if line(tty, 256)?.trim_ascii() == b"yes" { Answer::Yes } else { Answer::No })
    }

    /// Reads a line that is not shown. `wrong`: what became of the one before.
    fn hidden(mut tty: File, wrong: Option<&str>, asks: &str) -> io::Result<Answer> {
        // Echo ends before the question is seen: nothing typed in answer to it can show.
        let raw = Raw::enter()?;
        if let Some(wrong) = wrong {
            write!(tty, "\r\n{wrong}")?;
        }
        write!(tty, "\r\n{asks} (Esc gives up): ")?;
        tty.flush()?;
        let secret = hidden_line();
        drop(raw);
        writeln!(tty)?;
        Ok(secret?.map_or(Answer::No, Answer::Secret))
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
