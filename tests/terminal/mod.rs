//! A program on a pseudo-terminal, for the tests of the walk-through.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A machine under load is slow; this is how long anything is awaited before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const LEAVE_SCREEN: &str = "\u{1b}[?1049l";
pub const SHOW_CURSOR: &str = "\u{1b}[?25h";

/// A program on a terminal of its own.
pub struct Terminal {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Option<Box<dyn MasterPty + Send>>,
    pub keys: Option<Box<dyn Write + Send>>,
    pub output: Receiver<Vec<u8>>,
    pub screen: vt100::Parser,
    pub raw: Vec<u8>,
}

impl Terminal {
    /// Starts `sitewarden` with these arguments. `size`: columns and rows that the terminal reports.
    pub fn start(arguments: &[&str], size: (u16, u16), vars: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
        command.args(arguments);
        Self::spawn(command, size, vars)
    }

    pub fn spawn(mut command: CommandBuilder, (cols, rows): (u16, u16), vars: &[(&str, &str)]) -> Self {
        for name in ["NO_COLOR", "LINES", "COLUMNS", "LC_ALL", "LC_CTYPE", "SSH_AUTH_SOCK"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in vars {
            command.env(name, value);
        }
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (cols, rows) = if cols == 0 || rows == 0 { (80, 24) } else { (cols, rows) };
        let screen = vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap(), 0);
        Terminal { child, master: Some(pair.master), keys: Some(keys), output, screen, raw: Vec::new() }
    }

    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Waits until the screen is as wanted, by what the program writes.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend_from_slice(&bytes);
                }
                Err(why) => panic!("{what}: {why}\n{}\n{:?}", self.text(), self.raw()),
            }
        }
    }

    pub fn shows(&mut self, text: &str) {
        self.until(text, |terminal| terminal.text().contains(text));
    }

    pub fn press(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.screen.screen_mut().set_size(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap());
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    pub fn signal(&self, name: &str) {
        let process = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    /// Waits for the end of the program; gives its exit status.
    pub fn end(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.raw.extend_from_slice(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program does not end:\n{}", self.text()),
            }
        }
        self.child.wait().unwrap().exit_code()
    }

    /// Terminal modes, as far as a shell would notice.
    pub fn modes(&self) -> String {
        let modes = self.master.as_ref().unwrap().get_termios().unwrap();
        format!("{:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.local_flags)
    }

    pub fn assert_restored(&self) {
        let raw = self.raw();
        let taken = raw.rfind("\u{1b}[?1049h").expect("the alternate screen was never entered");
        let after = &raw[taken..];
        let left = after.find(LEAVE_SCREEN).unwrap_or_else(|| panic!("the alternate screen was not left: {after:?}"));
        assert!(after[left..].contains(SHOW_CURSOR), "the cursor stays hidden: {:?}", &after[left..]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
