//! The handshake, with an ear on what the server says before anything is encrypted. libssh2 shows its peer's lists to
//! nobody, and they are wanted both to explain why nothing is agreed on and as evidence, without a second connection.
//!
//! For that libssh2 first speaks to one end of a pair. What it says goes on to the server; of what the server says,
//! exactly the greeting and the first packet come by here, and then the session is put on the server's own stream.

use super::kexinit::{self, Hello};
use super::link::{self, Link};
use super::wire::{Stop, Wire};
use std::io::{ErrorKind, Result};
use std::time::Duration;

/// Bytes before the packets that are looked at; a peer that sends more is left to libssh2 alone.
#[cfg(unix)]
const LONGEST_BEFORE: usize = 64 << 10;

/// A session that has not been greeted yet, and the other end of what it speaks to.
pub(super) struct Greeting {
    wire: Wire,
    #[cfg(unix)]
    beside: Link,
}

impl Greeting {
    /// A session for a stream to a server. Calls have `limit` from now.
    #[cfg(unix)]
    pub(super) fn new(stream: Link, limit: Duration) -> Result<Self> {
        let (seat, beside) = link::pair()?;
        Ok(Greeting { wire: Wire::new(stream, seat, limit)?, beside })
    }

    /// A session for a stream to a server. Calls have `limit` from now.
    #[cfg(not(unix))]
    pub(super) fn new(stream: Link, limit: Duration) -> Result<Self> {
        let seat = stream.try_clone()?;
        Ok(Greeting { wire: Wire::new(stream, seat, limit)? })
    }

    /// The session, to be set up.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Shakes hands. Gives what the server said, also where that failed.
    #[cfg(not(unix))]
    pub(super) fn shake(self) -> (Hello, std::result::Result<Wire, Stop>) {
        let shaken = self.wire.drive(|session| session.handshake());
        let greeting = self.wire.session().banner_bytes().map(<[u8]>::to_vec);
        (Hello { greeting, lists: None }, shaken.map(|()| self.wire))
    }

    /// Shakes hands. Gives what the server said, also where that failed.
    #[cfg(unix)]
    pub(super) fn shake(self) -> (Hello, std::result::Result<Wire, Stop>) {
        let mut ear = Ear::default();
        let shaken = self.listen(&mut ear).and_then(|done| {
            if done {
                return Ok(());
            }
            self.wire.take_seat().map_err(|error| Stop::Failed(-13, error.to_string()))?;
            self.wire.drive(|session| session.handshake())
        });
        let greeting = self.wire.session().banner_bytes().map(<[u8]>::to_vec);
        (Hello { greeting, lists: ear.lists }, shaken.map(|()| self.wire))
    }

    /// Lets both sides speak until the server's first packet has gone by, or something else has. True: the handshake is
    /// done, which no server could bring about.
    #[cfg(unix)]
    fn listen(&self, ear: &mut Ear) -> std::result::Result<bool, Stop> {
        loop {
            let done = self.wire.once(|session| session.handshake())?.is_some();
            self.forward()?;
            if done || ear.has_heard() {
                return Ok(done);
            }
            if self.wire.is_late() {
                return Err(Stop::Deadline);
            }
            let mut buffer = [0; 2048];
            let wanted = ear.wants().min(buffer.len());
            let Some(room) = buffer.get_mut(..wanted) else { return Ok(false) };
            match link::read(self.wire.stream(), room) {
                // libssh2 finds the end for itself.
                Ok(0) => return Ok(false),
                Ok(length) => {
                    let heard = room.get(..length).unwrap_or_default();
                    ear.hear(heard);
                    // The pair takes far more than is ever in it.
                    link::write(&self.beside, heard).map_err(|error| Stop::Failed(-13, error.to_string()))?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wire.wait(false)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.wire.is_late() => return Err(Stop::Deadline),
                Err(_) => return Ok(false),
            }
        }
    }

    /// Sends on what libssh2 has said.
    #[cfg(unix)]
    fn forward(&self) -> std::result::Result<(), Stop> {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = link::read(&self.beside, &mut buffer) {
            let mut said = buffer.get(..length).unwrap_or_default();
            while !said.is_empty() {
                match link::write(self.wire.stream(), said) {
                    Ok(sent) => said = said.get(sent..).unwrap_or_default(),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.wire.wait(true)?,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) if self.wire.is_late() => return Err(Stop::Deadline),
                    // What the server said before it went is still to be read.
                    Err(_) => return Ok(()),
                }
            }
        }
        Ok(())
    }
}

/// Listens for the lines before the packets and the first packet, byte for byte.
#[cfg(unix)]
#[derive(Default)]
struct Ear {
    /// Bytes of lines so far.
    before: usize,
    line: Vec<u8>,
    greeted: bool,
    /// The packet's length, as far as it came.
    length: Vec<u8>,
    packet: Vec<u8>,
    lists: Option<kexinit::KexInit>,
    done: bool,
}

#[cfg(unix)]
impl Ear {
    /// Whether there is nothing more to listen for.
    fn has_heard(&self) -> bool {
        self.done
    }

    /// How many bytes may be read without reading beyond the first packet.
    fn wants(&self) -> usize {
        match self.packet_length() {
            _ if !self.greeted => 1,
            None => 4_usize.saturating_sub(self.length.len()).max(1),
            Some(length) => length.saturating_sub(self.packet.len()).max(1),
        }
    }

    fn packet_length(&self) -> Option<usize> {
        let length = self.length.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*length)).ok()
    }

    /// Hears at most as much as it wants.
    fn hear(&mut self, bytes: &[u8]) {
        if !self.greeted {
            self.before += bytes.len();
            for &byte in bytes {
                if byte == b'\n' {
                    self.greeted = self.line.starts_with(b"SSH-");
                    self.line.clear();
                } else if self.line.len() < 8 {
                    self.line.push(byte);
                }
            }
            self.done = self.before > LONGEST_BEFORE;
        } else if self.length.len() < 4 {
            self.length.extend_from_slice(bytes);
            self.done = self.packet_length().is_some_and(|length| !(2..=kexinit::LONGEST_PACKET).contains(&length));
        } else {
            self.packet.extend_from_slice(bytes);
            if self.packet_length().is_some_and(|length| self.packet.len() >= length) {
                self.lists = kexinit::parse(&self.packet);
                self.done = true;
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever comes: never more than the first packet is taken, and it ends.
        #[test]
        fn the_ear_stops_at_the_first_packet(before in "[ -~]{0,40}", packet in proptest::collection::vec(any::<u8>(), 2..300)) {
            let length = u32::try_from(packet.len()).unwrap_or_default().to_be_bytes();
            let first = [before.as_bytes(), b"\r\nSSH-2.0-x\r\n", &length, &packet].concat();
            prop_assume!(!before.starts_with("SSH-"));
            let stream = [first.as_slice(), &[0xff; 100]].concat();
            let (mut ear, mut at) = (Ear::default(), 0);
            while !ear.has_heard() {
                let end = at + ear.wants();
                ear.hear(&stream[at..end]);
                at = end;
            }
            prop_assert_eq!(at, first.len());
        }
    }
}
