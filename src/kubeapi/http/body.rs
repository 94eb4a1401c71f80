//! Bodies: read to their end within a bound of bytes, which holds for what comes out of gzip.

use super::deadline::{Deadline, Late};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::io::{self, Write};

/// Why a body was not read.
#[derive(Debug)]
pub(in crate::kubeapi) enum Cut {
    /// It is longer than the bound.
    TooLarge,
    /// The deadline passed.
    Late,
    /// The connection broke.
    Broken(hyper::Error),
    /// It is no gzip, though it says so.
    Damaged,
}

/// Reads a whole body.
pub(in crate::kubeapi) async fn whole(
    mut body: Incoming,
    gzip: bool,
    most: usize,
    deadline: Deadline,
) -> Result<Vec<u8>, Cut> {
    let announced = body.size_hint().lower();
    if announced > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(Cut::TooLarge);
    }
    let room = usize::try_from(announced).unwrap_or(0).min(most);
    let mut taken = 0_usize;
    let mut sink = if gzip {
        // About what lists of API objects shrink by.
        let out = Bounded { bytes: Vec::with_capacity(room.saturating_mul(8).min(most)), most, full: false };
        Sink::Gzip(Box::new(MultiGzDecoder::new(out)))
    } else {
        Sink::Plain(Bounded { bytes: Vec::with_capacity(room), most, full: false })
    };
    loop {
        let frame = match deadline.hold(body.frame()).await {
            Err(Late) => return Err(Cut::Late),
            Ok(None) => return sink.finish(),
            Ok(Some(Err(error))) => return Err(Cut::Broken(error)),
            Ok(Some(Ok(frame))) => frame,
        };
        if let Some(data) = frame.data_ref() {
            // What is packed may hold nothing at all for ever.
            taken = taken.saturating_add(data.len());
            if taken > most {
                return Err(Cut::TooLarge);
            }
            sink.take(data)?;
        }
    }
}

/// Where the bytes go.
enum Sink {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Sink {
    fn take(&mut self, data: &[u8]) -> Result<(), Cut> {
        match self {
            Sink::Plain(out) => out.write_all(data).map_err(|_| Cut::TooLarge),
            Sink::Gzip(gzip) => gzip.write_all(data).map_err(|_| why(gzip.get_ref())),
        }
    }

    fn finish(self) -> Result<Vec<u8>, Cut> {
        match self {
            Sink::Plain(out) => Ok(out.bytes),
            Sink::Gzip(mut gzip) => match gzip.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut gzip.get_mut().bytes)),
                Err(_) => Err(why(gzip.get_ref())),
            },
        }
    }
}

fn why(out: &Bounded) -> Cut {
    if out.full { Cut::TooLarge } else { Cut::Damaged }
}

/// Bytes up to a bound; one that stands before the unpacking, so that a small piece cannot grow beyond it.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(data.len()) > self.most {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>, Cut> {
        let out = Bounded { bytes: Vec::new(), most, full: false };
        let mut sink = Sink::Gzip(Box::new(MultiGzDecoder::new(out)));
        sink.take(bytes)?;
        sink.finish()
    }

    #[test]
    fn the_bound_holds_for_what_comes_out() {
        assert_eq!(unpack(&packed(b"hello"), 5).unwrap(), b"hello");
        assert!(matches!(unpack(&packed(b"hello"), 4), Err(Cut::TooLarge)));
        assert!(matches!(unpack(&packed(&vec![0; 50 << 20]), 1 << 20), Err(Cut::TooLarge)));
    }

    #[test]
    fn damaged_and_cut_gzip_is_no_answer() {
        let good = packed(&b"hello ".repeat(1000));
        assert!(matches!(unpack(&good[..good.len() - 9], 1 << 20), Err(Cut::Damaged)));
        assert!(matches!(unpack(b"<html>", 1 << 20), Err(Cut::Damaged)));
    }
}
