//! One whole handshake: the chain that a server presents, whether it wants a certificate of its clients, and what it
//! answers to one request of a client that has none.

use super::hello::{Version, is_name};
use super::lines::{self, Said};
use super::wire::Wire;
use super::{EndpointLimits, Peer};
use crate::evidence::{Certificate, Fact, Listing, Reason};
use crate::probe::certificate::{self, Found};
use crate::probe::der;
use crate::probe::text::line;
use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslOptions, SslRef, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::X509Ref;
use std::net::{IpAddr, Ipv6Addr};
use tokio::time::{Instant, timeout_at};

/// Most bytes that one connection takes in. OpenSSL itself refuses a chain of more than 100 KiB.
const MOST: usize = 256 * 1024;

/// Most certificates of a chain, and names of a certificate, that are kept.
const CHAIN: usize = 16;
const NAMES: usize = 256;

/// OpenSSL's number of an alert from the other side is this and the alert's own.
const ALERT: i32 = 1000;

/// What a server says that will not go on without a certificate: handshake_failure, no_certificate, bad_certificate,
/// certificate_required.
const WANTING: [i32; 4] = [ALERT + 40, ALERT + 41, ALERT + 42, ALERT + 116];

/// OpenSSL's own word for a message that is longer than it takes.
const EXCESSIVE: i32 = 152;

/// What one connection showed.
#[derive(Debug, Default)]
pub(super) struct Shaken {
    /// The chain, the server's own certificate first; or why it was not seen.
    pub chain: Option<Result<Listing<Certificate>, Reason>>,
    /// Names in the server's own certificate. None where that was not seen.
    pub names: Option<Result<Listing<String>, Reason>>,
    /// Whether it asks for a certificate.
    pub asks: Fact<bool>,
    /// Whether it ends the connection of a client without one.
    pub demands: Fact<bool>,
    /// Status of the answer to the request; or why there is none.
    pub answer: Option<Result<u16, Reason>>,
}

/// Why a step did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The server wants a certificate. Believed only where it asked for one.
    Wanting,
    /// Anything else.
    Lost(Reason),
}

/// Shakes hands by at most this version, and makes the request where one is given. Up to TLS 1.2 the handshake itself tells
/// whether a client without a certificate is taken; in TLS 1.3 it ends before the server says so.
pub(super) async fn shake(
    peer: &Peer<'_>,
    newest: Version,
    request: Option<&str>,
    limits: &EndpointLimits,
    until: Instant,
) -> Shaken {
    let mut shaken = Shaken::default();
    let lost = |reason| Shaken { chain: Some(Err(reason)), answer: Some(Err(reason)), ..Shaken::default() };
    let stream = match peer.connect(limits, until).await {
        Ok(stream) => stream,
        Err(reason) => return lost(reason),
    };
    let Ok(ssl) = client(peer, newest) else { return lost(Reason::NotVisible) };
    let Ok(mut tls) = SslStream::new(ssl, Wire::new(stream, MOST)) else { return lost(Reason::NotVisible) };
    let within = (Instant::now() + limits.answer).min(until);
    let done = drive(&mut tls, within, |tls| tls.connect()).await;
    let tls13 = tls.ssl().version2() == Some(SslVersion::TLS1_3);
    let asked = tls.get_ref().sent_certificate(tls13);
    (shaken.chain, shaken.names) = presented(tls.ssl(), peer, done.err());
    match done {
        Ok(()) => shaken.asks = Fact::Known(asked),
        Err(Trouble::Wanting) if asked => {
            (shaken.asks, shaken.demands) = (Fact::Known(true), Fact::Known(true));
            return shaken;
        }
        Err(trouble) => {
            shaken.answer = Some(Err(reason(trouble)));
            return shaken;
        }
    }
    // Up to TLS 1.2 the handshake ends only when the server is content. In TLS 1.3 what it says next tells.
    if !asked || !tls13 {
        shaken.demands = Fact::Known(false);
    }
    let within = (Instant::now() + limits.answer).min(until);
    let answer = match request {
        Some(path) => answer(&mut tls, &lines::request(path, peer.host, peer.port), within).await,
        None if !tls13 || !asked => return shaken,
        None => answer(&mut tls, "", within).await,
    };
    match answer {
        Ok(status) => {
            shaken.demands = Fact::Known(false);
            shaken.answer = Some(Ok(status));
        }
        Err(Trouble::Wanting) if asked => shaken.demands = Fact::Known(true),
        Err(trouble) => shaken.answer = Some(Err(reason(trouble))),
    }
    shaken
}

fn reason(trouble: Trouble) -> Reason {
    match trouble {
        Trouble::Wanting => Reason::Unsupported,
        Trouble::Lost(reason) => reason,
    }
}

/// A client that takes whatever a server offers and proves nothing of it: it only looks.
fn client(peer: &Peer<'_>, newest: Version) -> Result<Ssl, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    context.set_security_level(0);
    context.set_min_proto_version(Some(SslVersion::TLS1))?;
    let newest = if newest == Version::V13 { SslVersion::TLS1_3 } else { SslVersion::TLS1_2 };
    context.set_max_proto_version(Some(newest))?;
    context.set_cipher_list("ALL:COMPLEMENTOFALL:!aNULL:@SECLEVEL=0")?;
    context.set_options(LEGACY_SERVER);
    let mut ssl = Ssl::new(&context.build())?;
    ssl.set_connect_state();
    if is_name(peer.host) {
        ssl.set_hostname(peer.host)?;
    }
    Ok(ssl)
}

/// `SSL_OP_LEGACY_SERVER_CONNECT`: servers that do not know of secure renegotiation are looked at as well.
const LEGACY_SERVER: SslOptions = SslOptions::from_bits_retain(4);

/// Does one step as often as the socket makes it wait.
async fn drive<T>(
    tls: &mut SslStream<Wire>,
    until: Instant,
    mut step: impl FnMut(&mut SslStream<Wire>) -> Result<T, openssl::ssl::Error>,
) -> Result<T, Trouble> {
    loop {
        let error = match step(tls) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let stream = &tls.get_ref().stream;
        let ready = match error.code() {
            ErrorCode::WANT_READ => timeout_at(until, stream.readable()).await,
            ErrorCode::WANT_WRITE => timeout_at(until, stream.writable()).await,
            _ => return Err(trouble(&error, tls.get_ref().left == 0)),
        };
        match ready {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Trouble::Lost(Reason::Malformed)),
            Err(_) => return Err(Trouble::Lost(Reason::Timeout)),
        }
    }
}

fn trouble(error: &openssl::ssl::Error, full: bool) -> Trouble {
    let codes: Vec<i32> =
        error.ssl_error().map(|stack| stack.errors().iter().map(|one| one.reason_code()).collect()).unwrap_or_default();
    if codes.iter().any(|code| WANTING.contains(code)) {
        return Trouble::Wanting;
    }
    Trouble::Lost(if full || codes.contains(&EXCESSIVE) { Reason::TooLarge } else { Reason::Malformed })
}

/// Sends a request and reads as far as the status.
async fn answer(tls: &mut SslStream<Wire>, request: &str, until: Instant) -> Result<u16, Trouble> {
    let mut left = request.as_bytes();
    while !left.is_empty() {
        match drive(tls, until, |tls| tls.ssl_write(left)).await {
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            // What the server said before it closed the connection can still be read.
            Err(_) => break,
        }
    }
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = drive(tls, until, |tls| tls.ssl_read(&mut buffer)).await?;
        heard.extend(buffer.get(..count).unwrap_or_default());
        match lines::status(&heard) {
            Said::This(status) => return Ok(status),
            Said::Other => return Err(Trouble::Lost(Reason::Malformed)),
            Said::More => {}
        }
    }
}

type Presented = (Option<Result<Listing<Certificate>, Reason>>, Option<Result<Listing<String>, Reason>>);

/// What the server presented. `failed`: how the handshake failed, if it did.
fn presented(ssl: &SslRef, peer: &Peer<'_>, failed: Option<Trouble>) -> Presented {
    let chain = ssl.peer_cert_chain().filter(|chain| !chain.is_empty());
    let Some(chain) = chain else {
        return (Some(Err(failed.map_or(Reason::Malformed, reason))), None);
    };
    let found = |number: usize| Found {
        name: if number == 0 { "the server's own".to_owned() } else { format!("number {} of the chain", number + 1) },
        path: String::new(),
        role: peer.service.name.to_owned(),
    };
    let items = chain.iter().take(CHAIN).enumerate().map(|(number, cert)| certificate::read(cert, found(number)));
    let listing = Listing { items: items.collect(), complete: chain.len() <= CHAIN };
    (Some(Ok(listing)), chain.get(0).map(names))
}

/// DNS names and addresses of a certificate. One without any has none: a common name is no name of a server any more. One
/// whose names could not be understood is not one without names.
fn names(cert: &X509Ref) -> Result<Listing<String>, Reason> {
    let Some(all) = cert.subject_alt_names() else {
        let none = cert.to_der().ok().and_then(|der| der::has(&der, &der::ALTERNATIVE_NAMES)) == Some(false);
        return if none { Ok(Listing::whole(Vec::new())) } else { Err(Reason::Malformed) };
    };
    let names: Vec<String> = all
        .iter()
        .filter_map(|name| match (name.dnsname(), name.ipaddress()) {
            (Some(name), _) => Some(line(name)),
            (None, Some(bytes)) => address(bytes).map(|address| address.to_string()),
            (None, None) => None,
        })
        .take(NAMES)
        .collect();
    Ok(Listing { complete: all.len() <= NAMES, items: names })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)).to_canonical())).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::{X509, X509Extension};

    /// A certificate whose extension of alternative names has these bytes; none: without one.
    fn certificate(names: Option<&[u8]>) -> X509 {
        let key = PKey::generate_ed25519().unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        if let Some(names) = names {
            let oid = Asn1Object::from_str("2.5.29.17").unwrap();
            let bytes = Asn1OctetString::new_from_bytes(names).unwrap();
            builder.append_extension(X509Extension::new_from_der(&oid, false, &bytes).unwrap()).unwrap();
        }
        builder.sign(&key, MessageDigest::null()).unwrap();
        builder.build()
    }

    #[test]
    fn names_that_are_not_understood_are_not_no_names() {
        assert_eq!(names(&certificate(None)), Ok(Listing::whole(Vec::new())));
        let edge = [0x30, 0x06, 0x82, 0x04, b'e', b'd', b'g', b'e'];
        assert_eq!(names(&certificate(Some(&edge))), Ok(Listing::whole(vec!["edge".to_owned()])));
        for broken in [&edge[..5], b"no DER at all", &[]] {
            assert_eq!(names(&certificate(Some(broken))), Err(Reason::Malformed), "{broken:?}");
        }
    }
}
