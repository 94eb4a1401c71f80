//! One command on a session: its input written, both its outputs read, within the limits.

use super::errors;
use super::wire::{Stop, Wire};
use crate::channel::{ChannelError, Heard, Limits, Output, Say, Talk};
use crate::evidence::Reason;
use std::collections::VecDeque;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// Bytes read at once; the largest packet of a channel is 32 kB.
const CHUNK: usize = 64 << 10;

/// What is still to be written to a command.
#[derive(Default)]
struct Input {
    pieces: VecDeque<Zeroizing<Vec<u8>>>,
    /// How much of the first piece was written.
    written: usize,
    /// Nothing follows the pieces.
    last: bool,
    /// The end was told.
    ended: bool,
}

impl Input {
    fn say(&mut self, say: Say) {
        match say {
            _ if self.last => {}
            Say::Nothing => {}
            Say::Send(bytes) => self.pieces.push_back(bytes),
            Say::Last(bytes) => {
                self.pieces.push_back(bytes);
                self.last = true;
            }
        }
    }

    /// The bytes to write next. Pieces that are written are dropped, and so overwritten.
    fn next(&mut self) -> &[u8] {
        while self.pieces.front().is_some_and(|piece| piece.len() <= self.written) {
            self.pieces.pop_front();
            self.written = 0;
        }
        self.pieces.front().and_then(|piece| piece.get(self.written..)).unwrap_or_default()
    }
}

/// Runs a command. Where its output was cut, the connection is closed.
pub(super) fn run(
    wire: &Wire,
    peer: &str,
    command: &str,
    talk: &mut dyn Talk,
    limits: &Limits,
) -> Result<Output, ChannelError> {
    wire.allow(limits.run);
    let failed = |stop: Stop| errors::start(peer, &stop, limits.run);
    let mut channel = wire.drive(|session| session.channel_session()).map_err(failed)?;
    wire.drive(|_| channel.exec(command)).map_err(failed)?;

    let mut output = Output::default();
    output.cut = match pump(wire, &mut channel, talk, limits, &mut output) {
        Ok(cut) => cut,
        Err(Stop::Deadline) => Some(Reason::Timeout),
        Err(Stop::Failed(..)) => Some(Reason::Unreachable),
    };
    if output.cut.is_none() {
        match wire.drive(|_| channel.wait_close()) {
            Ok(()) => output.status = exit_status(&channel),
            Err(Stop::Deadline) => output.cut = Some(Reason::Timeout),
            Err(Stop::Failed(..)) => output.cut = Some(Reason::Unreachable),
        }
    }
    if output.cut.is_some() {
        // First the socket, then the channel: its drop would else wait for the peer.
        wire.close();
    }
    Ok(output)
}

/// Moves bytes until both outputs have ended. Gives the reason where it stopped before.
fn pump(
    wire: &Wire,
    channel: &mut ssh2::Channel,
    talk: &mut dyn Talk,
    limits: &Limits,
    output: &mut Output,
) -> Result<Option<Reason>, Stop> {
    let mut input = Input::default();
    input.say(talk.begin());
    let mut errors = channel.stderr();
    let mut buffer = vec![0; CHUNK];
    // Bytes that lay in libssh2 when last nothing moved.
    let mut lying = 0;
    loop {
        let mut moved = false;
        if !input.ended {
            let next = input.next();
            if !next.is_empty() {
                if let Some(sent @ 1..) = wire.transfer(|| channel.write(next))? {
                    input.written += sent;
                    moved = true;
                }
            } else if input.last {
                wire.drive(|_| channel.send_eof())?;
                input.ended = true;
            }
        }
        if let Some(read @ 1..) = wire.transfer(|| channel.read(&mut buffer))? {
            moved = true;
            let bytes = buffer.get(..read).unwrap_or_default();
            input.say(talk.hear(Heard::Out(bytes)));
            let room = limits.stdout.saturating_sub(output.stdout.len());
            output.stdout.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            if read > room {
                return Ok(Some(Reason::TooLarge));
            }
        }
        if let Some(read @ 1..) = wire.transfer(|| errors.read(&mut buffer))? {
            moved = true;
            input.say(talk.hear(Heard::Err(buffer.get(..read).unwrap_or_default())));
            let room = limits.stderr.saturating_sub(output.stderr.len());
            output.stderr.extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
        }
        if channel.eof() {
            return Ok(None);
        }
        if wire.is_late() {
            return Ok(Some(Reason::Timeout));
        }
        // Reading one stream takes in what has come of the other as well: then there is something to be read though the
        // socket may never have anything again. What nobody reads (another stream) is waited beside.
        let now = if moved { 0 } else { channel.read_window().available };
        if !moved && now == lying {
            wire.wait(false)?;
        }
        lying = now;
    }
}

/// The exit status; None where a signal ended the command.
fn exit_status(channel: &ssh2::Channel) -> Option<i32> {
    match channel.exit_signal() {
        Ok(signal) if signal.exit_signal.is_none() => channel.exit_status().ok(),
        _ => None,
    }
}
