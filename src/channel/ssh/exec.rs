//! One command on a session: its input written, both its outputs read, within the limits.

use super::errors;
use super::wire::{Stop, Wire};
use crate::channel::{ChannelError, Limits, Output, Script};
use crate::evidence::Reason;
use std::io::{Read, Write};

/// Bytes read at once; the largest packet of a channel is 32 kB.
const CHUNK: usize = 64 << 10;

/// Runs a script. Where its output was cut, the connection is closed.
pub(super) fn run(wire: &Wire, peer: &str, script: &Script, limits: &Limits) -> Result<Output, ChannelError> {
    wire.allow(limits.run);
    let failed = |stop: Stop| errors::start(peer, &stop, limits.run);
    let mut channel = wire.drive(|session| session.channel_session()).map_err(failed)?;
    wire.drive(|_| channel.exec(&script.command)).map_err(failed)?;

    let mut output = Output::default();
    output.cut = match pump(wire, &mut channel, script, limits, &mut output) {
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
    script: &Script,
    limits: &Limits,
    output: &mut Output,
) -> Result<Option<Reason>, Stop> {
    let mut input = script.stdin.as_slice();
    let mut input_open = true;
    let mut errors = channel.stderr();
    let mut buffer = vec![0; CHUNK];
    loop {
        let mut moved = false;
        if input_open {
            if input.is_empty() {
                wire.drive(|_| channel.send_eof())?;
                input_open = false;
            } else if let Some(sent @ 1..) = wire.transfer(|| channel.write(input))? {
                input = input.get(sent..).unwrap_or_default();
                moved = true;
            }
        }
        if let Some(read @ 1..) = wire.transfer(|| channel.read(&mut buffer))? {
            moved = true;
            let bytes = buffer.get(..read).unwrap_or_default();
            let room = limits.stdout.saturating_sub(output.stdout.len());
            output.stdout.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            if read > room {
                return Ok(Some(Reason::TooLarge));
            }
        }
        if let Some(read @ 1..) = wire.transfer(|| errors.read(&mut buffer))? {
            moved = true;
            let room = limits.stderr.saturating_sub(output.stderr.len());
            output.stderr.extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
        }
        if channel.eof() {
            return Ok(None);
        }
        if wire.is_late() {
            return Ok(Some(Reason::Timeout));
        }
        if !moved {
            wire.wait(false)?;
        }
    }
}

/// The exit status; None where a signal ended the command.
fn exit_status(channel: &ssh2::Channel) -> Option<i32> {
    match channel.exit_signal() {
        Ok(signal) if signal.exit_signal.is_none() => channel.exit_status().ok(),
        _ => None,
    }
}
