//! What a server answers to a ClientHello, as far as it is not encrypted. Everything in it is hostile.

use super::hello::Version;

/// What a server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// It took the hello and picked a version and a suite; up to TLS 1.2 it also came to the end of its first turn, which
    /// it does not where it has no key or parameters for them.
    Chosen {
        /// On the wire.
        version: u16,
        /// On the wire.
        suite: u16,
    },
    /// A TLS alert: it speaks TLS and refuses.
    Alert(u8),
    /// It speaks HTTP in the plain.
    Http,
    /// It speaks SSH.
    Ssh,
    /// Nothing that is known.
    Other,
}

/// Longest record of TLS, with what encryption adds.
const RECORD: usize = 16_384 + 2_048;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

const SERVER_HELLO: u8 = 2;
const SERVER_HELLO_DONE: u8 = 14;

/// Hears an answer piece by piece.
#[derive(Debug)]
pub(super) struct Hearing {
    asked: Version,
    raw: Vec<u8>,
    messages: Vec<u8>,
    chosen: Option<(u16, u16)>,
}

impl Hearing {
    /// For an answer to a hello that offered this version.
    pub(super) fn new(asked: Version) -> Self {
        Hearing { asked, raw: Vec::new(), messages: Vec::new(), chosen: None }
    }

    /// Takes what came. None: more is needed.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Option<Reply> {
        self.raw.extend(bytes);
        loop {
            let first = *self.raw.first()?;
            if first != ALERT && first != HANDSHAKE {
                return self.words();
            }
            if self.raw.get(1).is_some_and(|major| *major != 3) {
                return Some(Reply::Other);
            }
            let length = usize::from(u16::from_be_bytes([*self.raw.get(3)?, *self.raw.get(4)?]));
            if length > RECORD || length == 0 {
                return Some(Reply::Other);
            }
            let body = self.raw.get(5..5 + length)?;
            if first == ALERT {
                return Some(body.get(1).map_or(Reply::Other, |kind| Reply::Alert(*kind)));
            }
            self.messages.extend(body);
            self.raw.drain(..5 + length);
            if let Some(reply) = self.handshake() {
                return Some(reply);
            }
        }
    }

    /// An answer that does not begin like TLS.
    fn words(&self) -> Option<Reply> {
        for (beginning, reply) in [(&b"HTTP/"[..], Reply::Http), (b"SSH-", Reply::Ssh)] {
            if self.raw.starts_with(beginning) {
                return Some(reply);
            }
            if beginning.starts_with(&self.raw) {
                return None;
            }
        }
        Some(Reply::Other)
    }

    /// Goes through the handshake messages that are whole.
    fn handshake(&mut self) -> Option<Reply> {
        while let [kind, a, b, c, rest @ ..] = self.messages.as_slice() {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let body = rest.get(..length)?;
            match (*kind, self.chosen) {
                (SERVER_HELLO, None) => {
                    let Some((version, suite)) = server_hello(body) else { return Some(Reply::Other) };
                    // What follows in TLS 1.3 is encrypted, and another version than asked for is an answer as well.
                    if self.asked == Version::V13 || version != self.asked.number() {
                        return Some(Reply::Chosen { version, suite });
                    }
                    self.chosen = Some((version, suite));
                }
                (SERVER_HELLO_DONE, Some((version, suite))) => return Some(Reply::Chosen { version, suite }),
                (SERVER_HELLO, Some(_)) | (_, None) => return Some(Reply::Other),
                _ => {}
            }
            self.messages.drain(..4 + length);
        }
        None
    }
}

/// Version and suite that a ServerHello (or a HelloRetryRequest, which has the same form) picks.
fn server_hello(body: &[u8]) -> Option<(u16, u16)> {
    let (version, rest) = number(body)?;
    let (_random, rest) = rest.split_at_checked(32)?;
    let (session, rest) = rest.split_first()?;
    let (_, rest) = rest.split_at_checked(usize::from(*session))?;
    let (suite, rest) = number(rest)?;
    let (_compression, rest) = rest.split_first()?;
    let mut version = version;
    if !rest.is_empty() {
        let (length, rest) = number(rest)?;
        let mut extensions = rest.get(..usize::from(length))?;
        while !extensions.is_empty() {
            let (kind, rest) = number(extensions)?;
            let (length, rest) = number(rest)?;
            let (contents, rest) = rest.split_at_checked(usize::from(length))?;
            if kind == 0x002b {
                (version, _) = number(contents)?;
            }
            extensions = rest;
        }
    }
    Some((version, suite))
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match bytes {
        [high, low, rest @ ..] => Some((u16::from_be_bytes([*high, *low]), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record with a ServerHello of this legacy version, suite and extensions.
    fn hello(version: u16, suite: u16, extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        if !extensions.is_empty() {
            body.extend((extensions.len() as u16).to_be_bytes());
            body.extend(extensions);
        }
        let mut message = vec![SERVER_HELLO, 0];
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(body);
        record(&message)
    }

    fn record(message: &[u8]) -> Vec<u8> {
        let mut record = vec![HANDSHAKE, 3, 3];
        record.extend((message.len() as u16).to_be_bytes());
        record.extend(message);
        record
    }

    fn heard(asked: Version, bytes: &[u8]) -> Option<Reply> {
        Hearing::new(asked).hear(bytes)
    }

    #[test]
    fn up_to_tls_1_2_the_servers_turn_must_come_to_its_end() {
        let begun = hello(0x0303, 0xc02f, &[]);
        assert_eq!(heard(Version::V12, &begun), None);
        let done = [begun.clone(), record(&[11, 0, 0, 3, 0, 0, 0]), record(&[SERVER_HELLO_DONE, 0, 0, 0])].concat();
        let chosen = Some(Reply::Chosen { version: 0x0303, suite: 0xc02f });
        assert_eq!(heard(Version::V12, &done), chosen);
        let broken = [begun, vec![ALERT, 3, 3, 0, 2, 2, 40]].concat();
        assert_eq!(heard(Version::V12, &broken), Some(Reply::Alert(40)));
        // Byte by byte it says the same.
        let mut hearing = Hearing::new(Version::V12);
        let said: Vec<Reply> = done.iter().filter_map(|byte| hearing.hear(&[*byte])).collect();
        assert_eq!(said.first().copied(), chosen);
    }

    #[test]
    fn tls_1_3_tells_its_version_in_an_extension() {
        let answer = hello(0x0303, 0x1301, &[0, 0x2b, 0, 2, 3, 4]);
        assert_eq!(heard(Version::V13, &answer), Some(Reply::Chosen { version: 0x0304, suite: 0x1301 }));
        let older = hello(0x0302, 0x002f, &[]);
        assert_eq!(heard(Version::V12, &older), Some(Reply::Chosen { version: 0x0302, suite: 0x002f }));
    }

    #[test]
    fn what_is_no_tls_is_recognised() {
        assert_eq!(heard(Version::V13, b"HTTP/1.1 400 Bad Request\r\n"), Some(Reply::Http));
        assert_eq!(heard(Version::V13, b"HTT"), None);
        assert_eq!(heard(Version::V13, b"SSH-2.0-x"), Some(Reply::Ssh));
        for other in [&b"220 mail"[..], b"HTML", &[22, 2, 0, 0, 1], &[22, 3, 1, 0xff, 0xff], &[21, 3, 1, 0, 0], &[0]] {
            assert_eq!(heard(Version::V13, other), Some(Reply::Other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8)) {
            for asked in Version::ALL {
                let mut hearing = Hearing::new(asked);
                for piece in &pieces {
                    if hearing.hear(piece).is_some() { break }
                }
                let mut hearing = Hearing::new(asked);
                let mut message = vec![SERVER_HELLO, 0, 0, 40];
                message.extend(pieces.concat());
                let _ = hearing.hear(&record(&message));
            }
        }
    }
}
