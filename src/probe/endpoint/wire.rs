//! The socket below a TLS connection: bounded in what it takes in, and looking at what this side itself sends.

use std::io::{self, Read, Write};
use tokio::net::TcpStream;

const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const ENCRYPTED: u8 = 23;
const CERTIFICATE: u8 = 11;

/// A socket that blocks nobody.
#[derive(Debug)]
pub(super) struct Wire {
    /// The socket.
    pub stream: TcpStream,
    /// Bytes that may still come in.
    pub left: usize,
    sent: Sent,
}

impl Wire {
    /// Takes in at most `most` bytes.
    pub(super) fn new(stream: TcpStream, most: usize) -> Self {
        Wire { stream, left: most, sent: Sent::default() }
    }

    /// Whether this side, in its handshake, answered a server that asks for a certificate; it has none, and says so by an
    /// empty list. The library does not tell that it was asked. To be asked right after the handshake.
    pub(super) fn sent_certificate(&self, tls13: bool) -> bool {
        // In TLS 1.3 all that this side encrypts in its handshake is the list, where it was asked, and its end.
        if tls13 { self.sent.encrypted > 1 } else { self.sent.certificate }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("more came than is taken"));
        }
        let most = buffer.len().min(self.left);
        let count = self.stream.try_read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= count;
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.try_write(bytes)?;
        self.sent.note(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The records that this side sent.
#[derive(Debug, Default)]
struct Sent {
    /// What is not yet a whole record.
    part: Vec<u8>,
    /// Whether an empty or full list of certificates went in the plain.
    certificate: bool,
    /// Whether what follows may be encrypted though it does not say so.
    changed: bool,
    /// Records that say they are encrypted.
    encrypted: usize,
}

impl Sent {
    fn note(&mut self, bytes: &[u8]) {
        self.part.extend(bytes);
        while let [kind, _, _, high, low, rest @ ..] = self.part.as_slice() {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(body) = rest.get(..length) else { return };
            match *kind {
                ENCRYPTED => self.encrypted += 1,
                CHANGE_CIPHER_SPEC => self.changed = true,
                HANDSHAKE if !self.changed => self.certificate |= holds_certificate(body),
                _ => {}
            }
            self.part.drain(..5 + length);
        }
    }
}

/// Whether one of a record's handshake messages is the list of certificates.
fn holds_certificate(mut messages: &[u8]) -> bool {
    while let [kind, a, b, c, rest @ ..] = messages {
        if *kind == CERTIFICATE {
            return true;
        }
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        messages = rest.get(length..).unwrap_or_default();
    }
    false
}
